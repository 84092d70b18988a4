#!/bin/sh
# samplers.sh PROGRAM ROUNDS: every way to train, stopped and killed at random moments and on one
# and two threads, ends with the same bytes as undisturbed.
set -eu
winnow=$(readlink -f "$1"); rounds=$2
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
"$here/../support/words.sh" 120 | sed 's/^{"id":"d\([0-9]*\)"/{"w":\1,"id":"d\1"/' >c.jsonl
train() {
    out=$1; shift
    exec "$winnow" train -q "$@" --vocab 400 --dim 32 --heads 2 --layers 2 --context 64 \
        --batch-tokens 256 c.jsonl -o "$out" >/dev/null
}
sums() { # all that does not hold times, or the folder's name
    (cd "$1" && find . -type f ! -name 'timings.json' ! -name '.winnow' ! -name '.lock' \
        ! -name 'training.json' | sort | xargs md5sum && sed '/"output":/d' training.json | md5sum)
}
# A signal that asks leaves a checkpoint at once; kill -9 leaves the last one.
disturbed() { # ROUND OPTIONS...
    round=$1; shift
    rm -rf killed
    for signal in INT KILL INT KILL; do
        train killed --threads $((round % 2 + 1)) "$@" 2>/dev/null &
        pid=$!
        sleep "$(awk -v s=$((round * 31 + pid)) -v t=$took 'BEGIN { srand(s); print rand() * t / 1000 * .5 }')"
        if kill -$signal $pid 2>/dev/null; then kills=$((kills + 1)); fi
        wait $pid 2>/dev/null || :
    done
    (train killed "$@")
}
kills=0
while read -r options; do
    rm -rf model two
    start=$(date +%s%N)
    # shellcheck disable=SC2086
    (train model --threads 1 $options)
    took=$(( ($(date +%s%N) - start) / 1000000 ))
    sums model >want
    (train two --threads 2 $options)
    sums two | diff want - || { echo "$options: two threads differ from one"; exit 1; }
    i=0
    while [ $i -lt "$rounds" ]; do
        i=$((i + 1))
        disturbed $i $options
        sums killed | diff want - || { echo "$options, round $i: differs after kills"; exit 1; }
    done
done <<OPTIONS
--sampler lfr
--sampler lfr --focus random --dropout 0.1
--sampler reweight --temperature 0.4 --epochs 2
--sampler resample --weight-key w --epochs 2 --redraw 5
--dropout 0.2 --epochs 2
OPTIONS
echo "$kills kills, the same bytes"
