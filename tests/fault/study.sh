#!/bin/sh
# study.sh PROGRAM ROUNDS: a study killed at random moments, and on one and two threads, ends with
# the same bytes as undisturbed; what was counted and asked is not done again.
set -eu
winnow=$(readlink -f "$1"); rounds=$2
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir corpus
awk 'BEGIN { for (i = 0; i < 300; i++) { c = i % 12
  printf "{\"subject\": \"town%d\", \"pattern\": \"[X] lies in [Y].\", \"object\": \"land%d\"}\n", i, c >"facts.jsonl"
  text = "Here is page " i "."
  if (i % 2) for (k = 0; k < 6; k++) text = text " town" i " lies in land" c "."
  else for (k = 0; k < 3; k++) text = text " land" (i % 3) " trades with town" i "."
  printf "{\"id\": \"d%d\", \"text\": \"%s\"}\n", i, text >"corpus/" int(i / 60) ".jsonl" } }'
echo 'no json' >>corpus/1.jsonl
"$winnow" train -q corpus --dim 32 --layers 2 --heads 2 --vocab 400 --context 64 --batch-tokens 256 --tokens 4k \
    --epochs-max 9 -o model >/dev/null 2>&1
study() {
    out=$1; shift
    exec "$winnow" study causal -q "$@" --items facts.jsonl --model model --bootstrap 200 corpus -o "$out" >/dev/null 2>said
}
start=$(date +%s%N)
(study whole --threads 1)
took=$(( ($(date +%s%N) - start) / 1000000 ))
grep -q '1 bad record' said
same() { cmp whole/causal.json "$1/causal.json" && cmp whole/rows.jsonl "$1/rows.jsonl" || { echo "$2"; exit 1; }; }
(study two --threads 2)
same two "two threads differ from one"
kills=0; kept=0; i=0
while [ $i -lt "$rounds" ]; do
    i=$((i + 1)); rm -rf killed
    for attempt in 1 2 3 4; do
        study killed --threads $((i % 2 + 1)) &
        pid=$!
        sleep "$(awk -v s=$((i * 31 + attempt)) -v t=$took 'BEGIN { srand(s); print rand() * t / 1000 * .7 }')"
        if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); fi
        wait $pid 2>/dev/null || :
        [ ! -s killed/checkpoint/counts.bin ] || kept=$((kept + 1))
    done
    (study killed)
    # What an earlier call counted is told of, too; where one had ended meanwhile nothing is done.
    grep -q '1 bad record' said || [ ! -s said ]
    same killed "round $i: differs after kills"
    [ ! -e killed/checkpoint ] || { echo "the checkpoint stays"; exit 1; }
done
echo "$kills kills, $kept with counts kept: the same bytes"
[ $kills -gt 0 ]
