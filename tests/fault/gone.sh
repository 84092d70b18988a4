#!/bin/sh
# The shards of a finished run are gone, emptied or cut, documents/ is a link, something is
# mounted in the folder: the same command mends it, or says why not, and what is not the
# run's stays.   tests/fault/gone.sh WINNOW
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail() { echo "$*"; exit 1; }
mkdir in; for f in a b; do seq 60 | sed "s/.*/{\"id\":\"$f&\",\"text\":\"some words & of $f text\"}/" >in/$f.jsonl; done
printf 'winnow: 1\ninput: [in]\noutput: whole\nstages:\n  - dedup:\n  - rules: {filter: false}\n' >recipe.yaml
"$bin" run -q recipe.yaml >/dev/null || fail "run"
last=stages/02-rules first=stages/01-dedup

again() { "$bin" run -o run recipe.yaml --progress never >out 2>err; }
# mended WHAT WORDS: the call says WORDS of what was done, and the next one has nothing to do.
mended() {
    "$bin" count -q run >/dev/null 2>&1 && [ "$3" = refused ] && fail "$1: it is read as if whole"
    again || { cat err; fail "$1: not mended"; }
    grep -q "$2" err || { cat err; fail "$1: no word of it"; }
    "$bin" verify -q run >/dev/null || fail "$1: what was mended is not whole"
    diff -r whole/documents run/documents || fail "$1: other documents"
    cmp whole/_SUCCESS run/_SUCCESS || fail "$1: another key"
    again && grep -q 'nothing is left' err || { cat err; fail "$1: done twice"; }
}
fresh() { rm -rf run; "$bin" run -q recipe.yaml -o run >/dev/null || fail "run"; }

fresh; again && grep -q 'nothing is left' err || { cat err; fail "a whole run is done again"; }
rm -r run/documents; mended "no documents/" 'run/documents is missing' any
grep -q '===' err && fail "a stage was done for links only"
rm run/documents/b.jsonl; mended "a shard less" 'documents of run are linked anew: run/documents/b.jsonl is missing' refused
rm run/documents/b.jsonl; head -n 3 in/b.jsonl >run/documents/b.jsonl
mended "a shard cut, the stage's copy whole" 'run/documents/b.jsonl has .* bytes' any
rm run/documents/b.jsonl; ln -s ../../in/b.jsonl run/documents/b.jsonl
mended "a link for a shard" 'run/documents/b.jsonl is no regular file' any
: >run/documents/b.jsonl; mended "a shard emptied, with the stage's copy" "run/$last is not whole.*b.jsonl has 0 bytes" any
rm run/$last/documents/a.jsonl; mended "the stage's copy gone" "run/$last is not whole" any
rm run/$last/ledger/a.jsonl; mended "a ledger gone" "ledger/a.jsonl is missing" any
rm run/$last/stats.json; mended "no stats.json" "stats.json is missing" any
rm -r run/$first/documents run/documents run/$last/documents
mended "no documents anywhere" "run/$first is not whole" any
rm run/_SUCCESS; : >run/$last/documents/a.jsonl; mended "unfinished and emptied" "run/$last is not whole" any
# What stages keep beside their shards, wherever in the flow.
seq 30 | sed 's/.*/{"question":"which of the & words of text does nobody keep for long","answer":"none & at all"}/' >bench.json
printf 'winnow: 1\ninput: [in]\noutput: whole2\nstages:\n  - dedup: {method: minhash, threshold: 1, numbers: true}\n  - decontaminate: {benchmark: bench.json}\n  - rules: {filter: false}\n' >own.yaml
"$bin" run -q own.yaml >/dev/null && "$bin" run -q own.yaml -o own2 >/dev/null || fail "run of own files"
for file in 01-dedup/state/signatures 01-dedup/state/near.json 02-decontaminate/leak.json; do
    for how in "rm" "truncate -s 5"; do
        $how own2/stages/$file
        "$bin" run own.yaml -o own2 --progress never >out 2>err || { cat err; fail "$file: not mended"; }
        grep -q "own2/stages/${file%%/*} is not whole.*$file" err || { cat err; fail "$file: no word of it"; }
        diff -r whole2/stages own2/stages || fail "$file: not what it was"
        "$bin" verify -q own2 >/dev/null || fail "$file: not whole"
    done
