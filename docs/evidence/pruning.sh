#!/bin/sh
# The pruning paper in miniature: low, medium, high and random at 50 %, five
# paired seeds, on real mixed text with noise planted in it.
#
#   pruning.sh small   0.5M parameters, 1M tokens an arm: minutes on two idle cores
#   pruning.sh         about 2M parameters, 6M tokens an arm: hours
#
# Run it again after an interruption and it goes on.  Results: $STATE/proof-*/results.json
# (partial.json after each seed before that); log: $STATE/log-*.
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
case ${1:-full} in
small) size=small
    set -- --tokens 1M --reference-tokens 1M --lr 2e-3 --eval-tokens 200k --cloze-items 100 \
        --task-limit 50 ;;
full) size=full
    set -- --tokens 6M --dim 160 --layers 4 --heads 5 --vocab 4096 --lr 1.5e-3 \
        --eval-tokens 400k --cloze-items 200 --task-limit 100 ;;
*) echo "usage: pruning.sh [small|full]" >&2; exit 2 ;;
esac
exec nice -n "${NICE:-10}" "$winnow" prove "$state/corpus.jsonl" -o "$state/proof-$size" "$@" \
    --arms random,low,medium,high --baseline random --primary clean --rate 50% --seeds 5 \
    --optimizer adamw --batch-tokens 512 --compute bf16 --clean-rules gopher --curve-points 12 \
    --tasks "$data/eval/blimp.jsonl.zst" 2>>"$state/log-$size"
