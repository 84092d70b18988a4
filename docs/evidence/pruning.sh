#!/bin/sh
# The pruning paper in miniature: low, medium, high and random at 50 %, paired seeds, on real mixed
# text with noise planted in it.
#
#   pruning.sh once          the corpus without near-copies, bands of all and of each source; 0.5M
#                            parameters, 400k tokens an arm, Muon: most of an hour of one core
#   pruning.sh small         the corpus as it is; 0.5M parameters, 1M tokens an arm, AdamW
#   pruning.sh full          about 2M parameters, 6M tokens an arm, AdamW: hours
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
corpus=$state/corpus.jsonl
case ${1:-once} in
once) # before anything is held out, so that no text has a near-copy on the other side of the split
    [ -s "$state/once/_SUCCESS" ] ||
        "$winnow" dedup -q --method minhash "$corpus" -o "$state/once"
    corpus=$state/once/documents ;;
esac
arms=random,low,medium,high
case ${1:-once} in
once)
    arms=$arms,low-by-source,medium-by-source,high-by-source
    set -- once --tokens 400k --seeds 5 --eval-tokens 200k --cloze-items 100 --task-limit 50 \
        --curve-points 8 ;;
small)
    set -- small --tokens 1M --seeds 5 --reference-tokens 1M --lr 2e-3 --optimizer adamw \
        --batch-tokens 512 --eval-tokens 200k --cloze-items 100 --task-limit 50 --curve-points 12 ;;
full)
    set -- full --tokens 6M --seeds 5 --dim 160 --layers 4 --heads 5 --vocab 4096 --lr 1.5e-3 \
        --optimizer adamw --batch-tokens 512 --eval-tokens 400k --cloze-items 200 \
        --task-limit 100 --curve-points 12 ;;
*) echo "usage: pruning.sh [once|small|full]" >&2; exit 2 ;;
esac
size=$1
shift
exec nice -n "${NICE:-10}" "$winnow" prove "$corpus" -o "$state/proof-$size" "$@" \
    --arms "$arms" --baseline random --primary clean --rate 50% --compute bf16 \
    --clean-rules gopher --tasks "$data/eval/blimp.jsonl.zst" 2>>"$state/log-$size"
