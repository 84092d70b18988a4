#!/bin/sh
# `score --url` and `prune --url` over each kind of server give what `score --model` and
# `prune --reference-model` give for the same weights; a server that fails now and then changes
# nothing, one that refuses a document costs that document's score and is told, and a stage that
# is killed goes on without asking twice.
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
server_bin=$(readlink -f "$2") && [ -x "$server_bin" ] || { echo "no program: $2"; exit 1; }
tmp=$(mktemp -d)
server=
trap '[ -n "$server" ] && kill "$server" 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail() { echo "$*"; exit 1; }
serve() { # KIND [FAULTS]
    [ -n "$server" ] && { kill "$server"; wait "$server" 2>/dev/null; }
    rm -f port
    "$server_bin" model "$1" port log ${2-} &
    server=$!
    for _ in $(seq 200); do [ -s port ] && break; sleep 0.05; done
    url=http://127.0.0.1:$(cat port)
}
awk 'BEGIN { srand(5); split("the river of a stone and wind tree by night sea over light", w, " ")
    for (i = 0; i < 40; i++) { t = ""; n = 1 + int(rand() * (i % 5 == 0 ? 150 : 25))
        for (j = 0; j < n; j++) t = t w[1 + int(rand() * 13)] " "
        printf "{\"id\": \"d%d\", \"text\": \"%s\"}\n", i, t }
    print "{\"id\": \"none\", \"text\": \"\"}" }' >in.jsonl
"$bin" train -q --dim 32 --layers 1 --heads 2 --context 64 --vocab 300 --tokens 40k --epochs-max 1000 \
    --batch-tokens 512 in.jsonl -o model >/dev/null 2>err || fail "no model: $(cat err)"

# The numbers of two attribute files, of which one went through a server as decimals.
number='{ if (match($0, /winnow__nll":\[\[0,[0-9]+,[-0-9.e]+/)) { t = substr($0, RSTART, RLENGTH); sub(/.*,/, "", t); print t } else print "none" }'
near() {
    zcat -f "$1" | awk "$number" >a; zcat -f "$2" | awk "$number" >b
    [ "$(wc -l <a)" = 41 ] && [ "$(wc -l <b)" = 41 ] || fail "$2: other rows"
    paste -d ' ' a b | awk -v what="$2" '($1 == "none") != ($2 == "none") || $1 - $2 > 1e-6 || $2 - $1 > 1e-6 { print what ": " $0; bad = 1 } END { exit bad }' || exit 1
}
scores() { ls "$1"/stages/01-"$2"/attributes/nll/*; }

for how in "" "--fixed-length 16" "--window 20 --stride 7"; do
    rm -rf own
    "$bin" score -q --model model --window 63 $how in.jsonl -o own 2>err || fail "$(cat err)"
    for kind in vllm sglang llama.cpp openai; do
        serve $kind
        rm -rf served
        "$bin" score -q --url "$url" --server $kind --tokenizer model --window 63 $how in.jsonl -o served 2>err || fail "$(cat err)"
        near "$(scores own score)" "$(scores served score)"
        grep -q '"served_model": "served"' served/stages/01-score/stats.json || fail "the model is not named"
        [ -s log ] || fail "nothing was asked"
    done
done
"$bin" score -q --model model --window 63 --responses in.jsonl -o own-r || exit 1
serve vllm
"$bin" score -q --url "$url" --tokenizer model --window 63 --responses in.jsonl -o served-r || exit 1
near "$(scores own-r score)" "$(scores served-r score)"
"$bin" prune -q --reference-model model --window 63 in.jsonl -o own-p || exit 1
"$bin" prune -q --url "$url" --tokenizer model --window 63 in.jsonl -o served-p || exit 1
near "$(scores own-p prune)" "$(scores served-p prune)"
cmp own-p/documents/in.jsonl served-p/documents/in.jsonl || exit 1
grep -q 'the served model served' served-p/stages/01-prune/prune.json || fail "prune.json does not say who scored"

# Unless told, a window leaves the server room for the token that it generates.
"$bin" score -q --url "$url" --tokenizer model in.jsonl -o room || exit 1
[ "$(sort -n log | tail -1)" -le 65 ] || fail "a request of $(sort -n log | tail -1) tokens for a context of 65"

# A server that fails now and then, and refuses some.
"$bin" score -q --url "$url" --tokenizer model --window 63 in.jsonl -o whole || exit 1
serve vllm faults
"$bin" score --progress never --url "$url" --tokenizer model --window 63 in.jsonl -o faulty 2>err
[ $? = 0 ] || fail "a server with faults: $(cat err)"
grep -q "refused to score [0-9]* documents, which have no score; the first with 'this one is not liked'" err || fail "refusals are not told: $(cat err)"
grep -v '"refused"' faulty/stages/01-score/state/scores.jsonl >a; grep -c . a >/dev/null || fail "all are refused"
grep -v -x -F -f whole/stages/01-score/state/scores.jsonl a && fail "a server that fails now and then changes scores"

# Killed: the same bytes, and nothing asked twice.
serve llama.cpp
"$bin" score -q --url "$url" --tokenizer model --window 63 in.jsonl -o one || exit 1
all=$(wc -l <log)
"$bin" score -q --url "$url" --concurrency 8 --tokenizer model --window 63 in.jsonl -o cut >/dev/null 2>&1 &
pid=$!
for _ in $(seq 300); do [ "$(wc -l <log)" -gt $((all + 400)) ] && break; sleep 0.02; done
kill -KILL $pid 2>/dev/null; wait $pid 2>/dev/null
middle=$(wc -l <log)
stored=$(sed -n 's/.*"documents":\([0-9]*\).*/\1/p' cut/stages/01-score/state/scores.jsonl.mark)
[ "${stored:-0}" -gt 0 ] && [ "$stored" -lt 41 ] || fail "the kill came too early or too late: $stored documents stored"
"$bin" score -q --url "$url" --tokenizer model --window 63 in.jsonl -o cut || exit 1
[ "$(wc -l <log)" -lt $((middle + all)) ] || fail "all was asked again"
cmp whole/stages/01-score/state/scores.jsonl cut/stages/01-score/state/scores.jsonl || exit 1
cat in.jsonl | "$bin" score -q --url "$url" --tokenizer model --window 63 - -o piped || exit 1
near "$(scores whole score)" "$(scores piped score)"

# Finished: no server is needed.  Clear sentences.
kill "$server"; wait "$server" 2>/dev/null; server=
"$bin" score -q --url "$url" --tokenizer model --window 63 in.jsonl -o cut || fail "a finished run asks again"
says() { want=$1; shift; "$bin" "$@" >out 2>err && fail "$* is taken"; grep -q -- "$want" err || fail "$*: $(cat err)"; }
says "needs the tokenizer" score -q --url http://127.0.0.1:1 in.jsonl -o no
says "leave" score -q --url http://127.0.0.1:1 --tokenizer model --model model in.jsonl -o no
says "belong" score -q --model model --concurrency 3 in.jsonl -o no
says "needs a model" score -q in.jsonl -o no
says "leave --reference-model" prune -q --url http://127.0.0.1:1 --reference-model model in.jsonl -o no
echo "scores of four kinds of servers are those of the model"
