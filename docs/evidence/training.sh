#!/bin/sh
# Ways to train on one corpus at equal tokens: what is read again, what weighs more, how often a
# corpus bears to be read, and whether dropout helps there.
#
#   training.sh PART [SEEDS]   PART is one of:
#       focus      learn-focus-review against the same documents, passes and schedule without a
#                  choice by losses: four plain epochs, and a focus by chance
#       weights    weights by losses against plain training
#       repeat     a K-th of the corpus K times, without and with dropout
#       focus-4x, weights-4x, repeat-4x    the same for four times the parameters
#       table      what is done so far
#
#   WINNOW_DATA  folder with clean/ noisy/ instruct/      (../shared/data)
#   STATE        where it works                           (runs/evidence-training)
#   WINNOW       the program                              (build/release/winnow)
#
# Broken off, it goes on where it stopped.  The corpus is that of pruning.sh: Wikipedia, manuals,
# novels, questions, web pages, code, and 4 % of noise.  The primary measure, named here before the
# run: NLL of clean held-out text.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-training}
winnow=${WINNOW:-$root/build/release/winnow}
part=${1:-table}
seeds=${2:-5}

mkdir -p "$state"
cd "$state"
[ -s corpus.jsonl ] || python3 "$here/pruning_corpus.py" "$data" corpus.jsonl
[ -s tokenizer.json ] || "$winnow" tokenizer train -q corpus.jsonl --vocab 2048 -o tokenizer.json
small="--dim 64 --layers 2 --heads 2"    # 0.23M parameters
large="--dim 128 --layers 3 --heads 4"   # 0.86M

# prove FOLDER BASELINE ARMS SHAPE
prove() {
    "$winnow" prove corpus.jsonl -o "$1" --threads 1 --seeds "$seeds" --baseline "$2" --arms "$3" \
        --primary clean --tokens 600k $4 --eval-tokens 100k --cloze-items 0 --compute bf16 \
        --clean-rules gopher --curve-points 4 --load-bytes 24M --tokenizer tokenizer.json 2>>log
}

focus=repeat:4,before+lfr,before+lfr:random
weights=before,before+reweight:linupper,before+reweight:quadratic,before+reweight:extremes
weights=$weights,before+reweight:linupper:0.4
passes=before,repeat:2,repeat:4,repeat:8,repeat:16,repeat:32
for k in 4 8 16 32; do passes=$passes,repeat:$k+dropout:0.1; done
case $part in
focus) prove focus repeat:4 "$focus" "$small" ;;
focus-4x) prove focus-4x repeat:4 "$focus" "$large" ;;
weights) prove weights before "$weights" "$small" ;;
weights-4x) prove weights-4x before "$weights" "$large" ;;
repeat) prove repeat before "$passes" "$small" ;;
repeat-4x) prove repeat-4x before "$passes" "$large" ;;
table) python3 "$here/training_table.py" "$state" ;;
*) echo "training.sh: there is no part $part" >&2; exit 2 ;;
esac
