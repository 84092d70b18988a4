#!/bin/sh
# Files, folders and folders' entries that the system does not let read: every command
# does the rest, names them and ends with 3, again at a second call; once they can be
# read, the same command makes what it would have made at once.
# Needs root, to become somebody who may not; 77 (skipped) elsewhere.
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || { echo "skipped: not root, or no setpriv"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
cp "$bin" winnow && chmod 755 winnow . && mkdir -m 777 o
somebody() { setpriv --reuid=65534 --regid=65534 --clear-groups ./winnow "$@"; }
fail() { echo "wrong: $*"; cat said; exit 1; }
mkdir -p in/a in/list in/shut
for f in a/x a/no list/y shut/z; do echo "{\"id\":\"$f\",\"text\":\"text of $f\"}" >in/$f.jsonl; done
ln -s /proc/self/mem in/a/mem.jsonl # opens, and cannot be read
chmod 0000 in/a/no.jsonl; chmod 0444 in/list; chmod 0000 in/shut
for call in 1 2; do
    somebody count -q in >counted 2>said; code=$?
    [ $code = 3 ] || fail "count ends with $code"
    [ "$(tail -n 1 counted | cut -f 2)" = 1 ] || fail "count does not count what can be read"
    somebody dedup -q in -o o/run 2>said; code=$?
    [ $code = 3 ] || fail "dedup ends with $code at call $call"
    for name in a/no.jsonl list/y.jsonl shut; do grep -q "in/$name (Permission denied)\|and 1 more" said || fail "$name is not named"; done
    [ "$(grep -c '"unreadable": true' o/run/stages/01-dedup/stats.json)" = 4 ] || fail "stats.json does not name all four"
    somebody verify -q o/run >/dev/null 2>said; code=$?
    [ $code = 3 ] || fail "verify ends with $code"
    [ "$(find o/run/documents -type f)" = o/run/documents/a/x.jsonl ] || fail "other documents"
done
somebody dedup -q --on-bad stop in -o o/stop 2>said; [ $? = 3 ] || fail "--on-bad stop goes on"
[ ! -e o/stop/stages ] || fail "--on-bad stop does a stage first"
chmod 0644 in/a/no.jsonl; chmod 0755 in/list in/shut; rm in/a/mem.jsonl
somebody dedup -q in -o o/run 2>said || fail "what can be read again is not read"
somebody verify -q o/run >/dev/null 2>said || fail "the run does not hold"
somebody dedup -q in -o o/whole 2>said || fail "a run over all fails"
diff -r -x timings.json -x input.json -x recipe.yaml -x .lock o/run o/whole || fail "it differs from a run that could read all"
echo "what cannot be read is said, and read once it can be"
