#!/bin/sh
# storage.sh PROGRAM: every command of docs/storage.md runs, against a server of our own.
set -eu
bin=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir"
cat >serve.py <<'PY'
import gzip, sys
sys.path.insert(0, sys.argv[1])
from storage_server import Store
store = Store()
text = b'{"id":"a","text":"The river rises in the hills."}\n'
Store.natures = ("corpora", "news", "web")
for key in ("news/a.jsonl", "data/b.jsonl"):
    store.put(key, text)
store.put("news/c.jsonl.gz", gzip.compress(text))
open("port.tmp", "w").write(store.url)
import os, signal
os.rename("port.tmp", "port")
signal.pause()
PY
python3 serve.py "$here/../support" & server=$!
n=0
while [ ! -s port ]; do n=$((n + 1)); [ $n -lt 300 ]; sleep 0.1; done
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_PROFILE HF_TOKEN http_proxy https_proxy || true
HOME=$dir AWS_ENDPOINT_URL=$(cat port) HF_ENDPOINT=$(cat port) WEB=$(cat port)/corpora
export HOME AWS_ENDPOINT_URL HF_ENDPOINT WEB
mkdir local; echo '{"id":"l","text":"A text of this machine."}' >local/l.jsonl
printf '%s/news/a.jsonl?key=1\n' "$WEB" >addresses
winnow() { "$bin" "$@" -q --threads 1; }
grep '^    winnow ' "$here/../../docs/storage.md" >commands
[ "$(wc -l <commands)" -ge 5 ]
while read -r line; do
    eval "$line" >out 2>&1 || { echo "fails: $line"; cat out; exit 1; }
done <commands
grep -q '^total	1	' out
[ -s runs/rules/input.json ] && [ "$(find runs/rules/documents -type f | wc -l)" = 2 ]
