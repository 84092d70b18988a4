#!/bin/sh
# `refiner label` against a server on loopback: what comes out, what is asked again
# after an interruption (nothing), and that kill -9 at any moment changes no byte.
#   tests/fault/label.sh WINNOW MOCK_SERVER [KILLS]
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
mock=$(readlink -f "$2") && [ -x "$mock" ] || { echo "no program: $2"; exit 1; }
kills=${3:-4}
tmp=$(mktemp -d)
. "$(dirname "$(readlink -f "$0")")/../support/mock_server.sh"
trap '[ -n "$server" ] && kill $server 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1

fail() { echo "$*"; exit 1; }

label() { "$bin" refiner label --url "$url" --concurrency 3 "$@"; }
asked() { grep -c . log; }

cat >in.jsonl <<'J'
{"id": "bees", "text": "Home | About\nHow bees fly\nThey keep the sun at an angle.\nhttp://b.example\n(c) 2020"}
{"id": "shop", "text": "Buy now\nCheap"}
{"id": "fair", "text": "A fair text.\nAnd more of it."}
{"id": "odd", "text": "Nobody can say."}
{"id": "blank", "text": " \n "}
J
# The server knows a document by its text, a question by the words that only it has.
cat >rules <<'J'
{"times": 1, "status": 503, "header": "Retry-After: 0"}
{"times": 1, "hang_up": true}
{"times": 1, "body": "<html>not now</html>"}
{"match": "Nobody can say", "answer": "I cannot say."}
{"match": "Educational score: N\\n\\nThe text:\\n[doc]\\nHome", "answer": "Good.\nEducational score: 4"}
{"match": "Educational score: N\\n\\nThe text:\\n[doc]\\nBuy", "answer": "Adverts.\n**Educational score: 1**", "delay": 0.05}
{"match": "Educational score: N\\n\\nThe text:\\n[doc]\\nA fair", "answer": "Some.\nEducational score: 2"}
{"match": "Extraction score: N\\n\\nThe text:\\n[doc]\\nA fair", "answer": "Clean.\nExtraction score: 4"}
{"match": "Extraction score: N", "answer": "Hm.\nExtraction score: 9"}
{"match": "Your task\\n[doc]\\n[000]A fair", "answer": "No noise.\n```\nkeep_chunk()\n```"}
{"match": "before the text", "answer": "A menu.\n```python\nremove_lines(line_start=0, line_end=0)\n```"}
{"match": "addresses of web pages", "answer": "One.\n```\nremove_lines(3, 3)\nnormalize(source_str=\"none\")\n```", "delay": 0.02}
{"match": "stands behind the text", "answer": "```\nremove_lines(4, 4)\n```"}
J
start rules
label -q in.jsonl -o out || fail "it failed"
cat >documents.want <<'J'
{"id": "bees", "text": "Home | About\nHow bees fly\nThey keep the sun at an angle.\nhttp://b.example\n(c) 2020", "program": "keep_doc()", "education": 4}
{"id": "shop", "text": "Buy now\nCheap", "program": "drop_doc()", "education": 1}
{"id": "fair", "text": "A fair text.\nAnd more of it.", "program": "keep_doc()", "education": 2, "format": 4}
J
cat >chunks.want <<'J'
{"id": "bees", "text": "Home | About\nHow bees fly\nThey keep the sun at an angle.\nhttp://b.example\n(c) 2020", "chunks": [{"first": 0, "last": 4, "program": "remove_lines(0, 0)\nremove_lines(3, 4)\n"}]}
{"id": "fair", "text": "A fair text.\nAnd more of it.", "chunks": [{"first": 0, "last": 1, "program": "keep_chunk()\n"}]}
J
diff documents.want out/documents.jsonl || fail "other labels of documents"
diff chunks.want out/chunks.jsonl || fail "other labels of chunks"
[ "$(grep -c . out/documents-answers.jsonl) $(grep -c . out/chunks-answers.jsonl)" = "8 6" ] || fail "not 8 and 6 answers"
grep -q '"calls_rejected": 1' out/label.json || fail "the call that fits nothing was not counted"
grep -q '"unread": 1' out/label.json || fail "the document without scores was not counted"
# No server needed for what is answered.
kill "$server"; wait "$server" 2>/dev/null; server=
cp -r out whole
label -q in.jsonl -o out || fail "it cannot finish without a server what is answered"
diff -r whole out || fail "the second time the bytes are others"
# `refiner train`'s and `refine`'s readers take the labels.
"$bin" refine -q --programs out/chunks.jsonl in.jsonl -o refined || fail "refine does not read chunks.jsonl"
"$bin" refine -q --programs out/documents.jsonl in.jsonl -o refined2 || fail "refine does not read documents.jsonl"