done
printf x | dd of=own2/stages/01-dedup/state/signatures bs=1 seek=70 conv=notrunc 2>/dev/null
"$bin" verify -q own2 >/dev/null 2>err && fail "signatures with another byte are verified"
grep -q 'state/signatures is not the file that stats.json names; remove the folder own2/stages/01-dedup' err || { cat err; fail "no remedy"; }
# A limit stopped the run, and what it had found was damaged before the next call.
for method in "--method minhash" "--unit line"; do
    name=near names="near near.json signatures"; [ "$method" = "--unit line" ] && name=repeats names="repeats repeats.json"
    # shellcheck disable=SC2086  # several words
    for file in $names; do
        rm -rf stopped; cat in/a.jsonl in/a.jsonl >twice.jsonl
        "$bin" dedup -q $method twice.jsonl -o stopped --max-removed 0.01 2>err && fail "$method: no limit"
        : >stopped/stages/01-dedup/state/$file
        "$bin" dedup -q $method twice.jsonl -o stopped 2>err || { cat err; fail "$method: $file emptied, and it does not go on"; }
        rm -rf straight; "$bin" dedup -q $method twice.jsonl -o straight 2>/dev/null
        diff -r stopped/documents straight/documents || fail "$method: $file emptied, other documents"
        cmp stopped/stages/01-dedup/state/$name straight/stages/01-dedup/state/$name || fail "$method: $file emptied, another $name"
    done
done
rm -rf own2 whole2 stopped straight

# Down a pipe first: the folder then holds no documents.
"$bin" dedup -q in -o - --run piped >got || fail "to standard output"
"$bin" dedup --progress never in -o piped 2>err || { cat err; fail "documents that went down a pipe"; }
grep -q 'went down a pipe' err || { cat err; fail "no word of the pipe"; }
"$bin" verify -q piped >/dev/null && cat piped/documents/*.jsonl | cmp - got || fail "not the documents of the pipe"

# A link in the place of documents/: what it leads to stays.
mkdir own; cp in/a.jsonl own/a.jsonl; cp -r own kept
for mark in run/_SUCCESS no-such-file; do
    rm -r run/documents; ln -s ../own run/documents; rm -f $mark
    mended "a link for documents/" 'run/documents is no folder' any
    [ -d run/documents ] && [ ! -L run/documents ] || fail "documents/ is still a link"
    diff -r own kept || fail "where the link leads was touched"
done

# Mounts: nothing goes, neither what is mounted nor what lies beside it.
if ! unshare -m true 2>/dev/null; then echo "gone: ok, without mounts"; exit 0; fi
mounted() { # WHERE: three calls that replace results, with own mounted at done/WHERE
    rm -rf done src; cp -r in src; "$bin" dedup -q src -o done
    # shellcheck disable=SC2016  # expanded inside
    W=$bin unshare -m sh -c 'mount --bind own "done/$1" || exit 1
        find done -type f | LC_ALL=C sort | xargs cksum >before; : >err
        "$W" dedup -q src -o done --spaces --force 2>>err; [ $? = 2 ] || exit 1
        tail -n 30 in/b.jsonl >src/b.jsonl; "$W" dedup -q src -o done 2>>err; [ $? = 2 ] || exit 1
        "$W" dedup -q src -o - --run done >/dev/null 2>>err; [ $? = 2 ] || exit 1
        find done -type f | LC_ALL=C sort | xargs cksum | diff before -' sh "$1" ||
        { cat err; fail "$1: mounted, and results there were replaced"; }
    [ "$(grep -c "mounted at done/$1, .*nothing was removed" err)" = 3 ] || { cat err; fail "$1: no word of the mount"; }
    diff -r own kept || fail "$1: what was mounted there is gone"
    "$bin" verify -q done >/dev/null || fail "$1: the run is not what it was"
}
mounted documents
mounted stages/01-dedup/ledger
# A folder that is itself a mount is filled and replaced like another.
# shellcheck disable=SC2016  # expanded inside
W=$bin unshare -m sh -c 'mkdir disk && mount -t tmpfs t disk && "$W" dedup -q in -o disk &&
    "$W" dedup -q in -o disk --spaces --force && "$W" verify -q disk >/dev/null' || fail "a run folder on a disk of its own"
echo "gone: ok"
