#!/bin/sh
# A refine stage that is killed at any moment and started again leaves the same
# bytes as one that was not, and asks for no program twice that is safely stored:
# $2 kills (default 8), one and two threads in turn.
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
kills=${2:-8}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
awk 'BEGIN { srand(3); for (i = 0; i < 1200; i++) { printf "{\"id\": \"d%d\", \"text\": \"", i
    n = 1 + int(rand() * 12); for (k = 0; k < n; k++) printf "%sline %d of page %d, all of it in words", k ? "\\n" : "", rand() * 99, i
    print "\"}" } }' >in.jsonl
"$bin" train -q in.jsonl -o m --dim 32 --layers 2 --heads 2 --vocab 400 --context 512 --tokens 2k >/dev/null || exit 1
go() { "$bin" refine -q --threads "$1" --refiner m --level both --chunk-tokens 150 --new-tokens 80 --checkpoint 0 in.jsonl -o run; }
prints() { (cd run && find . -type f ! -name timings.json ! -name input.json ! -name .lock ! -name 'report*' | sort | xargs md5sum); }
same() { prints >got; diff want got || { echo "$1"; exit 1; }; }

start=$(date +%s%N)
go 1 || exit 1
whole=$((($(date +%s%N) - start) / 1000000))
prints >want; rm -rf run
go 2 || exit 1
same "two threads wrote other bytes than one"
rm -rf run
done=0; round=0; stored=0
while [ $done -lt "$kills" ]; do
    round=$((round + 1))
    [ $round -gt $((kills * 6)) ] && { echo "only $done kills met the run"; exit 1; }
    t=$(awk -v seed=$round -v whole=$whole 'BEGIN { srand(seed * 7919); printf "%.3f", (0.1 + 0.9 * rand()) * whole / 1000 }')
    "$bin" refine -q --threads $((1 + round % 2)) --refiner m --level both --chunk-tokens 150 --new-tokens 80 --checkpoint 0 in.jsonl -o run >/dev/null 2>err &
    pid=$!
    sleep "$t"
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    code=$?
    if [ $code = 137 ]; then
        done=$((done + 1))
        grep -q '"documents":[1-9][0-9]*,"complete":false' run/stages/01-refine/state/programs.jsonl.mark 2>/dev/null && stored=$((stored + 1))
        [ $((done % 3)) = 0 ] || continue # several kills on one run, then let it end
        go 2 >/dev/null || exit 1
    elif [ $code != 0 ]; then
        echo "the run failed with $code:"; cat err; exit 1
    fi
    same "after $done kills the bytes are others"
    rm -rf run
done
go 1 >/dev/null || exit 1
same "after the last kill the bytes are others"
echo "refine: $done kills, $stored of them with programs stored: the same bytes ($whole ms uninterrupted)"
