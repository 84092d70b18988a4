#!/bin/sh
# features.sh PROGRAM ROUNDS: training with kept checkpoints, vectors along them and a selection
# by them, killed at random moments and on one and two threads, end with the same bytes as
# undisturbed.
set -eu
winnow=$(readlink -f "$1"); rounds=$2
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
"$here/../support/words.sh" 600 >c.jsonl
head -n 4 c.jsonl | sed 's/"text"/"prompt":"say it","response"/' >few.jsonl
train() {
    out=$1; shift
    exec "$winnow" train -q "$@" --vocab 400 --dim 32 --heads 2 --layers 2 --context 64 \
        --batch-tokens 256 --tokens 20k --keep-checkpoints 2 --epochs-max 20 c.jsonl -o "$out"
}
features() {
    out=$1; shift
    exec "$winnow" features -q "$@" --context 64 --calibration 32 c.jsonl -o "$out"
}
choose() {
    out=$1; shift
    exec "$winnow" select -q "$@" --features whole --target few.jsonl --budget 5% c.jsonl -o "$out"
}
sums() { # all that does not hold times
    (cd "$1" && find . -type f ! -name 'progress*' ! -name 'timings.json' ! -name 'ledger.db' \
        ! -name '.winnow' ! -name '.lock' ! -name 'completions' ! -name 'training.json' ! -name 'recipe.yaml' | sort | xargs md5sum)
}
killed() { # WHAT ROUND: WHAT again and again with kills, then to its end, in killed
    rm -rf killed
    for attempt in 1 2 3 4; do
        "$1" killed --threads $(($2 % 2 + 1)) $more 2>/dev/null &
        pid=$!
        sleep "$(awk -v s=$(($2 * 31 + attempt)) -v t=$took \
            'BEGIN { srand(s); print rand() * t / 1000 * .6 }')"
        if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); fi
        wait $pid 2>/dev/null || :
    done
    ("$1" killed $more)
}
kills=0
for what in train features choose; do
    more=''
    [ $what = features ] && more='--model model'
    start=$(date +%s%N)
    case $what in train) out=model ;; features) out=whole ;; choose) out=chosen ;; esac
    ($what $out --threads 1 $more)
    took=$(( ($(date +%s%N) - start) / 1000000 ))
    sums $out >want
    rm -rf two
    ($what two --threads 2 $more)
    sums two | diff want - || { echo "$what: two threads differ from one"; exit 1; }
    i=0
    while [ $i -lt "$rounds" ]; do
        i=$((i + 1))
        killed $what $i
        sums killed | diff want - || { echo "$what, round $i: differs after kills"; exit 1; }
    done
done
[ "$(find model/trajectory -name checkpoint.json | wc -l)" = 2 ]
"$winnow" verify -q chosen
echo "$kills kills: the same bytes"
[ $kills -gt 0 ]
