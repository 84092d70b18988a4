#!/bin/sh
# Passwords, keys of a query and keys that a server echoes are nowhere: not in files, not
# in messages.  What is refused leaves nothing behind.
#   tests/fault/secrets.sh WINNOW MOCK_SERVER
set -u
bin=$(readlink -f "$1") && mock=$(readlink -f "$2") || exit 1
[ -x "$bin" ] && [ -x "$mock" ] || { echo "no program: $1 or $2"; exit 1; }
tmp=$(mktemp -d)
. "$(dirname "$(readlink -f "$0")")/../support/mock_server.sh"
trap '[ -n "$server" ] && kill $server 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail() { echo "$*"; exit 1; }
http() { "$bin" refine -v --engine http --server openai --model m --retries 0 "$@"; }
label() { "$bin" refiner label -v --server openai --model m --retries 0 "$@"; }
nowhere() { grep -rlE 'PASSWORD1|QUERYSECRET|PROXYSECRET|SECRETKEY|cHU6UFJPWFlTRUNSRVQ' "$@" && fail "a secret is in the file above"; }

printf '%s\n' '{"id":"a","text":"Menu\nwords here"}' >in.jsonl
echo sk-SECRETKEY-0123 >key

# Refused, and nothing is written.
refused() { # EXPECTED_WORDS COMMAND...
    words=$1; shift
    "$@" 2>err >out && fail "$* was taken"
    [ -e o ] && fail "$* left a folder"
    grep -q -e "$words" err || { cat err; fail "$*: other words"; }
    nowhere err out
}
for command in http label; do
    refused 'has no place in the server' $command --url http://u:PASSWORD1@127.0.0.1:9 in.jsonl -o o
    refused 'has no place in the server' $command --url http://u:PASS/PASSWORD1@127.0.0.1:9 in.jsonl -o o
    refused 'no address of a server' $command --url 'ftp://h/?k=QUERYSECRET' in.jsonl -o o
    refused 'written down without' $command --url 'http://h/v1?***' in.jsonl -o o
    refused 'no address of a proxy' $command --url http://h --proxy nope://u:PROXYSECRET@h in.jsonl -o o
    refused 'not the key' $command --url http://h --key-env sk-SECRETKEY-0123 in.jsonl -o o
    refused "unknown option '--proxi'" $command --url http://h --proxi=http://u:PROXYSECRET@h in.jsonl -o o
    refused 'one of --key-file and --key-env' $command --url http://h --key-env K --key-file key in.jsonl -o o
done
refused 'no place in the address' "$bin" count http://u:PASSWORD1@h/x
for place in http://u:PASSWORD1@h/x 's3+x://u:PASSWORD1@h/?k=QUERYSECRET'; do
    refused 'is an address' "$bin" dedup in.jsonl -o "$place"
    refused 'is an address' "$bin" dedup in.jsonl -o - --run "$place"
    refused 'is an address' "$bin" dedup in.jsonl -o o --temporary "$place"
    refused 'is an address' "$bin" refine --programs "$place" in.jsonl -o o
    refused 'is an address' "$bin" tokenizer train in.jsonl -o "$place"
    refused 'is an address' "$bin" dedup --method minhash --against "$place" in.jsonl -o o
    refused 'is an address' "$bin" prove --arms "before,after=$place" in.jsonl -o o
    printf 'winnow: 1\ninput: in.jsonl\noutput: "%s"\nstages: [dedup]\n' "$place" >r.yaml
    refused 'is an address' "$bin" run r.yaml
done
ls -d http: s3+x: 2>/dev/null && fail "an address became a folder"
cat >r.yaml <<'Y'
winnow: 1
input: [in.jsonl]
output: o
stages: [{refine: {engine: http, url: "http://u:PASSWORD1@127.0.0.1:9"}}]
Y
refused 'has no place in the server' "$bin" run r.yaml

# Kept and shown without them.
cat >rules <<'J'
{"answer": "remove_lines(line_start=0, line_end=0)\n# Bearer sk-SECRETKEY-0123"}
J
start rules
http --url "$url/v1/completions?api_key=QUERYSECRET" --key-file key --proxy "http://pu:PROXYSECRET@${url#http://}" \
    in.jsonl -o a 2>err || { cat err; fail "a query and a proxy are not taken"; }
grep -q '"url": *"http://[0-9.:]*/v1/completions?\*\*\*"' a/recipe.yaml || fail "the address is not in recipe.yaml"
grep -q '"proxy": *"http://\*\*\*@' a/recipe.yaml || fail "the proxy is not in recipe.yaml"
"$bin" report a 2>>err || fail "report"
"$bin" verify a >>err 2>&1 || fail "verify"
"$bin" explain a a >>err 2>&1 || fail "explain"
label --url "$url/v1?api_key=QUERYSECRET" --key-file key in.jsonl -o b 2>>err || fail "label"
nowhere a b err
# The recipe that was written cannot be run by mistake without its secret.
sed 's/^output: .*/output: o/' a/recipe.yaml >again.yaml
refused 'written down without' "$bin" run again.yaml
# The same recipe with another secret is the same recipe: no hash of it is kept.
cat >q.yaml <<Y
winnow: 1
input: [in.jsonl]
output: q
stages: [{refine: {engine: http, server: openai, model: m, url: "$url/v1?key=QUERYSECRET"}}]
Y
echo '{"answer": "keep_chunk()"}' >rules && start rules
sed "s|http://[0-9.:]*|$url|" q.yaml >r.yaml && mv r.yaml q.yaml
"$bin" run -q q.yaml >/dev/null || fail "a recipe with a query"
grep -q recipe-hash q/recipe.yaml && fail "a hash of the recipe would let one guess its key"
nowhere q

# What a server echoes: in an error, a refusal, a Location, a page.
echoed() { # RULES WORDS
    echo "$1" >echo-rules
    start echo-rules
    rm -rf c d
    http --url "$url/v1?tok=QUERYSECRET" --proxy "http://pu:PROXYSECRET@${url#http://}" --key-file key in.jsonl -o c >out 2>err
    label --url "$url/v1?api_key=QUERYSECRET" --proxy "http://pu:PROXYSECRET@${url#http://}" --key-file key in.jsonl -o d >>out 2>>err
    nowhere c d out err
    LC_ALL=C grep -q "$(printf '\033')" out err && fail "an escape got through"
    grep -q "$2" err || grep -rq "$2" c d || { cat err; fail "does not say: $2"; }
}
echoed '{"status": 401, "body": "{\"error\":{\"message\":\"bad key Bearer sk-SECRETKEY-0123\"}}"}' 'bad key Bearer \*\*\*'
echoed '{"status": 400, "body": "no QUERYSECRET, no Basic cHU6UFJPWFlTRUNSRVQ= \u001b[31m"}' 'no \*\*\*, no Basic'
echoed '{"status": 302, "header": "Location: http://x:PASSWORD1@h/sk-SECRETKEY-0123?api_key=QUERYSECRET"}' 'http://\*\*\*@h/\*\*\*?\*\*\*'
echoed '{"status": 500, "body": "<p>PROXYSECRET</p>"}' '<p>\*\*\*</p>'
# Half a key at the cut is a part of one, too.
long=$(printf '%0190d' 0)
echoed "{\"status\": 400, \"body\": \"$long sk-SECRETKEY-0123\"}" '0 \*\*\*'
echo "secrets: ok"
