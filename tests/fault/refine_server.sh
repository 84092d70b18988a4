#!/bin/sh
# `refine --engine http` against a server on loopback: programs, refusals, a server
# that goes away in the middle, and another that takes over.
#   tests/fault/refine_server.sh WINNOW MOCK_SERVER
set -u
bin=$(readlink -f "$1") && mock=$(readlink -f "$2") || exit 1
[ -x "$bin" ] && [ -x "$mock" ] || { echo "no program: $1 or $2"; exit 1; }
tmp=$(mktemp -d)
. "$(dirname "$(readlink -f "$0")")/../support/mock_server.sh"
trap '[ -n "$server" ] && kill $server 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail() { echo "$*"; exit 1; }
refine() { "$bin" refine -q --engine http --url "$url" "$@"; }

seq 30 | sed 's/.*/{"id": "d&", "text": "Menu\\nPage & has words.\\n(c) &"}/' >in.jsonl
cat >rules <<'J'
{"times": 1, "status": 503}
{"match": "Page 7 has", "status": 400, "body": "{\"error\":{\"message\":\"longer than the context\"}}"}
{"match": "Page 9 has", "answer": "keep_chunk()\nremove_lines(line_start=0, ", "finish": "length"}
{"match": "Page 2", "answer": "remove_lines(line_start=0, line_end=0)\nremove_lines(line_start=9, line_end=9)\n"}
{"answer": "remove_lines(line_start=0, line_end=0)\nremove_lines(line_start=2, line_end=2)\n"}
J
start rules
refine in.jsonl -o whole || fail "it failed"
text() { zstd -dcq "$1"/documents/*.zst 2>/dev/null || cat "$1"/documents/*.jsonl; }
[ "$(text whole | grep -c .)" = 30 ] || fail "not 30 documents"
text whole | grep -q '{"id": "d1", "text": "Page 1 has words."}' || fail "d1 was not refined"
text whole | grep -q '{"id": "d2", "text": "Page 2 has words.\\n(c) 2"}' || fail "d2 was not refined"
text whole | grep -q '{"id": "d7", "text": "Menu' || fail "the refused d7 was not kept"
text whole | grep -q '{"id": "d9", "text": "Menu' || fail "the cut d9 was not kept"
"$bin" verify whole >/dev/null 2>&1 || fail "verify"
grep -q '"id":"d7".*"end": "refused", "reason": "longer than the context"' \
    whole/stages/*/state/programs.jsonl || fail "d7 has no reason"
"$bin" explain whole d20 | grep -q 'rejected' || fail "the call outside of d20 has no reason"

# The server goes in the middle; another place, more patience, fewer at once go on.
(echo '{"match": "Page 20", "status": 500, "body": "{}"}'; cat rules) >fails
start fails
refine in.jsonl --retries 0 --concurrency 1 -o got 2>err && fail "it did not fail"
refine in.jsonl --retries 1 --concurrency 1 -o got 2>err && fail "it did not fail"
grep -q '/v1/completions: the server says 500' err || { cat err; exit 1; }
kept=$(grep -c . got/stages/*/state/programs.jsonl)
[ "$kept" -ge 10 ] || fail "only $kept programs were kept"
start rules
refine in.jsonl --concurrency 2 -o got || fail "it did not go on"
asked=$(grep -c . log)
[ "$asked" -le $((31 - kept)) ] || fail "$asked questions with $kept of 30 answered"
for f in documents state/programs.jsonl ledger; do
    diff -r whole/stages/*refine/$f got/stages/*refine/$f || fail "going on gave other bytes"
done

# Another model does not go on with these programs; nor is an address needed for what is done.
start fails
rm -rf got; refine in.jsonl --retries 1 --concurrency 1 -o got 2>err && fail "it did not fail"
rm got/stages/*/state/programs.jsonl.* 2>/dev/null
start rules
printf other >"$(echo got/stages/*/state/server-model)"
refine in.jsonl -o got 2>err && fail "it mixed two models"
grep -q "are of the model 'other', not of 'mock'" err || { cat err; exit 1; }
kill "$server"; wait "$server" 2>/dev/null; server=
refine in.jsonl -o whole || fail "what is done needs the server again"

"$bin" refine in.jsonl --engine http -o x 2>err && fail "it works without an address"
grep -q -e '--engine http needs --url' err || { cat err; exit 1; }
"$bin" refine in.jsonl --engine http --url http://h --programs p -o x 2>err && fail "programs and a server"
"$bin" refine in.jsonl --engine http --url http://h --refiner builtin -o x 2>err && fail "builtin and a server"
echo "refine over http: ok"
