#!/bin/sh
# A refine stage over a server (the mock, which answers slowly and fails now and then)
# that is killed goes on where it stood: the same bytes, and what was stored is not
# asked for again.
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
mock=$(readlink -f "$2") && [ -x "$mock" ] || { echo "no program: $2"; exit 1; }
tmp=$(mktemp -d)
. "$(dirname "$(readlink -f "$0")")/../support/mock_server.sh"
trap '[ -n "$server" ] && kill "$server" 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
documents=300
awk -v n=$documents 'BEGIN { for (i = 0; i < n; i++)
    printf "{\"id\": \"d%d\", \"text\": \"menu %d\\nthe text of page %d\\nfooter\"}\n", i, i, i }' >in.jsonl
cat >rules <<'R'
{"match": "menu 7", "times": 2, "status": 503, "header": "Retry-After: 0"}
{"match": "page 1", "delay": 0.1, "answer": "remove_lines(line_start=0, line_end=0)\nremove_lines(2, 2)"}
{"delay": 0.1, "answer": "keep_chunk()"}
R
go() { "$bin" refine -q --engine http --url "$url" --concurrency 4 in.jsonl -o "$1"; }

start rules
go whole || exit 1
for f in documents/in.jsonl stages/01-refine/state/programs.jsonl stages/01-refine/refine.json; do [ -s "whole/$f" ] || { echo "no $f"; exit 1; }; done
grep -q '"edited": 111' whole/stages/01-refine/refine.json || { echo "not the pages that were to be edited"; exit 1; }
before=$(wc -l <log)
"$bin" refine -q --engine http --url "$url" --concurrency 4 in.jsonl -o run >/dev/null 2>&1 &
pid=$!
sleep 3.5
kill -KILL $pid 2>/dev/null
wait $pid 2>/dev/null
[ $? = 137 ] || { echo "the kill met no run"; exit 1; }
stored=$(sed -n 's/.*"documents":\([0-9]*\).*/\1/p' run/stages/01-refine/state/programs.jsonl.mark)
[ "${stored:-0}" -gt 0 ] || { echo "nothing was stored before the kill"; exit 1; }
middle=$(wc -l <log)
go run || exit 1
after=$(wc -l <log)
for f in documents/in.jsonl stages/01-refine/state/programs.jsonl stages/01-refine/refine.json stages/01-refine/ledger/in.jsonl; do
    cmp "whole/$f" "run/$f" || exit 1
done
[ $((after - middle)) -le $((documents - stored)) ] || {
    echo "$((after - middle)) questions for $((documents - stored)) documents that were left"; exit 1; }
echo "refine over http: $before questions at once; $stored documents stored before the kill, $((after - middle)) questions after it"
