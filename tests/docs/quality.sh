#!/bin/sh
# quality.sh PROGRAM: every command of docs/quality.md that trains runs, on a small corpus; the one that asks
# a server has tests of its own (fault/judge.sh).
set -eu
bin=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir wiki crawl corpus north south
"$here/../support/words.sh" 160 >corpus/c.jsonl
sed -n '1,60p' corpus/c.jsonl | sed 's/ w1 / fine /g' >wiki/c.jsonl
sed -n '61,120p' corpus/c.jsonl >crawl/c.jsonl
awk '{ sub(/}$/, ",\"label\":" (NR % 2 ? "true" : "false") ",\"good\":" (NR % 2 ? "true" : "false") "}"); print }' corpus/c.jsonl >labelled.jsonl
sed -n '1,80p' labelled.jsonl >north/c.jsonl; sed -n '81,160p' labelled.jsonl >south/c.jsonl
awk 'BEGIN { for (i = 0; i < 80; i++) printf "{\"a\": \"d%d\", \"b\": \"d%d\", \"better\": \"%s\"}\n", i, i + 80, i % 3 ? "a" : "b" }' >pairs.jsonl
winnow() {
    command=$1; shift
    if [ "$command $1" = 'quality train' ]; then
        shift
        "$bin" quality train -q --dim 4 --bucket 1000 --min-count 1 "$@"
    else
        "$bin" "$command" -q "$@"
    fi
}
grep '^    winnow ' "$here/../../docs/quality.md" | grep -v -- '--url' >commands
[ "$(wc -l <commands)" -ge 6 ]
while read -r line; do
    case $line in *--pairs*) cp pairs.jsonl judged.jsonl ;; *) cp labelled.jsonl judged.jsonl ;; esac
    eval "$line" >out 2>&1 || { echo "fails: $line"; cat out; exit 1; }
done <commands
[ -s common.bin ] && [ -s rater.bin ] && [ -s hq.bin ]
grep -q crossed_bytes silos.json
echo "docs/quality.md: $(wc -l <commands) commands run"
