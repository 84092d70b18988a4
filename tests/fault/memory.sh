#!/bin/sh
# --memory changes how many blocks are on their way, never a byte of what comes out:
# large lines beside small ones, under several limits and thread counts.  With a second
# argument, bench/memory.py then measures that limits are kept (not under sanitizers).
#   memory.sh WINNOW [measure]
set -u
winnow=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail() { echo "FAILED: $*"; exit 1; }

# 30 small lines, a line of 5 MB, and so on: lines that wait stand between others.
awk 'BEGIN {
    for (n = 0; n < 3000; n++) text = text "the cat sat on the mat and looked at number " n " of all. \\n"
    large = text; while (length(large) < 5000000) large = large text
    for (d = 0; d < 62; d++)
        printf "{\"id\": \"%d\", \"text\": \"%d %s\"}\n", d, d, d % 31 == 30 ? large : substr(text, 1 + 900 * (d % 100), 60 + 40 * (d % 100))
}' >in.jsonl

sums() { (cd "$1" && find stages/*/documents stages/*/removed stages/*/attributes stages/*/ledger -type f 2>/dev/null | sort | xargs cksum); }
for stage in "rules --edit" dedup "dedup --method minhash" "dedup --unit line"; do
    "$winnow" $stage -q -t 1 in.jsonl -o whole || fail "$stage"
    sums whole >want
    [ -s want ] || fail "$stage wrote nothing"
    for limit in "200M -t 1" "300M -t 7"; do
        "$winnow" $stage -q --memory $limit in.jsonl -o out 2>err || { cat err; fail "$stage --memory $limit"; }
        sums out >got
        cmp -s want got || { diff want got | head -5; fail "$stage --memory $limit: other bytes"; }
        rm -rf out
    done
    rm -rf whole
done

# No room for a line: a sentence with what does, which then does; nothing is lost.
"$winnow" rules -q --memory 64M -t 1 in.jsonl -o out 2>err && fail "5 MB fitted where they cannot"
grep -q 'in.jsonl:31: a line of .* needs --memory' err || { cat err; fail "no sentence"; }
for try in 1 2 3; do # how many words the line has is known when it has been read
    least=$(sed 's/.*needs* --memory \([0-9]*M\).*/\1/' err)
    "$winnow" rules -q --memory "$least" -t 1 in.jsonl -o out 2>err && break
    [ $try = 3 ] && { cat err; fail "$least is not enough"; }
done
"$winnow" rules -q -t 2 in.jsonl -o whole || fail rules
sums whole >want
sums out >got
cmp -s want got || fail "other bytes after a resume with more memory"

# What grows with distinct words and sources: the sentence's limit does, and the tokenizer is
# the one of no limit, though batches are smaller.
awk 'BEGIN {
    srand(5)
    for (d = 0; d < 12; d++) {
        printf "{\"id\": \"%d\", \"source\": \"%d\", \"text\": \"", d, d
        for (n = 0; n < 30000; n++) {
            w = ""; for (k = 0; k < 12; k++) w = w substr("abcdefghijklmnopqrstuvwxyz", 1 + int(26 * rand()), 1)
            printf " %s", w
        }
        print "\"}"
    }
}' >words.jsonl
awk 'BEGIN { for (n = 0; n < 400000; n++) printf "{\"id\": \"%d\", \"text\": \"a b\", \"source\": \"a source of its own, of some length, number %d\"}\n", n, n }' >sources.jsonl
grows() {
    "$winnow" $1 -q --memory 64M -t 2 2>err && fail "$1 fitted where it cannot"
    grep -q "$2.* needs --memory [0-9]*M at least" err || { cat err; fail "$1: no sentence"; }
    least=$(sed 's/.*needs* --memory \([0-9]*M\).*/\1/' err)
    "$winnow" $1 -q --memory "$least" -t 2 >rows 2>err || { cat err; fail "$1: $least is not enough"; }
}
grows "tokenizer train --vocab 600 words.jsonl -o t.json" "as many distinct words"
mv t.json limited.json
"$winnow" tokenizer train --vocab 600 words.jsonl -o t.json -q || fail "tokenizer train"
cmp t.json limited.json || fail "another tokenizer under a limit"
grows "count --by source sources.jsonl" "as many sources"
[ "$(wc -l <rows)" = 400002 ] || fail "count lost rows"

# Ids and sources of two megabytes each: neither the ledger's index nor the counts hold them.
awk 'BEGIN { x = "x"; while (length(x) < 2000000) x = x x; for (n = 0; n < 30; n++) printf "{\"id\": \"%d%s\", \"text\": \"text %d\"}\n", n, x, n }' >ids.jsonl
sed 's/\([0-9]\)x*/\1/' ids.jsonl >short.jsonl
awk 'BEGIN { x = "x"; while (length(x) < 2000000) x = x x; for (n = 0; n < 30; n++) printf "{\"id\": \"%d\", \"text\": \"text %d\", \"source\": \"%d%s\"}\n", n, n, n, x }' >names.jsonl
for f in ids names; do
    "$winnow" holdout -q --share 50% --memory 64M -t 1 $f.jsonl -o $f 2>err || { cat err; fail "long $f"; }
    "$winnow" verify -q $f >/dev/null || fail "long $f: verify"
done
"$winnow" holdout -q --share 50% short.jsonl -o short || fail "short ids"
[ "$(cat ids/documents/*.jsonl | wc -l)" = "$(cat short/documents/*.jsonl | wc -l)" ] || fail "long ids: other documents"
[ "$(wc -c <names/stages/01-holdout/stats.json)" -lt 200000 ] || fail "long sources stand in stats.json"

if [ -n "${2:-}" ]; then
    for f in ids names; do
        python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
sys.exit(0 if peak <= 64 else "%d MB, --memory is 64M" % peak)' "$winnow" holdout -q --share 50% --memory 64M -t 1 $f.jsonl -o $f.again || fail "long $f"
    done
    python3 "$here/../../bench/memory.py" "$winnow" --quick || fail "a limit was passed"
fi
echo ok
