#!/bin/sh
# The pruning paper in miniature: low, medium, high and random at 50 %, five
# seeds, about 2M parameters and 6M tokens an arm.  A few hours on two cores; run it again
# after an interruption and it goes on.  Results: $STATE/proof/results.json
# (partial.json after each seed before that); log: $STATE/log.
#
#   WINNOW_DATA  folder with clean/ noisy/ instruct/ eval/   (../shared/data)
#   STATE        where it works                             (runs/evidence-pruning)
#   WINNOW       the program                                (build/release/winnow)
#
# The primary measure, named here before the run: NLL on clean held-out text,
# in which each domain weighs about the same.  Needs python3 and zstd for the corpus.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-pruning}
winnow=${WINNOW:-$root/build/release/winnow}

mkdir -p "$state"
[ -s "$state/corpus.jsonl" ] || python3 "$here/pruning_corpus.py" "$data" "$state/corpus.jsonl"
exec nice -n 19 "$winnow" prove "$state/corpus.jsonl" -o "$state/proof" \
    --arms random,low,medium,high --baseline random --primary clean \
    --rate 50% --seeds 5 --tokens 6M \
    --dim 160 --layers 4 --heads 5 --vocab 4096 --context 256 \
    --batch-tokens 512 --lr 1.5e-3 --compute bf16 \
    --clean-rules gopher --eval-tokens 400k --cloze-items 200 \
    --tasks "$data/eval/blimp.jsonl.zst" --task-limit 100 --curve-points 12 \
    2>>"$state/log"
