#!/bin/sh
# prune.sh PROGRAM ROUNDS: pruning killed at random moments (while the reference
# trains, while documents are scored), and on one and two threads, ends with the
# same bytes as undisturbed.
set -eu
winnow=$(readlink -f "$1"); rounds=$2
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
"$here/../support/words.sh" 2000 >c.jsonl
prune() { # OUTPUT [OPTION...]; in a subshell, which it replaces, so that kill hits it
    out=$1; shift
    exec "$winnow" prune -q "$@" --reference-tokens 20k --vocab 400 --dim 32 --heads 2 --layers 2 \
        --context 64 --batch-tokens 256 c.jsonl -o "$out"
}
sums() { # all that does not hold times
    (cd "$1" && find documents stages -type f ! -name 'progress*' | sort | xargs md5sum)
}
start=$(date +%s%N)
(prune whole --threads 1)
took=$(( ($(date +%s%N) - start) / 1000000 ))
sums whole >want
(prune two --threads 2)
sums two | diff want - || { echo "two threads differ from one"; exit 1; }
kills=0; i=0
while [ $i -lt "$rounds" ]; do
    i=$((i + 1)); rm -rf killed
    for attempt in 1 2 3 4; do
        prune killed --threads $((i % 2 + 1)) 2>/dev/null &
        pid=$!
        sleep "$(awk -v s=$((i * 31 + attempt)) -v t=$took 'BEGIN { srand(s); print rand() * t / 1000 * .6 }')"
        if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); fi
        wait $pid 2>/dev/null || :
    done
    (prune killed)
    sums killed | diff want - || { echo "round $i: differs after kills"; exit 1; }
done
"$winnow" verify -q killed
echo "$kills kills in $rounds rounds: the same bytes"
[ $kills -gt 0 ]
