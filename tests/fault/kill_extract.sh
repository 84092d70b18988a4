#!/bin/sh
# extract, killed at any moment and started again, leaves the same bytes as when
# it was not, over files and WARC records, for one and two threads: $2 kills
# (default 10).  All files are compared but those that hold times.
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
kills=${2:-10}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
mkdir -p in/a in/b
awk 'BEGIN {
    srand(5)
    for (i = 0; i < 600; i++) {
        f = sprintf("in/%s/%04d.html", i % 2 ? "a" : "b", i)
        printf "<title>Page %d</title><script>var x = %d</script>", i, i >f
        for (p = 0; p < 150; p++) {
            printf "<p>" >f
            for (w = 0; w < 12; w++) printf "word%d <b>x</b> ", rand() * 5000 >f
        }
        close(f)
    }
    for (i = 0; i < 150; i++) {
        body = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
        for (p = 0; p < 800; p++) body = body "<li>entry " int(rand() * 100000)
        printf "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:%d>\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", i, length(body), body >"in/crawl.warc"
    }
}'
gzip -n in/crawl.warc
cat >recipe.yaml <<'Y'
winnow: 1
input: [in]
output: run
checkpoint: 0
stages:
  - extract: {shard-size: 500k}
  - dedup:
Y
prints() { (cd "$1" && find . -type f ! -name timings.json ! -name input.json ! -name .lock ! -name report.html | sort | xargs md5sum); }
start=$(date +%s%N)
"$bin" run -q --threads 1 recipe.yaml >/dev/null || exit 1
whole=$((($(date +%s%N) - start) / 1000000))
prints run >want
grep -q '/documents/00002.jsonl.zst' want || { echo "too few shards for a test"; exit 1; }
rm -rf run
"$bin" run -q --threads 2 recipe.yaml >/dev/null || exit 1
prints run >got
diff want got || { echo "two threads wrote other bytes than one"; exit 1; }
rm -rf run
done=0; round=0; resumed=0
while [ $done -lt "$kills" ]; do
    round=$((round + 1))
    t=$(awk -v seed=$round -v whole=$whole 'BEGIN { srand(seed * 104729); printf "%.3f", rand() * whole / 1000 }')
    # Not timeout(1): it dies by its own SIGKILL, and the run's lock may outlive it.
    "$bin" run -q --threads $((1 + round % 2)) recipe.yaml >/dev/null 2>err &
    pid=$!
    sleep "$t"
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    code=$?
    if [ $code = 137 ]; then
        done=$((done + 1))
        [ -n "$(ls run/stages/*/progress-*.json 2>/dev/null)" ] && resumed=$((resumed + 1))
        [ $((done % 3)) = 0 ] || continue # up to three kills on one run
        "$bin" run -q recipe.yaml >/dev/null || exit 1
    elif [ $code != 0 ]; then
        echo "the run failed with $code:"; cat err; "$bin" run recipe.yaml; exit 1
    fi
    prints run >got
    diff want got || { echo "after $done kills the bytes are others"; exit 1; }
    rm -rf run
    [ $round -gt $((kills * 6)) ] && { echo "only $done kills met the run"; exit 1; }
done
"$bin" run -q recipe.yaml >/dev/null || exit 1
prints run >got
diff want got || { echo "after the last kill the bytes are others"; exit 1; }
echo "$done kills, $resumed of them behind a checkpoint: the same bytes ($whole ms uninterrupted)"
