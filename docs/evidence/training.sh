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
#       choose     batches chosen towards a target (opus, greats) against random order at equal steps
#                  and at equal FLOPs, and against the documents of the target's source
#       table      what is done so far
#
#   WINNOW_DATA  folder with clean/ noisy/ instruct/      (../shared/data)
#   STATE        where it works                           (runs/evidence-training)
#   WINNOW       the program                              (build/release/winnow)
#
# Broken off, it goes on where it stopped.  The corpus is that of pruning.sh: Wikipedia, manuals,
# novels, questions, web pages, code, and 4 % of noise.  The primary measure, named here before the
# run: NLL of clean held-out text; for choose, of held-out text of the target's source.
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

# seconds FILE COMMAND...: runs it and adds its processor time to what FILE has of earlier pieces
seconds() {
    python3 - "$@" <<'EOF'
import resource, subprocess, sys
try:
    code = subprocess.call(sys.argv[2:])
except KeyboardInterrupt:
    code = 130
spent = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "a") as f:
    f.write("%.2f\n" % (spent.ru_utime + spent.ru_stime))
sys.exit(code)
EOF
}

# nll MODEL FILE
nll() {
    "$winnow" eval -q --progress never --threads 1 --model "$1" "$2" 2>>log |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["results"]["heldout"]["nll"])'
}

# way SEED ARM TOKENS DOCUMENTS [SAMPLER]: trains in choose/SEED and measures
way() {
    folder=choose/$1 arm=$2
    [ ! -s "$folder/$arm.json" ] || return 0
    # shellcheck disable=SC2086  # none or several options
    [ -s "$folder/$arm/config.json" ] || seconds "$folder/$arm.seconds" "$winnow" train -q --progress never \
        "$folder/$4.jsonl" -o "$folder/$arm" --tokenizer tokenizer.json --tokens "$3" $small --compute bf16 \
        --optimizer muon --lr 8e-3 --batch-tokens 2048 --threads 1 --seed "$1" \
        ${5:+--sampler $5 --toward $folder/toward.jsonl} >>log 2>&1
    printf '{"wanted": %s, "others": %s}\n' "$(nll "$folder/$arm" "$folder/wanted.jsonl")" \
        "$(nll "$folder/$arm" "$folder/others.jsonl")" >"$folder/$arm.part"
    mv "$folder/$arm.part" "$folder/$arm.json"
}

# the tokens of random order with the FLOPs of opus, from what both cost
equal() {
    python3 - "choose/$1" <<'EOF'
import json, sys
cost = [json.load(open("%s/%s/training.json" % (sys.argv[1], arm)))["flops"] for arm in ("uniform", "opus")]
print(round(300000 * cost[1] / cost[0]))
EOF
}

choose() {
    for seed in $(seq 1 "$seeds"); do
        mkdir -p "choose/$seed"
        [ -s "choose/$seed/source.jsonl" ] || python3 "$here/training_choose.py" corpus.jsonl "choose/$seed" "$seed"
        way "$seed" uniform 300k pool
        way "$seed" opus 300k pool opus
        way "$seed" greats 300k pool greats
        way "$seed" source 300k source
        way "$seed" uniform-flops "$(equal "$seed")" pool
    done
    for seed in $(seq 1 "$seeds"); do
        way "$seed" source-flops "$(equal "$seed")" source
    done
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
choose) choose ;;
table) python3 "$here/training_table.py" "$state"; python3 "$here/training_choose_table.py" "$state" ;;
*) echo "training.sh: there is no part $part" >&2; exit 2 ;;
esac
