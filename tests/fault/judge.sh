#!/bin/sh
# `quality judge` against a server on loopback: what is asked and written, that nothing is asked
# twice, that kill -9 changes no byte, and that a rater learns from what came out.
#   tests/fault/judge.sh WINNOW MOCK_SERVER [KILLS]
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
mock=$(readlink -f "$2") && [ -x "$mock" ] || { echo "no program: $2"; exit 1; }
kills=${3:-3}
tmp=$(mktemp -d)
. "$(dirname "$(readlink -f "$0")")/../support/mock_server.sh"
trap '[ -n "$server" ] && kill $server 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

fail() { echo "$*"; exit 1; }
judge() { "$bin" quality judge --url "$url" --concurrency 3 "$@"; }
asked() { grep -c . log; }

# Fine pages and poor ones; the expert knows them by a word, whichever side they are on.
seq 20 | sed 's/.*/{"id": "f&", "text": "a fine page & with whole sentences of bees"}/' >in.jsonl
seq 20 | sed 's/.*/{"id": "p&", "text": "a poor page & buy cheap menus click here"}/' >>in.jsonl
cat >rules <<'J'
{"times": 1, "status": 503, "header": "Retry-After: 0"}
{"times": 1, "hang_up": true}
{"match": "The first page:\\n[doc]\\na fine page 7 ", "answer": "I cannot tell."}
{"match": "The second page:\\n[doc]\\na fine page 7 ", "answer": "I cannot tell."}
{"match": "a fine page", "answer": "One explains.\n**Better: FIRST**", "times": 0}
J
# A rule sees a whole body; which side is which it sees by what follows a heading.
for n in $(seq 20); do
    printf '{"match": "The second page:\\\\n[doc]\\\\na fine page %s ", "answer": "Hm.\\nBetter: SECOND"}\n' "$n"
done >>rules
cat >>rules <<'J'
{"match": "a fine page", "answer": "One explains.\n**Better: FIRST**"}
{"answer": "Both are poor.\nBetter: same."}
J
start rules
judge -q in.jsonl --pairs 60 -o out || fail "it failed"
[ "$(grep -c . out/answers.jsonl)" = 60 ] || fail "not 60 answers"
# Round 1 uses every page once: 20 pairs.
[ "$(head -n 20 out/pairs.jsonl | grep -c '"f7"')" = 0 ] || fail "a judgement that could not be read"
grep '"a": "p[0-9]*", "b": "f' out/pairs.jsonl | grep -qv '"better": "b"' && fail "a poor page was better"
grep '"a": "f[0-9]*", "b": "p' out/pairs.jsonl | grep -qv '"better": "a"' && fail "a fine page was worse"
grep '"a": "p[0-9]*", "b": "p' out/pairs.jsonl | grep -qv '"better": "same"' && fail "not the same"
grep -q '"unread": [1-9]' out/judge.json || fail "what could not be read was not counted"
# Which side is asked about first is chance.
[ "$(grep -c 'Better: SECOND' out/answers.jsonl)" -gt 5 ] || fail "nothing was second"
kill "$server"; wait "$server" 2>/dev/null; server=
cp -r out whole
judge -q in.jsonl --pairs 60 -o out || fail "it cannot finish without a server what is answered"
diff -r whole out || fail "the second time the bytes are others"
cat in.jsonl | judge -q - --pairs 60 -o piped 2>/dev/null && fail "it asked nobody"
judge -q in.jsonl --pairs 50 -o out 2>err && fail "it went on with fewer judgements"
grep -q 'answers to more than is asked now' err || { cat err; exit 1; }
judge -q in.jsonl --pairs 60 --answer-tokens 9 -o out 2>err && fail "other questions took old answers"
judge -q in.jsonl --pairs 60 --memory 10 -o tight 2>err && fail "it did without memory"
grep -q 'quality judge' err || { cat err; exit 1; }
head -n 1 in.jsonl | judge -q - --pairs 6 -o one 2>err && fail "it compared one page"
grep -q 'there are 1 pages with text: it takes two to compare' err || { cat err; exit 1; }
start rules
cat in.jsonl | judge -q - --pairs 60 -o piped || fail "a pipe failed"
cmp out/pairs.jsonl piped/pairs.jsonl || fail "a pipe gives other judgements"
judge -q in.jsonl --pairs 60 --model other -o out 2>err || fail "no server was needed"
head -n 30 whole/answers.jsonl >out/answers.jsonl
judge -q in.jsonl --pairs 60 --model other -o out 2>err && fail "it went on with another model"
grep -q "the answers there are of the model 'mock', not of 'other'" err || { cat err; exit 1; }
printf 'torn' >>out/answers.jsonl # what a kill in a write leaves
judge -q in.jsonl --pairs 60 -o out || fail "it did not go on"
diff -r whole out || fail "going on gave other bytes"

# In both orders an expert that prefers a side says nothing.
echo '{"answer": "Better: FIRST"}' >biased
start biased
judge -q in.jsonl --pairs 9 --both-orders -o both || fail "both orders failed"
[ "$(grep -c '"better": "same"' both/pairs.jsonl)" = 9 ] || fail "it believed who prefers a side"
grep -q '"split": 9' both/judge.json || fail "differing answers were not counted"
grep -q '"answers_for_the_first": 18' both/judge.json || fail "the preference was not counted"

# What came out teaches: fine pages that were not judged are rated above poor ones.
"$bin" quality train -q --bucket 1000 --min-count 1 --holdout 0 --pairs out/pairs.jsonl in.jsonl -o rater.bin >/dev/null ||
    fail "no rater"
printf '{"id": "x", "text": "whole sentences of bees"}\n{"id": "y", "text": "cheap menus click"}\n' >new.jsonl
"$bin" quality -q --model rater.bin --min 0.5 new.jsonl -o scored || fail "the rater does not rate"
[ "$(grep -o '"id": *"[a-z]*"' scored/documents/new.jsonl)" = '"id": "x"' ] || fail "the rater rates otherwise"

# Kills.
sed 's/}$/, "delay": 0.01}/' rules >slow
start slow
judge -q in.jsonl --pairs 200 -o want || fail "the slow server failed"
done=0 round=0
while [ $done -lt "$kills" ]; do
    round=$((round + 1))
    [ $round -gt $((kills * 6)) ] && fail "only $done kills met it"
    start slow
    "$bin" quality judge --url "$url" --concurrency 3 -q in.jsonl --pairs 200 -o got &
    pid=$!
    sleep "0.$((round * 17 % 60 + 20))"
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    if [ $? = 137 ]; then
        done=$((done + 1))
        have=$(cat got/answers.jsonl 2>/dev/null | grep -c .)
        start slow
        judge -q in.jsonl --pairs 200 -o got || fail "it did not go on after a kill"
        [ "$(asked)" -le $((200 + 2 - have + 1)) ] || fail "$(asked) questions, $have were answered"
    fi
    diff -r want got || fail "after $done kills the bytes are others"
    rm -rf got
done
echo "judge: $done kills, every byte the same"
