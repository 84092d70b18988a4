#!/bin/sh
# Near-copies, and repeated lines: the same bytes whatever the threads, the shards, the memory
# (less than what is sorted, so that it spills) and kill -9.
#   dedup.sh WINNOW KILLS [DOCUMENTS [MEMORY]]
set -u
winnow=$(readlink -f "$1") && [ -x "$winnow" ] || { echo "no program: $1"; exit 1; }
kills=${2:-4}
count=${3:-40000}
memory=${4:-82M} # what minhash takes at least is some 80M
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail() { echo "FAILED: $*"; exit 1; }

# Families of near-copies, some of them exact, lines that many share; a bad line.
mkdir one many
awk -v n="$count" 'BEGIN {
    srand(3)
    for (i = 0; i < n; i++) {
        if (i % 4 == 0 || i % 7 == 0) for (k = 0; k < 40; k++) w[k] = sprintf("%c%c%c", 97 + rand() * 26, 97 + rand() * 26, 97 + rand() * 26)
        else if (i % 3 == 0) w[int(rand() * 40)] = "other"
        text = ""; for (k = 0; k < 40; k++) text = text w[k] (k % 10 == 9 ? "\\n\\n" : " ")
        if (i == 9) print "no document"
        printf "{\"id\":\"d%d\",\"source\":\"s%d\",\"text\":\"%sshared by all of family %d\"}\n", i, i % 3, text, i % 50
    } }' >one/all.jsonl
head -n 3 one/all.jsonl >many/a.jsonl
sed -n "4,$((count / 2))p" one/all.jsonl | zstd -q >many/b.jsonl.zst
sed -n "$((count / 2 + 1)),\$p" one/all.jsonl >many/c.jsonl

prints() { (cd "$1" && find . -type f ! -name timings.json ! -name input.json ! -name .lock ! -name recipe.yaml | sort | xargs md5sum); }
all() { # RUN WHAT: of all shards, one behind the other
    for f in "$1/$2"/*; do case $f in *.zst) zstd -qdc "$f" ;; *) cat "$f" ;; esac; done
}

# campaign OPTION...
campaign() {
    start=$(date +%s%N)
    "$winnow" dedup -q -t 1 "$@" one -o whole 2>/dev/null || fail "dedup $*"
    whole=$((($(date +%s%N) - start) / 1000000))
    prints whole >want
    [ "$(wc -l <whole/stages/01-dedup/ledger/all.jsonl)" = "$count" ] || fail "$*: documents are missing"
    grep -qE '"verdict": "(remove|edit)"' whole/stages/01-dedup/ledger/all.jsonl || fail "$* found nothing"
    for how in "-t 2" "-t 7" "-t 2 --memory $memory" "-t 1 --memory $memory"; do
        # shellcheck disable=SC2086  # several words
        "$winnow" dedup -q $how "$@" one -o out 2>err || { cat err; fail "dedup $how $*"; }
        prints out >got
        cmp -s want got || { diff want got; fail "$*: $how gives other bytes"; }
        rm -rf out
    done
    "$winnow" dedup -q "$@" many -o out 2>/dev/null || fail "dedup $* of several shards"
    all out documents >got
    cmp -s whole/documents/all.jsonl got || fail "$*: several shards give other documents"
    all out stages/01-dedup/ledger | sed 's/"line": [0-9]*, //' >got
    sed 's/"line": [0-9]*, //' whole/stages/01-dedup/ledger/all.jsonl | cmp -s - got || fail "$*: several shards give another ledger"
    rm -rf out
    done=0; round=0
    while [ $done -lt "$kills" ]; do
        round=$((round + 1))
        [ $round -gt $((kills * 8)) ] && fail "only $done kills met the run"
        t=$(awk -v seed="$round" -v whole=$whole 'BEGIN { srand(seed * 7919); printf "%.3f", rand() * whole / 1000 }')
        "$winnow" dedup -q -t $((1 + round % 2)) --checkpoint 0 "$@" one -o out >/dev/null 2>err &
        pid=$!
        sleep "$t"
        kill -KILL $pid 2>/dev/null
        wait $pid 2>/dev/null
        code=$?
        if [ $code = 137 ]; then
            done=$((done + 1))
            [ $((done % 2)) = 0 ] || continue # two kills on one run, then let it end
            "$winnow" dedup -q --checkpoint 0 "$@" one -o out 2>err || { cat err; fail "$*: it does not go on after a kill"; }
        elif [ $code != 0 ]; then
            cat err; fail "$*: exit $code"
        fi
        prints out >got
        cmp -s want got || { diff want got; fail "$*: other bytes after $done kills"; }
        rm -rf out
    done
    "$winnow" verify -q whole || fail "$*: verify"
    rm -rf whole out
    echo "dedup $*: the same bytes under all ($done kills, $whole ms uninterrupted)"
}

campaign --method minhash
campaign --method minhash --verify exact --keep longest
campaign --unit line
campaign --unit paragraph --spaces --fold-case
