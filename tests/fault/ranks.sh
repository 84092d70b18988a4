#!/bin/sh
# One run by 1, 2, 3 and 4 ranks leaves the same bytes; so does one of which a rank is killed at any
# moment, and which is gone on with by another number of ranks: $2 kills (default 4).  And what
# several ranks cannot do, or what goes wrong on one of them, ends all with one sentence.
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
kills=${2:-4}
here=$(cd "$(dirname "$0")" && pwd)
command -v mpirun >/dev/null || { echo "no mpirun: not tested"; exit 77; }
[ -f "$(dirname "$bin")/winnow-mpi.so" ] || { echo "built without MPI: not tested"; exit 77; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export ASAN_OPTIONS="detect_leaks=0:${ASAN_OPTIONS:-}" # MPI keeps what it has until the end
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
"$here/make_corpus.sh" in 4500
for i in 1 2 3; do # of one size, and one much larger
    sed "s/\"id\":\"d/\"id\":\"$i-d/" in/a.jsonl >"in/sub/a$i.jsonl"
done
cat in/sub/a?.jsonl | sed 's/"id":"/"id":"large-/' >in/large.jsonl
sed -n 's/.*"text":" \([a-z ]*\) [0-9]*".*/{"question":"\1"}/p' in/a.jsonl | awk 'NR % 97 == 1' |
    cut -d " " -f 1-9 | sed 's/$/"}/' | head -n 30 >bench.jsonl
cat >recipe.yaml <<'Y'
winnow: 1
input: [in]
output: run
checkpoint: 0
stages:
  - rules: {filter: false}
  - refine:
  - mask: {edit: true, annotate: true}
  - decontaminate: {benchmark: [bench.jsonl], rule: gpt3, n: 6, action: cut, margin: 20, left-min: 40}
  - dedup:
  - holdout: {share: 5%}
Y
# All files but those that may differ: times, the times of the input, the report (it shows times).
prints() { (cd "$1" && find . -type f ! -name timings.json ! -name input.json ! -name .lock ! -name 'report*' | sort | xargs md5sum); }
same() { prints run >got; diff want got || { echo "$1"; exit 1; }; }

# ranks N ARGUMENTS...: a launch of N, in this shell's place where it is called in the background
ranks() {
    n=$1
    shift
    if [ "$n" = 1 ]; then exec "$bin" "$@"; fi
    exec mpirun --oversubscribe --bind-to none -n "$n" "$bin" "$@"
}

start=$(date +%s%N)
(ranks 1 run -q recipe.yaml) >/dev/null || exit 1
prints run >want
for n in 2 3 4; do
    rm -rf run
    start=$(date +%s%N)
    (ranks $n run -q recipe.yaml) >out 2>&1 || { cat out; echo "$n ranks failed"; exit 1; }
    whole=$((($(date +%s%N) - start) / 1000000))
    same "$n ranks wrote other bytes than one"
    "$bin" verify run >/dev/null 2>&1 || { echo "verify fails behind $n ranks"; exit 1; }
done
(ranks 3 run recipe.yaml) >out 2>&1 || exit 1
grep -q 'nothing is left to do' out || { echo "a finished run is done again by 3 ranks"; exit 1; }

# Kills: one rank of several, or the only one.
done=0 round=0 resumed=0
rm -rf run
while [ $done -lt "$kills" ]; do
    round=$((round + 1))
    [ $round -gt $((kills * 6)) ] && { echo "only $done kills met the run"; exit 1; }
    n=$((1 + round * 3 % 4))
    t=$(awk -v seed=$round -v whole=$whole 'BEGIN { srand(seed * 7919); printf "%.3f", 0.2 + rand() * whole / 1000 }')
    ranks $n run -q --threads $((1 + round % 2)) recipe.yaml >out 2>&1 &
    pid=$!
    sleep "$t"
    victim=$pid
    if [ $n -gt 1 ]; then
        victim=$(ps -o pid= --ppid $pid | awk -v seed=$round '{ p[NR] = $1 } END { srand(seed); print p[1 + int(rand() * NR)] }')
    fi
    [ -n "$victim" ] && kill -KILL "$victim" 2>/dev/null
    wait $pid 2>/dev/null
    code=$?
    if [ $code != 0 ]; then
        grep 'winnow:' out | grep -v interrupted && { cat out; echo "a kill was answered by an error"; exit 1; }
        done=$((done + 1))
        [ -n "$(find run/stages -path '*/progress-*' 2>/dev/null)" ] && resumed=$((resumed + 1))
        [ $((done % 3)) = 0 ] || continue # several kills on one run, then let it end
        (ranks $((1 + (n + 1) % 4)) run -q recipe.yaml) >out 2>&1 || { cat out; echo "it does not go on"; exit 1; }
    fi
    same "after $done kills the bytes are others"
    rm -rf run
done
(ranks 2 run -q recipe.yaml) >/dev/null 2>&1 || exit 1
same "after the last kill the bytes are others"
find run -name '*.tmp' -o -name 'progress-*' -o -name .ranks | grep . && { echo "left behind"; exit 1; }
echo "1, 2, 3 and 4 ranks: the same bytes; $done kills, $resumed of them behind a checkpoint"

# A reference that one rank trains and all score with, bands by source; scores of a given model.
mkdir pool
rm -rf run
for i in 1 2 3 4 5; do
    "$here/../support/words.sh" $((200 + i * 100)) | sed "s/\"id\":\"/&$i-/" >"pool/$i.jsonl"
done
small="--vocab 400 --dim 32 --heads 2 --layers 2 --context 64 --batch-tokens 256"
for n in 1 2 3; do
    # shellcheck disable=SC2086
    (ranks $n prune -q --by source --cross-fit --reference-tokens 5k $small pool -o run) >out 2>&1 || { cat out; exit 1; }
    [ $n = 1 ] && prints run >want
    same "$n ranks pruned to other bytes than one"
    model=stages/01-prune/state/reference-0
    [ $n = 1 ] && cp -r run/$model model && cp "$(find run -name tokenizer.json | head -n 1)" model/
    rm -rf run
done
for n in 1 2 4; do
    (ranks $n score -q --model model pool -o run) >out 2>&1 || { cat out; exit 1; }
    [ $n = 1 ] && prints run >want
    same "$n ranks scored to other bytes than one"
    rm -rf run
done
echo "prune and score: the same bytes"

# refused CODE SENTENCE N ARGUMENTS...: one sentence of ours, whatever mpirun adds
refused() {
    want=$1 sentence=$2
    shift 2
    (ranks "$@") >out 2>&1
    code=$?
    [ $code = "$want" ] || { cat out; echo "exit code $code, expected $want: $sentence"; exit 1; }
    [ "$(grep -c '^winnow: ' out)" = 1 ] && grep -q "^winnow: .*$sentence" out || { cat out; echo "not said once: $sentence"; exit 1; }
}
# mixed SENTENCE FOLDER FOLDER "ARGUMENTS" "ARGUMENTS": a rank of each, in its folder
mixed() {
    rm -rf "$tmp/run"
    # shellcheck disable=SC2086
    timeout 60 mpirun --oversubscribe -n 1 --wdir "$tmp/$2" "$bin" $4 : -n 1 --wdir "$tmp/$3" "$bin" $5 >out 2>&1
    code=$?
    [ $code = 2 ] && [ "$(grep -c '^winnow: ' out)" = 1 ] && grep -q "^winnow: .*$1" out && [ ! -e run/stages ] ||
        { cat out; echo "exit code $code, expected 2, before any work: $1"; exit 1; }
}
to="in -o $tmp/run"
mixed 'sets of 01-rules is .*c4.* here and .*gopher' . . "rules $to --sets gopher" "rules $to --sets c4"
mixed 'seed of the run is 1 here and 0' . . "rules $to" "rules $to --seed 1"
mixed 'text-key of the run' . . "rules $to" "rules $to --text-key a"
mixed 'stages of the run' . . "rules $to" "mask $to"
mixed 'input of the run' . . "rules $to" "rules large.jsonl -o run"
mixed 'help is for one process' . . "rules $to" --help
mixed 'version is for one process' . . --version "rules $to"
mixed 'help is for one process' . . "rules $to" 'rules --help'
for node in 1 2; do # two machines that have other files under the same names
    mkdir -p node$node/in node$node/bl/ads
    echo "list$node.com" >node$node/bl/ads/domains
    sed "s/\"id\":\"d/\"id\":\"$node/" in/a.jsonl >node$node/in/a.jsonl
    touch -d 2020-01-01 node$node/in/a.jsonl
done
mixed 'blocklist names has other content here.*lists bl' node1 node2 "blocklist --lists bl $to" "blocklist --lists bl $to"
mixed 'a.jsonl has another content here' node1 node2 "rules $to" "rules $to"
mixed 'working folder of the run' node1 node2 'rules in -o run' 'rules in -o run'
echo "what differs between ranks is named, and refused"
rm -rf run
refused 2 'count is for one process, and 3 were started' 3 count in
refused 2 'standard input can be read once' 2 rules - -o run
mkfifo fifo.jsonl
refused 2 'fifo.jsonl can be read once' 2 rules fifo.jsonl -o run
refused 2 'not to standard output' 2 rules in -o -
refused 2 'dry-run is for one process' 2 run --dry-run recipe.yaml
refused 1 'No such file' 2 rules missing.jsonl -o run
[ -e run ] && { echo "refused, and yet something is there"; exit 1; }
refused 3 'not JSON' 3 rules --on-bad stop in -o run
echo "refusals and failures: one sentence, one exit code"
