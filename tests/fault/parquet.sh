#!/bin/sh
# Parquet that is killed, cut, corrupted or a lie: a run that is killed and started again leaves
# the bytes of one that was not, whatever the threads; what is broken is said in a sentence,
# counted, and exit code 3.  Needs no other reader: the files are winnow's own.
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
kills=${2:-6}
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
"$here/make_corpus.sh" lines 20000
"$bin" dedup -q --unit document lines -o made --output-format parquet >/dev/null 2>&1 || exit 1
mkdir in && cp -r made/stages/01-dedup/documents/. in
[ -f in/sub/b.parquet ] || { echo "no in/sub/b.parquet"; exit 1; }
cat >r.yaml <<'Y'
winnow: 1
input: [in]
output: run
checkpoint: 0
stages:
  - rules: {filter: false}
  - dedup: {spaces: true, fold-case: true}
  - mix: {tokens: 1M, upsample: n, by: none, shard-size: 200k}
  - dedup:
Y
prints() { (cd "$1" && find . -type f ! -name timings.json ! -name input.json ! -name .lock ! -name 'report*' | sort | xargs md5sum); }
same() { prints run >got; diff want got || { echo "$1"; exit 1; }; }
start=$(date +%s%N)
"$bin" run -q --threads 1 r.yaml >/dev/null || exit 1
whole=$((($(date +%s%N) - start) / 1000000))
prints run >want
grep -q 'documents/.*\.parquet' want || { echo "no Parquet was written"; exit 1; }
grep -q 'jsonl' want && { echo "JSON lines among Parquet"; exit 1; }
"$bin" verify -q run >/dev/null || exit 1
rm -rf run
"$bin" run -q --threads 3 r.yaml >/dev/null || exit 1
same "three threads wrote other bytes than one"
rm -rf run
done=0; round=0
while [ $done -lt "$kills" ]; do
    round=$((round + 1))
    [ $round -gt $((kills * 8)) ] && { echo "only $done kills met the run"; exit 1; }
    t=$(awk -v seed=$round -v whole=$whole 'BEGIN { srand(seed * 7919); printf "%.3f", rand() * whole / 1000 }')
    "$bin" run -q --threads $((1 + round % 2)) r.yaml >/dev/null 2>err &
    pid=$!
    sleep "$t"
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    code=$?
    [ $code = 137 ] || [ $code = 0 ] || { echo "the run failed with $code:"; cat err; exit 1; }
    [ $code = 137 ] && done=$((done + 1))
    [ $code = 137 ] && [ $((done % 3)) != 0 ] && continue # several kills on one run
    "$bin" run -q r.yaml >/dev/null || exit 1
    same "after $done kills the bytes are others"
    find run -name '*.tmp' -o -name 'progress-*' | grep . && { echo "left behind"; exit 1; }
    rm -rf run
done

# broken NAME SENTENCE: told, and exit code 3, by itself and beside others
mkdir good && cp in/a.parquet good
broken() {
    "$bin" count -q "$1" >out 2>err; code=$?
    [ $code = 3 ] && grep -q "$2" err || { echo "$1: exit $code, not \"$2\" in:"; cat err; exit 1; }
    cp "$1" good/z.parquet
    "$bin" dedup -q good -o both >/dev/null 2>err; code=$?
    [ $code = 3 ] && grep -q "$2" err && [ -f both/documents/a.parquet ] || { echo "$1 beside another: exit $code"; cat err; exit 1; }
    rm -rf both good/z.parquet
}
size=$(wc -c <in/a.parquet)
head -c $((size - 1)) in/a.parquet >cut.parquet;      broken cut.parquet "no footer, and without one nothing"
head -c 9 in/a.parquet >short.parquet;                broken short.parquet "breaks off: it has 9 bytes"
(head -c $((size - 8)) in/a.parquet; printf '\377\377\377\177PAR1') >lie.parquet
broken lie.parquet "the Parquet footer is corrupt: it says that it has 2147483647 bytes"
(head -c 2000 in/a.parquet; printf '\252\125\252\125'; tail -c +2005 in/a.parquet) >bits.parquet
broken bits.parquet "row group 1, column .id.: the page at byte 4 of the file has a wrong checksum"
(head -c $((size - 8)) in/a.parquet; printf 'xxxxPARE') >sealed.parquet; broken sealed.parquet "is encrypted"
printf '{"id":"a","text":"b"}\n' >named.parquet;      broken named.parquet "does not begin as a Parquet file does"
# 2^31 rows of which there are a few: the footer's row count, in the group and in the file
python3 - in/a.parquet rows.parquet <<'P' || exit 1
import sys
def varint(v):
    out = b""
    while v >= 128: out += bytes([v & 127 | 128]); v >>= 7
    return out + bytes([v])
data = open(sys.argv[1], "rb").read()
n = int.from_bytes(data[-8:-4], "little")
foot, body = data[-8 - n:-8], data[:-8 - n]
# struct field 3 of the row group: header 0x16, zigzag rows, then field 5 (0x26)
import re
at = [m.start() for m in re.finditer(rb"\x16[\x80-\xff]{1,3}[\x00-\x7f]\x26", foot)]
assert at, "no row count found"
for a in reversed(at):
    end = foot.index(b"\x26", a + 2)
    foot = foot[:a + 1] + varint(2 * 2**31) + foot[end:]
open(sys.argv[2], "wb").write(body + foot + len(foot).to_bytes(4, "little") + b"PAR1")
P
broken rows.parquet "it ends behind row [0-9]* of the 2147483648 that the group says it has"
mkfifo pipe; cat in/a.parquet >pipe & "$bin" count -q pipe >out 2>err; code=$?
[ $code = 3 ] && grep -q "cannot be read from a pipe" err || { echo "a pipe: exit $code"; cat err; exit 1; }
wait
echo "$done kills, 8 broken files, a pipe: the same bytes, or a sentence"
