#!/bin/sh
# A disk that is full: one sentence, exit 1, nothing under a final name that is
# not whole; with room again the same command goes on and ends as it should.
# Needs a file system of its own (root); 77 (skipped) where that cannot be.
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'umount "$tmp/disk" 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
mkdir disk
mount -t tmpfs -o size=2m tmpfs disk 2>/dev/null || { echo "skipped: may not mount a tmpfs here"; exit 77; }
"$here/make_corpus.sh" in 20000
"$bin" dedup -q --checkpoint 0 in -o whole 2>/dev/null || exit 1
"$bin" dedup -q --checkpoint 0 in -o disk/run 2>said; code=$?
[ $code = 1 ] || { echo "exit $code instead of 1"; exit 1; }
grep -q 'jsonl.*No space left on device' said || { cat said; echo "says nothing of the disk"; exit 1; }
[ "$(wc -l <said)" = 1 ] || { cat said; echo "more than one sentence"; exit 1; }
[ ! -e disk/run/_SUCCESS ] || { echo "a run that failed says _SUCCESS"; exit 1; }
# shellcheck disable=SC2044  # the names are ours
for f in $(find disk/run/stages/*/documents -name '*.jsonl*' ! -name '*.tmp'); do
    cmp -s "$f" "whole/${f#disk/run/}" || { echo "$f is not whole"; exit 1; }
done
mount -o remount,size=100m disk || exit 1
"$bin" dedup -q --checkpoint 0 in -o disk/run 2>/dev/null || exit 1
"$bin" verify -q disk/run >/dev/null || exit 1
diff -r -x timings.json -x input.json -x recipe.yaml -x .lock whole disk/run || { echo "other bytes"; exit 1; }
echo "full disk: '$(cat said)', then the same bytes"
