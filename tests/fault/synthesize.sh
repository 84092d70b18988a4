#!/bin/sh
# `synthesize` with a model: over a server that answers well and badly, and with a small model
# here.  What is bad is counted by its reason; nothing is asked twice; kills, threads and a server
# that goes away change no byte.
#   tests/fault/synthesize.sh WINNOW [MOCK_SERVER]
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
mock=${2:+$(readlink -f "$2")}
here=$(dirname "$(readlink -f "$0")")
tmp=$(mktemp -d)
server=
[ -n "$mock" ] && . "$here/../support/mock_server.sh"
trap '[ -n "$server" ] && kill "$server" 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail() { echo "$*"; exit 1; }
texts() { zstd -dcq "$1/documents/synthetic-00000.jsonl.zst"; }
removed() { zstd -dcq "$1/stages/01-synthesize/removed/synthetic-00000.jsonl.zst"; }
same() { # all but times and what was read
    (cd "$1" && find . -type f ! -name timings.json ! -name input.json ! -name .lock ! -name '*.mark' ! -name recipe.yaml ! -name stats.json ! -name report.html | sort | xargs md5sum) >"$1.sums"
    (cd "$2" && find . -type f ! -name timings.json ! -name input.json ! -name .lock ! -name '*.mark' ! -name recipe.yaml ! -name stats.json ! -name report.html | sort | xargs md5sum) >"$2.sums"
    diff "$1.sums" "$2.sums" >diff.out || { cat diff.out; fail "$3"; }
}

# ---- a server ----
if [ -n "$mock" ]; then
    awk 'BEGIN { for (i = 0; i < 40; i++)
        printf "{\"id\": \"d%d\", \"text\": \"Harbour number %d lies behind a wall of grey stone that keeps the winter storms away from the boats of the village.\", \"cluster\": \"c%d\"}\n", i, i, i % 4 }' >in.jsonl
    echo '{"id": "leak", "question": "Which of the old lighthouses on the northern coast was moved inland by engineers in the winter of 1893?"}' >bench.jsonl
    cat >prompts.jsonl <<'J'
{"name": "q", "kind": "question", "prompt": "Ask and answer one question about this text, and write nothing else than these two lines.\n\n{text}"}
J
    cat >rules <<'J'
{"match": "number 1 lies", "answer": "**Question:** Which of the old lighthouses on the northern coast was moved inland by engineers in the winter of 1893?\n**Answer:** Holm Point Light."}
{"match": "number 2 lies", "answer": "Harbour number 2 lies behind a wall of grey stone that keeps the winter storms away from the boats of the village."}
{"match": "number 3 lies", "answer": ""}
{"match": "number 4 lies", "answer": "Question: What is behind the wall of the", "finish": "length"}
{"match": "number 5 lies", "answer": "Ask and answer one question about this text, and write nothing else than these two lines."}
{"match": "number 6 lies", "answer": "I'm sorry, but I can't help with that."}
{"match": "number 7 lies", "status": 400, "body": "{\"error\":{\"message\":\"longer than the context\"}}"}
{"match": "number 8 lies", "times": 2, "status": 503, "header": "Retry-After: 0"}
{"match": "number 8 lies", "answer": "Sure, here it is:\n\nQuestion: What is the harbour with the number 8 made of?\nAnswer: Of a basin that somebody dug\nby hand in one summer."}
{"match": "number 9 lies", "answer": "Question: What?\nAnswer: It."}
{"match": "number 1", "delay": 0.05, "answer": "Question: What keeps the storms away from the boats?\nAnswer: A wall that the village built of grey stone."}
{"match": "number 20 lies", "answer": "Question: Who may enter the harbour first after a storm has passed?\nAnswer: The boats that carry nets and nothing else."}
{"match": "\"temperature\": 0.8", "delay": 0.05, "answer": "Question: What else keeps the storms away from boats?\nAnswer: A wall that the village built of grey stone."}
J
    start rules
    go() { o=$1; shift; "$bin" synthesize -q --engine http --url "$url" --prompts prompts.jsonl --benchmark bench.jsonl --concurrency 4 "$@" in.jsonl -o "$o"; }
    go whole || fail "it failed"
    "$bin" verify -q whole || fail "verify"
    ids() { removed whole | sed -n "s/.*\"seeds\": \\[\"\\(d[0-9]*\\)\"\\].*\"rule\": *\"$1\".*/\\1/p" | tr '\n' ' '; }
    for want in "leak.llama3:d1 " "answer.format:d2 " "answer.empty:d3 " "answer.cut:d4 " "answer.prompt:d5 " "answer.excuse:d6 " "answer.refused:d7 " "length.short:d9 "; do
        [ "$(ids "${want%%:*}")" = "${want#*:}" ] || { removed whole | cut -c 1-400; fail "${want%%:*}: '$(ids "${want%%:*}")', not '${want#*:}'"; }
    done
    removed whole | grep -q '"rule": *"near.copy"' || fail "no near-copy went"
    texts whole | grep -q '"text": "Question: What is the harbour with the number 8 made of?\\nAnswer: Of a basin that somebody dug by hand in one summer."' || fail "the chatty answer was not read"
    texts whole | grep -q '"seeds": \["d20"\], "prompt": "q", "prompt_hash": "[0-9a-f]*", "engine": "http", "model": "mock", "temperature": 0.8, "sampling_seed": [0-9]*}' || { texts whole; fail "no provenance"; }
    "$bin" explain whole "$(removed whole | grep answer.refused | cut -c 9-28)" | grep -q 'longer than the context' || fail "the refusal has no reason"
    # its seed again, as a text: what is copied goes
    sed 's/"question"/"text"/' prompts.jsonl >texts.jsonl
    "$bin" synthesize -q --engine http --url "$url" --prompts texts.jsonl --benchmark bench.jsonl --words-min 5 in.jsonl -o copies || fail "texts failed"
    removed copies | grep '"seeds": \["d2"\]' | grep -q '"rule": *"near.seed"' || fail "the seed came back and stayed"
    removed copies | grep '"seeds": \["d1"\]' | grep -q '"rule": *"leak' || fail "a benchmark item stayed in a text"
    # nothing is asked for twice, and what is done needs no server
    asked=$(wc -l <log)
    go whole || fail "again"
    [ "$(wc -l <log)" = "$asked" ] || fail "asked again"
    # tokens: of the start of what would be asked
    go few --tokens 60 || fail "--tokens"
    head -c "$(wc -c <few/stages/01-synthesize/state/answers.jsonl)" whole/stages/01-synthesize/state/answers.jsonl | cmp - few/stages/01-synthesize/state/answers.jsonl || fail "--tokens asks for others"
    [ "$(wc -l <few/stages/01-synthesize/state/answers.jsonl)" -lt 20 ] || fail "--tokens asked on"
    # the server goes in the middle; another address and fewer at once go on
    (echo '{"match": "number 20 lies", "status": 500, "body": "{}"}'; grep -v 503 rules) >fails
    start fails
    go got --retries 1 2>err && fail "a dead server did no harm"
    grep -q 'the server says 500' err || { cat err; fail "no sentence on the server"; }
    stored=$(wc -l <got/stages/01-synthesize/state/answers.jsonl)
    start rules
    go got || fail "it did not go on"
    [ "$(wc -l <log)" -le $((43 - stored)) ] || fail "$(wc -l <log) questions with $stored of 40 answered"
    same whole got "going on gave other bytes"
    # killed
    "$bin" synthesize -q --engine http --url "$url" --prompts prompts.jsonl --benchmark bench.jsonl --concurrency 4 in.jsonl -o run >/dev/null 2>&1 &
    pid=$!; sleep 0.7; kill -KILL $pid 2>/dev/null; wait $pid 2>/dev/null
    go run --threads 3 || fail "it did not go on after a kill"
    same whole run "after a kill the bytes are others"
    printf other >few/stages/01-synthesize/state/server-model; rm -f few/stages/01-synthesize/_SUCCESS few/_SUCCESS
    sed -i 's/"complete":true/"complete":false/' few/stages/01-synthesize/state/answers.jsonl.mark
    go few --tokens 60 2>err && fail "two models in one folder"
    grep -q "are of the model 'other', not of 'mock'" err || { cat err; fail "no sentence on two models"; }
    kill "$server"; wait "$server" 2>/dev/null; server=
    go whole || fail "what is done needs the server again"
    go down --retries 0 2>err && fail "without a server it works"
    grep -q 'is the server running there' err || { cat err; fail "no sentence on a server that is not there"; }
