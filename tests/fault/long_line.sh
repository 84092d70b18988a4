#!/bin/sh
# A line of 200 MB is set aside, with its place and length, by a process that may
# not have 200 MB; the lines around it are read.
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
{
    printf '{"id":"a","text":"before"}\n{"id":"b","text":"'
    head -c 200000000 /dev/zero | tr '\0' x
    printf '"}\n{"id":"c","text":"after"}\n'
} >in.jsonl
zstd -q in.jsonl
fail() { echo "$1"; cat out err; exit 1; }
for f in in.jsonl in.jsonl.zst; do
    (ulimit -v 190000; "$bin" count -q -t 1 --line-max 32M $f >out 2>err)
    [ $? = 3 ] || fail "$f: the exit code is not 3"
    grep -q '^winnow: 1 bad record, the first: .*, line 2: the line is 200000020 bytes long, the limit is 33554432$' err ||
        fail "$f: another sentence"
    grep -q "^total	2	" out || fail "$f: the other lines are not counted"
done
"$bin" dedup -q -t 1 in.jsonl.zst -o run || exit 1
zstd -dcq run/documents/in.jsonl.zst | cut -c1-40 >out
printf '{"id":"a","text":"before"}\n{"id":"c","text":"after"}\n' | cmp - out || fail "the run kept other lines"
zstd -dcq run/stages/01-dedup/bad/in.jsonl.zst | grep -q '"line": 2, "offset": 27, "bytes": 200000020' || fail "not in quarantine"
echo "200 MB line: set aside"
