#!/bin/sh
# Selection for a corpus itself: of a mixed corpus without near-copies the tenth and the quarter that
# select's methods choose, trained on beside random and a perplexity band, by prove.
#
#   select_mixed.sh METHOD RATE     METHOD: gtp, gtp-target, top-k, facility, medium, low
#                                   RATE: 10 or 25; run again, it goes on
#   select_mixed_table.py STATE     the table of what is done
#
#   WINNOW_DATA  folder with clean/ noisy/ eval/   (../shared/data)
#   STATE        where it works                    (runs/evidence-select-mixed)
#   WINNOW       the program                       (build/release/winnow)
#   SEEDS        of prove                          (3)
#
# Each seed draws a pool of 2.4M tokens and chooses of it anew; each arm trains 0.24M parameters on
# 600k tokens, of which a tenth of the pool is two and a half passes. gtp pursues the whole pool,
# gtp-target and top-k 64 documents of the same mixture. The primary measure, named here before the
# run: macro, the NLL in which each source weighs the same. Needs python3 and zstd.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-select-mixed}
winnow=${WINNOW:-$root/build/release/winnow}
mkdir -p "$state"
cd "$state"
[ -s all.jsonl ] || python3 "$here/select_mixed.py" "$data" mixed all.jsonl
[ -s once/_SUCCESS ] || "$winnow" dedup -q --method minhash all.jsonl -o once
[ -s target.jsonl ] || {
    head -n 64 once/documents/all.jsonl >target.part
    tail -n +65 once/documents/all.jsonl >pool.jsonl
    mv target.part target.jsonl
}
shape="--dim 64 --layers 2 --heads 2"
[ -s warm/config.json ] || "$winnow" train -q pool.jsonl -o warm --tokens 500k $shape --threads 1 \
    --optimizer adamw --batch-tokens 2048 --keep-checkpoints 3 --compute bf16
[ -s vectors/store.json ] || "$winnow" features -q pool.jsonl --model warm --context 256 -o vectors --threads 1

case $1 in
gtp | facility) stage="select: {method: $1, features: vectors, budget: $2%}" ;;
gtp-target) stage="select: {method: gtp, features: vectors, target: [target.jsonl], budget: $2%}" ;;
top-k) stage="select: {method: top-k, features: vectors, target: [target.jsonl], budget: $2%}" ;;
medium | low) stage="prune: {criterion: $1, rate: $2%, reference-tokens: 200k}" ;;
*) echo "usage: select_mixed.sh METHOD RATE" >&2; exit 2 ;;
esac
cat >"$1-$2.yaml" <<Y
winnow: 1
input: [pool.jsonl]
output: run-$1-$2
stages:
  - $stage
prove: {arms: [random, final], primary: macro, seeds: ${SEEDS:-3}, tokens: 600k, fixed-pool: true,
        pool-share: 4, tokenizer: warm/tokenizer.json, dim: 64, layers: 2, heads: 2, compute: bf16,
        eval-tokens: 100k, cloze-items: 50, curve-points: 6, tasks: [$data/eval/blimp.jsonl.zst],
        task-limit: 20}
Y
exec "$winnow" run -q --threads 1 "$1-$2.yaml"
