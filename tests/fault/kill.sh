#!/bin/sh
# A run that is killed at any moment and started again leaves the same bytes as
# one that was not: $2 kills (default 20), one and two threads in turn.  All
# files are compared but timings.json, input.json (times of change) and .lock.
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
kills=${2:-20}
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
"$here/make_corpus.sh" in 60000
cat >recipe.yaml <<'Y'
winnow: 1
input: [in]
output: run
checkpoint: 0
stages:
  - dedup:
  - dedup: {spaces: true, fold-case: true}
Y
prints() { (cd "$1" && find . -type f ! -name timings.json ! -name input.json ! -name .lock | sort | xargs md5sum); }
start=$(date +%s%N)
"$bin" run -q --threads 1 recipe.yaml >/dev/null || exit 1
whole=$((($(date +%s%N) - start) / 1000000))
prints run >want
mv run whole
"$bin" run -q --threads 2 recipe.yaml >/dev/null || exit 1
prints run >got
diff want got || { echo "two threads wrote other bytes than one"; exit 1; }
rm -rf run
done=0; round=0; resumed=0
while [ $done -lt "$kills" ]; do
    round=$((round + 1))
    t=$(awk -v seed=$round -v whole=$whole 'BEGIN { srand(seed * 7919); printf "%.3f", rand() * whole / 1000 }')
    timeout -s KILL "$t" "$bin" run -q --threads $((1 + round % 2)) recipe.yaml >/dev/null 2>&1
    code=$?
    if [ $code = 137 ]; then
        done=$((done + 1))
        [ -n "$(ls run/stages/*/progress-*.json 2>/dev/null)" ] && resumed=$((resumed + 1))
        for f in $(find run -name '*.jsonl*' -path '*/documents/*' ! -name '*.tmp' 2>/dev/null); do
            cmp -s "$f" "whole/${f#run/}" || { echo "$f has its final name, but not its final bytes"; exit 1; }
        done
        if [ $((done % 4)) = 0 ]; then # several kills on one run, then let it end
            "$bin" run -q recipe.yaml >/dev/null || exit 1
            prints run >got
            diff want got || { echo "after $done kills the bytes are others"; exit 1; }
            rm -rf run
        fi
    elif [ $code = 0 ]; then
        prints run >got
        diff want got || { echo "after $done kills the bytes are others"; exit 1; }
        rm -rf run
    else
        echo "the run failed with $code"; "$bin" run recipe.yaml; exit 1
    fi
    [ $round -gt $((kills * 6)) ] && { echo "only $done kills met the run"; exit 1; }
done
"$bin" run -q recipe.yaml >/dev/null || exit 1
prints run >got
diff want got || { echo "after the last kill the bytes are others"; exit 1; }
find run -name '*.tmp' -o -name 'progress-*' | grep . && { echo "left behind"; exit 1; }
echo "$done kills, $resumed of them behind a checkpoint: the same bytes ($whole ms uninterrupted)"
