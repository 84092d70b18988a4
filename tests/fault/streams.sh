#!/bin/sh
# Standard streams that are closed, and outputs that are none: no message lands in a file, no
# lock is read as a corpus, and documents alone go to standard output.
#   tests/fault/streams.sh WINNOW
set -eu
winnow=$(readlink -f "$1")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
fail() { echo "FAILED: $*"; exit 1; }
for i in 1 2 3 4 5 6 7 8; do echo "{\"id\":\"$i\",\"text\":\"the text of number $i\"}"; done >c.jsonl
"$winnow" tokenizer train -q c.jsonl -o tok.json --vocab 280

for end in npy jsonl bin; do
    "$winnow" tokenizer encode -q -t tok.json c.jsonl -o good.$end
    "$winnow" tokenizer encode -t tok.json c.jsonl -o closed.$end 2>&- || fail "encode with stderr closed"
    cmp -s good.$end closed.$end || fail "a message is in closed.$end"
done
for command in extract dedup rules count; do
    code=0
    out="-o $command.run"
    [ $command = count ] && out=
    # shellcheck disable=SC2086 # none or two words
    "$winnow" $command -q - $out <&- >/dev/null 2>said || code=$?
    [ $code = 3 ] || fail "$command of a closed input ends with $code"
    grep -q "standard input" said || fail "$command says: $(cat said)"
done
code=0
"$winnow" dedup -q c.jsonl -o - >&- 2>/dev/null || code=$?
[ $code = 1 ] || fail "a closed output ends with $code"

printf 'winnow: 1\ninput: [c.jsonl]\noutput: run\nstages:\n  - dedup:\nprove:\n  seeds: 2\n' >r.yaml
"$winnow" run r.yaml -o - >out.jsonl 2>said
cmp -s out.jsonl c.jsonl || fail "run -o - writes more than documents"
grep -q "prove of the recipe is left out" said || fail "a proof that is left out is not told"

if [ -e /dev/full ]; then
    for what in help "help --json" --version "help options"; do
        code=0
        # shellcheck disable=SC2086 # words
        "$winnow" $what >/dev/full 2>/dev/null || code=$?
        [ $code = 1 ] || fail "$what to a full disk ends with $code"
    done
fi
"$winnow" dedup --log-json nosuch -o x 2>said && fail "nosuch is there"
"$winnow" dedup --log-json --nosuch 2>>said && fail "--nosuch is known"
"$winnow" count --log-json c.jsonl >/dev/null 2>>said
grep -v '^{"level": "[a-z]*", "text": ".*"}$' said && fail "a message is no JSON"

# A corpus that lies where an output is to go.
cp c.jsonl mine.jsonl
gzip -c c.jsonl >mine.jsonl.gz
for file in mine.jsonl mine.jsonl.gz; do
    cp "$file" before
    for command in "tokenizer encode -t tok.json c.jsonl" "tokenizer train c.jsonl"; do
        code=0
        # shellcheck disable=SC2086 # words
        "$winnow" $command -q -o "$file" 2>said || code=$?
        { [ $code = 2 ] && cmp -s "$file" before; } || fail "$command writes over $file"
        grep -q "holds documents" said || fail "$command says: $(cat said)"
    done
done
"$winnow" tokenizer train -q c.jsonl -o tok.json --vocab 281 || fail "a tokenizer replaces one"
"$winnow" tokenizer encode -q -t tok.json c.jsonl -o good.jsonl || fail "tokens replace tokens"

"$winnow" dedup 'https://u:SECRET@h/x.jsonl?sig=SEKRET' -o s 2>said && fail "an address is read"
grep -q 'SECRET\|SEKRET' said && fail "a secret is shown: $(cat said)"
echo "streams: ok"
