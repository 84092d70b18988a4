#!/bin/sh
# parquet.sh PROGRAM: every command of docs/parquet.md runs, on a small data set.
set -eu
bin=$(readlink -f "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
awk 'BEGIN { for (i = 0; i < 60; i++) {
    printf "{\"id\":\"d%d\",\"n\":%d,\"text\":\"", i, i
    for (k = 0; k < 12; k++)
        printf "The %d boats that lay in the harbour of town %d have been there with the people.%s", k * i, i + k, "\\n"
    print "Home | About\\n\"}" } }' >corpus.jsonl
"$bin" dedup -q corpus.jsonl -o made --output-format parquet
mkdir data
mv made/documents/corpus.parquet data/train.parquet
winnow() { command=$1; shift; "$bin" "$command" -q "$@"; }
grep '^    winnow ' "$root/docs/parquet.md" >commands
[ "$(wc -l <commands)" -ge 7 ]
while read -r line; do
    eval "$line" >out 2>&1 || { echo "fails: $line"; cat out; exit 1; }
done <commands
head -c 4 runs/clean/documents/train.parquet | grep -q PAR1
[ -s runs/b/documents/train.jsonl.zst ]
head -c 1 out | grep -q '{'
echo "docs/parquet.md: $(wc -l <commands) commands run"
