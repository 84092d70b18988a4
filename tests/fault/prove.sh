#!/bin/sh
# prove.sh PROGRAM ROUNDS: a proof killed at random moments, and on one and two
# threads, ends with the same bytes as an uninterrupted one.
set -eu
winnow=$(readlink -f "$1"); rounds=$2
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir -p run/documents run/stages/01-refine # a corpus that a run has made
"$here/../support/words.sh" 1500 >run/documents/c.jsonl
echo '{"notes": {"flops": 4321}}' >run/stages/01-refine/stats.json
prove() { # OUTPUT [OPTION...]; in a subshell, which it replaces, so that kill hits it
    out=$1; shift
    exec "$winnow" prove -q "$@" --seeds 2 --arms before,low,random,matched,without:s1 --tokens 12k \
        --reference-tokens 6k --vocab 400 --dim 32 --heads 2 --layers 2 --context 64 \
        --batch-tokens 256 --clean-rules none --eval-tokens 4k --curve-points 3 --bootstrap 50 \
        --cloze-items 20 run/documents -o "$out"
}
same() { # results but for the folder's name, and every job's result
    for f in results.json tokenizer.json $(cd "$1" && find jobs -name '*.json' ! -name timings.json | sort); do
        sed "s|\"output\": \"[^\"]*\"||" "$1/$f" >a.txt
        sed "s|\"output\": \"[^\"]*\"||" "$2/$f" >b.txt
        cmp a.txt b.txt || { echo "$2: $f differs"; exit 1; }
    done
}
start=$(date +%s%N)
(prove whole --threads 1) >/dev/null
took=$(( ($(date +%s%N) - start) / 1000000 ))
(prove two --threads 2) >/dev/null
same whole two
[ "$(grep -c '"preparation": 4321' whole/results.json)" = 5 ] || { echo "what the run cost is not counted"; exit 1; }
kills=0; i=0
while [ $i -lt "$rounds" ]; do
    i=$((i + 1)); rm -rf killed; finished=no
    for attempt in 1 2 3 4 5 6; do
        prove killed --threads $((i % 2 + 1)) >/dev/null 2>&1 &
        pid=$!
        ms=$(awk -v s=$((i * 31 + attempt)) -v t=$took 'BEGIN { srand(s); print rand() * t / 1000 * .7 }')
        sleep "$ms"
        if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); wait $pid 2>/dev/null || :
        else wait $pid && finished=yes || { echo "failed by itself"; exit 1; }; break; fi
    done
    [ $finished = yes ] || (prove killed) >/dev/null
    same whole killed
done
again=$(prove whole)
[ -n "$again" ] || exit 1
same whole two
echo "$kills kills in $rounds rounds: the same bytes"
[ $kills -gt 0 ]