fi

# ---- a model here ----
awk 'BEGIN { srand(3); for (i = 0; i < 60; i++) { printf "{\"id\": \"d%d\", \"text\": \"", i
    for (k = 0; k < 30; k++) printf "%sword%d", k ? " " : "", int(rand() * 200)
    print ".\"}" } }' >words.jsonl
"$bin" train -q words.jsonl -o m --dim 32 --layers 2 --heads 2 --vocab 400 --context 512 --tokens 2k >/dev/null || fail "no model"
local_go() { o=$1; shift; "$bin" synthesize -q --engine builtin --writer m --make texts --seed-tokens 20 --new-tokens 60 --words-min 1 --no-benchmarks --system '' "$@" words.jsonl -o "$o" 2>/dev/null; }
local_go one --threads 1 || fail "no answers"
local_go two --threads 2 || fail "two threads"
same one two "two threads wrote other bytes than one"
grep -q '"model":"m"\|"model": "m"' one/stages/01-synthesize/state/writer.json || fail "no model in state/"
n=$(sort -u one/stages/01-synthesize/state/answers.jsonl | sed 's/.*"text": *"//' | sort -u | wc -l)
[ "$n" -gt 30 ] || fail "60 requests drew only $n different answers"
local_go file --prompts "$here/../../recipes/synthesize-prompts.jsonl" || fail "no prompts in recipes/"
cmp one/stages/01-synthesize/state/answers.jsonl file/stages/01-synthesize/state/answers.jsonl || fail "recipes/synthesize-prompts.jsonl is not what is built in"
cmp one/documents/synthetic-00000.jsonl.zst file/documents/synthetic-00000.jsonl.zst || fail "recipes/synthesize-prompts.jsonl is not what is built in"
local_go cold --temperature 0 || fail "greedy"
cmp -s one/stages/01-synthesize/state/answers.jsonl cold/stages/01-synthesize/state/answers.jsonl && fail "temperature changes nothing"
local_go other --seed 5 || fail "another seed"
cmp -s one/stages/01-synthesize/state/answers.jsonl other/stages/01-synthesize/state/answers.jsonl && fail "the seed changes nothing"
for t in 0.5 0.9 1.4; do
    "$bin" synthesize -q --engine builtin --writer m --make texts --seed-tokens 20 --new-tokens 60 --words-min 1 --no-benchmarks \
        --system '' --threads 2 words.jsonl -o killed >/dev/null 2>&1 &
    pid=$!; sleep $t; kill -KILL $pid 2>/dev/null; wait $pid 2>/dev/null
done
local_go killed --threads 1 || fail "it did not go on after kills"
same one killed "after kills the bytes are others"
"$bin" verify -q killed || fail "verify"
echo "synthesize: ok"
