#!/bin/sh
# Writes a small corpus of words into the folder $1: three shards (plain, zst,
# gz) of about $2 documents together, a tenth of them repeated, some lines bad.
set -eu
mkdir -p "$1/sub"
awk -v n="$2" 'BEGIN {
    srand(7)
    split("the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one", w, " ")
    for (i = 0; i < n; i++) {
        if (i % 997 == 5) { print "{\"id\": \"torn"; continue }
        if (i % 10 != 3 || i < 20) { text = ""; for (k = 0; k < 20 + i % 60; k++) text = text " " w[1 + int(rand() * 30)] }
        printf "{\"id\":\"d%d\",\"text\":\"%s %d\",\"n\":%d}\n", i, text, i % 10 == 3 ? i - i % 50 : i, i
    }
}' >"$1/all"
third=$((($2 + 2) / 3))
split -l "$third" "$1/all" "$1/part-"
mv "$1/part-aa" "$1/a.jsonl"
zstd -q -c "$1/part-ab" >"$1/sub/b.jsonl.zst"
gzip -c "$1/part-ac" >"$1/c.jsonl.gz"
rm -f "$1/all" "$1"/part-*
