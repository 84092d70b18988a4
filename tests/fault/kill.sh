#!/bin/sh
# A run that is killed at any moment and started again leaves the same bytes as
# one that was not: $2 kills (default 20), one and two threads in turn, half of
# them over documents, half over pages.
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
kills=${2:-20}
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
"$here/make_corpus.sh" in 30000
# items of six words that stand somewhere in it
sed -n 's/.*"text":" \([a-z ]*\) [0-9]*".*/{"question":"\1"}/p' in/a.jsonl | awk 'NR % 97 == 1' | cut -d " " -f 1-9 | sed 's/$/"}/' | head -n 30 >bench.jsonl
mkdir -p pages/a pages/b
for i in $(seq 400); do # pages of 10 kB, some alike, some empty
    d=a; [ $((i % 3)) = 0 ] && d=b
    awk -v i="$i" 'BEGIN { srand(i % 90); print "<html><head><title>" i "</title></head><body>"
        for (k = 0; i % 50 && k < 150; k++) printf "<p>line %d of the page %d, all of it in words</p>\n", rand() * 1000, i % 90
        print "</body></html>" }' >"pages/$d/$i.html"
done
cat >documents.yaml <<'Y'
winnow: 1
input: [in]
output: run
checkpoint: 0
stages:
  - dedup:
  - dedup: {spaces: true, fold-case: true}
  - decontaminate: {benchmark: [bench.jsonl], rule: gpt3, n: 6, action: cut, margin: 20, left-min: 40}
  - mix: {tokens: 1M, upsample: n, by: none, shard-size: 200k, validation: 5%}
  - dedup:
Y
cat >pages.yaml <<'Y'
winnow: 1
input: [pages]
output: run
checkpoint: 0
stages:
  - extract: {shard-size: 500k}
  - rules: {filter: false}
  - dedup:
Y
# All files but those that may differ: times, the times of the input, the report (it shows times).
prints() { (cd "$1" && find . -type f ! -name timings.json ! -name input.json ! -name .lock ! -name 'report*' | sort | xargs md5sum); }

same() { prints run >got; diff want got || { echo "$1"; exit 1; }; }

# campaign RECIPE KILLS
campaign() {
    start=$(date +%s%N)
    "$bin" run -q --threads 1 "$1" >/dev/null || exit 1
    whole=$((($(date +%s%N) - start) / 1000000))
    prints run >want
    rm -rf whole; mv run whole
    "$bin" run -q --threads 2 "$1" >/dev/null || exit 1
    same "two threads wrote other bytes than one"
    rm -rf run
    done=0; round=0; resumed=0
    while [ $done -lt "$2" ]; do
        round=$((round + 1))
        [ $round -gt $(($2 * 6)) ] && { echo "only $done kills met the run"; exit 1; }
        t=$(awk -v seed=$round -v whole=$whole 'BEGIN { srand(seed * 7919); printf "%.3f", rand() * whole / 1000 }')
        # Not timeout(1): it dies by its own SIGKILL, and the run's lock may outlive it.
        "$bin" run -q --threads $((1 + round % 2)) "$1" >/dev/null 2>err &
        pid=$!
        sleep "$t"
        kill -KILL $pid 2>/dev/null
        wait $pid 2>/dev/null
        code=$?
        if [ $code = 137 ]; then
            done=$((done + 1))
            [ -n "$(ls run/stages/*/progress-*.json 2>/dev/null)" ] && resumed=$((resumed + 1))
            # shellcheck disable=SC2044  # the names are ours
            for f in $(find run -name '*.jsonl*' -path '*/documents/*' ! -name '*.tmp' 2>/dev/null); do
                cmp -s "$f" "whole/${f#run/}" || { echo "$f has its final name, but not its final bytes"; exit 1; }
            done
            [ $((done % 4)) = 0 ] || continue # several kills on one run, then let it end
            "$bin" run -q "$1" >/dev/null || exit 1
        elif [ $code != 0 ]; then
            echo "the run failed with $code:"; cat err; "$bin" run "$1"; exit 1
        fi
        same "after $done kills the bytes are others"
        rm -rf run
    done
    "$bin" run -q "$1" >/dev/null || exit 1
    same "after the last kill the bytes are others"
    find run -name '*.tmp' -o -name 'progress-*' | grep . && { echo "left behind"; exit 1; }
    rm -rf run
    echo "$1: $done kills, $resumed of them behind a checkpoint: the same bytes ($whole ms uninterrupted)"
}

campaign documents.yaml $((kills - kills / 2))
campaign pages.yaml $((kills / 2))
