#!/bin/sh
# What is not a regular file is written to, never replaced; a link's target is replaced and
# the link stays; folders and links to nothing are refused.  File systems without locks or
# links: a sentence at the start, a copy.   tests/fault/outputs.sh WINNOW [LIBFAIL]
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
lib=${2:+$(readlink -f "$2")}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail() { echo "$*"; exit 1; }
seq 60 | sed 's/.*/{"id":"d&","text":"some words & of a text"}/' >in.jsonl
train() { "$bin" tokenizer train -q --vocab 260 in.jsonl -o "$1"; }
train plain.json || fail "train"

# Links, there and dangling, in other folders.
mkdir there; echo old >there/t.json; ln -s there/t.json link.json
train link.json || fail "a link is not taken"
[ -L link.json ] && cmp plain.json there/t.json || fail "not the link's target was written"
ln -s nothing dangling.json
train dangling.json 2>err && fail "a link to nothing was taken"
grep -q 'dangling.json is a link to nothing' err || { cat err; exit 1; }
[ -L dangling.json ] || fail "the link was replaced"
train there 2>err && fail "a folder was replaced by a file"
# Documents in the place of the output, however their file begins, are not written over.
kept() { # NAME < its content
    cat >victim.jsonl; cp victim.jsonl want
    train victim.jsonl 2>err && fail "$1 was written over"
    grep -q 'holds documents' err && cmp want victim.jsonl || { cat err; fail "$1: other words or bytes"; }
}
{ printf '\357\273\277'; cat in.jsonl; } | kept "a corpus behind a byte order mark"
{ printf '\n \n'; cat in.jsonl; } | kept "a corpus behind empty lines"
{ echo '# exported'; cat in.jsonl; } | kept "a corpus behind a comment"
{ echo '['; sed 's/$/,/' in.jsonl; echo ']'; } | kept "an array of documents"
printf '[\n  {\n    "name": "a"\n  }\n]\n' | kept "an array, indented"
sed 's/"text"/"body"/' in.jsonl | kept "a corpus with another key"
printf 'PAR1....PAR1' | kept "a Parquet file"
printf '\120\052\115\030\004\000\000\000abcd\050\265\057\375' | kept "a zst file with a frame to be skipped"
printf 'WARC/1.0\r\nWARC-Type: warcinfo\r\n\r\n' | kept "a WARC file"
# A pipe.
mkfifo pipe; cat pipe >got & train pipe || fail "a pipe is not taken"
wait; [ -p pipe ] && cmp plain.json got || fail "the pipe was replaced or got other bytes"
train /dev/stdout >got || fail "/dev/stdout is not taken"
cmp plain.json got || fail "/dev/stdout got other bytes"
[ -L /dev/stdout ] || fail "/dev/stdout was replaced"
train /dev/stdout | cmp plain.json - || fail "/dev/stdout as a pipe got other bytes"
# Token files, whose headers are written last.
model="-t plain.json --no-separate"
# shellcheck disable=SC2086  # words
ids() { "$bin" tokenizer encode -q $model in.jsonl --format "$1" -o "$2"; }
for format in npy llmc jsonl; do
    ids $format "ids.$format" || fail "$format"
    cat pipe >got & ids $format pipe || fail "$format: a pipe is not taken"
    wait; [ -p pipe ] && cmp "ids.$format" got || fail "$format: the pipe was replaced or got other bytes"
    ids $format /dev/stdout | cmp "ids.$format" - || fail "$format: /dev/stdout got other bytes"
done
ids megatron pipe 2>err && fail "two files went into one pipe"
grep -q 'pipe is no regular file' err || { cat err; exit 1; }
# A device, in a /dev of its own.
if unshare -m true 2>/dev/null; then
    unshare -m sh -c "mount -t tmpfs t /mnt && mknod -m 666 /mnt/null c 1 3 && mknod -m 666 /mnt/urandom c 1 9 &&
        mount --move /mnt /dev && mount -o remount,ro /dev && $bin tokenizer train -q --vocab 260 in.jsonl -o /dev/null &&
        for f in npy llmc jsonl; do $bin tokenizer encode -q $model in.jsonl --format \$f -o /dev/null || exit 1; done &&
        test -c /dev/null && ! ls /dev/*.tmp" 2>err || { cat err; fail "/dev/null was replaced"; }
fi
ls ./*.tmp there/*.tmp 2>/dev/null && fail "left behind"

[ -n "$lib" ] || { echo "outputs: ok, without the failing file system"; exit 0; }
under() { LD_PRELOAD=$lib WINNOW_FAIL_UNDER=$tmp WINNOW_FAIL_KIND=$1 "$bin" dedup -q in.jsonl -o "$2"; }
"$bin" dedup -q in.jsonl -o whole || fail "dedup"
under linkat copied || fail "no copy where there are no links"
diff -r whole/documents copied/documents || fail "the copy has other bytes"
[ "$(stat -c %h copied/documents/in.jsonl)" = 1 ] || fail "it was linked after all"
under flock locked 2>err && fail "it runs without a lock"
grep -q 'the file system there has no locks' err || { cat err; fail "says nothing of locks"; }
[ ! -e locked/documents ] || fail "it ran before it said so"
echo "outputs: ok"
