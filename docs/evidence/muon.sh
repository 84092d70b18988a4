#!/bin/sh
# Muon beside AdamW on Wikipedia, three learning rates and three seeds each,
# each optimizer with as many tokens a step as suit it: AdamW is better with few,
# Muon has to pay for its products at every step.
#
#   muon.sh small   0.8M parameters, 1M tokens: minutes on two idle cores
#   muon.sh         3M parameters, 6M tokens: hours
#
# The middle learning rate comes first, all seeds of both, then the other rates seed
# by seed; behind the grid come other numbers of tokens a step.  Run it again after an interruption and it goes
# on.
#
#   WINNOW_DATA  folder with clean/wiki.jsonl.zst  (../shared/data)
#   STATE        where it works                    (runs/evidence-muon)
#   BUILD        the programs                      (build/release)
#   JOBS         runs side by side, a thread each  (2)
#
# muon.py $STATE prints the tables of what is done.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-muon}
build=${BUILD:-$root/build/release}
worker=${WORKER:-$build/optimizer_curve}

mkdir -p "$state"
cd "$state"
[ -s heldout.jsonl ] || {
    zstd -dc "$data/clean/wiki.jsonl.zst" >all.part
    head -n 2600 all.part >train.jsonl
    tail -n 150 all.part >heldout.part
    rm all.part
    mv heldout.part heldout.jsonl
}
[ -s tokenizer.json ] || "$build/winnow" tokenizer train -q --vocab 4096 train.jsonl -o tokenizer.json

case ${1:-full} in
small) size=0.8M tokens=1000000 few=512 many=2048 ;;
full) size=3M tokens=6000000 few=1024 many=4096 ;;
*) echo "usage: muon.sh [small|full]" >&2; exit 2 ;;
esac
# AdamW's rate, Muon's, a seed
pair() {
    echo "$size adamw $1 $3 $tokens $few"
    echo "$size muon $2 $3 $tokens $many"
}
{
    for seed in 1 2 3; do pair 4e-3 8e-3 $seed; done
    for seed in 1 2 3; do
        pair 2e-3 4e-3 $seed
        pair 8e-3 16e-3 $seed
    done
    echo "$size adamw 4e-3 1 $tokens $((few / 2))"
    echo "$size adamw 4e-3 1 $tokens $((few * 2))"
    echo "$size adamw 4e-3 1 $tokens $many"
    echo "$size adamw 8e-3 1 $tokens $many"
    echo "$size muon 8e-3 1 $tokens $((many / 2))"
} >"runs-$size.txt"
export worker
# shellcheck disable=SC2016  # the inner shell expands it
xargs -P "${JOBS:-2}" -L 1 sh -c '
    run="run-$1-$2-$3-$4-$5-$6"
    [ ! -s "$run/result.json" ] || exit 0
    mkdir -p "$run"
    exec nice -n 19 "$worker" train.jsonl heldout.jsonl tokenizer.json "$run" "$@"
' run <"runs-$size.txt"
exec python3 "$here/muon.py" "$state"