# Another corpus, model or setting does not go on with these answers.
sed 's/fly/swim/' in.jsonl >other.jsonl
label -q other.jsonl -o out 2>err && fail "it went on with answers about other documents"
grep -q 'documents-answers.jsonl: line 1 answers another question' err || { cat err; exit 1; }
label -q in.jsonl --answer-tokens 5 -o out 2>err && fail "it went on with another length"
label -q in.jsonl --limit 1 -o out 2>err && fail "it went on with fewer documents"
grep -q 'answers to more than is asked now' err || { cat err; exit 1; }
start rules
head -n 3 out/chunks-answers.jsonl >three && cp three out/chunks-answers.jsonl
label -q in.jsonl --model other -o out 2>err && fail "it went on with another model"
grep -q "the answers there are of the model 'mock', not of 'other'" err || { cat err; exit 1; }
printf 'torn' >>out/chunks-answers.jsonl # what a kill in a write leaves
label -q in.jsonl -o out || fail "it did not go on"
diff -r whole out || fail "going on gave other bytes"
echo 'garbage' >>out/documents-answers.jsonl
label -q in.jsonl -o out 2>err && fail "it read garbage"

# Little memory: fewer questions at once, the same bytes; too little for the verdicts is said.
label -q in.jsonl --memory 200 -o tight || fail "little memory failed"
diff -r whole tight || fail "with little memory the bytes are others"
label -q in.jsonl --memory 8 -o tighter 2>err && fail "it did without the memory for verdicts"
grep -q 'a byte for each of 5 documents is more than half of --memory 8' err || { cat err; exit 1; }

# A level alone.
label -q in.jsonl --level chunks -o chunks || fail "chunks failed"
[ "$(grep -c . chunks/chunks-answers.jsonl)" = 12 ] || fail "not 12 answers about chunks"
[ ! -e chunks/documents.jsonl ] || fail "documents without being asked"
label -q in.jsonl --level chunks --removal-max 10% -o little || fail "removal-max failed"
grep -q '"removing_too_much": 2' little/label.json || fail "a program that removes much was taken"

# Kills, with a server that takes its time and sometimes fails.
seq 40 | sed 's/.*/{"id": "d&", "text": "Page & has\\na second line.\\n(c) &"}/' >many.jsonl
cat >slow <<'J'
{"times": 2, "status": 500, "body": "{}"}
{"match": "Educational score: N", "answer": "Educational score: 3", "delay": 0.02}
{"match": "Extraction score: N", "answer": "Extraction score: 3", "delay": 0.005}
{"match": "stands behind the text", "answer": "```\nremove_lines(2, 2)\n```", "delay": 0.01}
{"answer": "```\nkeep_chunk()\n```", "delay": 0.015}
J
start slow
s=$(date +%s%N)
label -q many.jsonl -o want || fail "the slow server failed"
whole=$((($(date +%s%N) - s) / 1000000))
least=$(asked)
done=0 round=0
while [ $done -lt "$kills" ]; do
    round=$((round + 1))
    [ $round -gt $((kills * 6)) ] && fail "only $done kills met it"
    start slow
    t=$(awk -v seed=$round -v whole=$whole 'BEGIN { srand(seed * 7919); printf "%.3f", rand() * whole / 1000 }')
    # Not through label(): a kill would meet its subshell only.
    "$bin" refiner label --url "$url" --concurrency 3 -q many.jsonl -o got &
    pid=$!
    sleep "$t"
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    if [ $? = 137 ]; then
        done=$((done + 1))
        have=$(cat got/*-answers.jsonl 2>/dev/null | grep -c .)
        [ $((done % 2)) = 0 ] || continue
        start slow
        label -q many.jsonl -o got || fail "it did not go on after a kill"
        # All but what was on its way is asked once.
        [ "$(asked)" -le $((least - have + 1)) ] || fail "$(asked) questions, $have were answered of $least"
    fi
    diff -r want got || fail "after $done kills the bytes are others"
    rm -rf got
done
echo "label: $done kills, every byte the same"
