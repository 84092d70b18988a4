#!/bin/sh
# SIGINT, SIGTERM and SIGHUP are heeded within about a second, whatever the program does
# (exit 130), and the same command goes on to the same bytes; a reader that leaves is no error.
#   tests/fault/signals.sh WINNOW
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail() { echo "$*"; exit 1; }
now() { echo $(($(date +%s%N) / 1000000)); }
most=${WINNOW_SIGNAL_MS:-2500} # a second, and what a busy machine adds

# Until it heeds signals: a program with sanitizers takes its time to start.
ready() {
    for _ in $(seq 500); do
        mask=$(sed -n 's/^SigCgt:.*\(....\)$/0x\1/p' "/proc/$1/status" 2>/dev/null)
        [ $((${mask:-0} & 0x4000)) != 0 ] && return
        sleep 0.02
    done
    fail "$1 does not heed SIGTERM after ten seconds"
}

# stopped NAME SIGNAL FED_BY COMMAND...: the command reads from a pipe that FED_BY fills.
stopped() {
    name=$1 signal=$2 feeder=$3; shift 3
    rm -f fifo; mkfifo fifo
    "$feeder" >fifo & fed=$!
    "$@" <fifo >out 2>err & pid=$!
    ready $pid
    sleep "${settle:-0.5}"
    start=$(now)
    kill -"$signal" $pid 2>/dev/null || { cat err; fail "$name: it ended before the signal"; }
    wait $pid; code=$?
    took=$(($(now) - start))
    kill $fed 2>/dev/null; wait $fed 2>/dev/null
    [ $code = 130 ] || { cat err; fail "$name: $signal gives $code instead of 130"; }
    [ $took -lt "$most" ] || fail "$name: $signal was heeded after $took ms"
    [ "$(grep -c interrupted err)" = 1 ] || { cat err; fail "$name: does not say that it was interrupted"; }
}
silent() { exec sleep 30; }
zeros() { exec cat /dev/zero; }
words() { exec yes '{"id":"a","text":"some words of a text"}'; }

for signal in INT TERM HUP; do stopped "silent pipe" $signal silent "$bin" count -q -; done
stopped "silent pipe into a run" TERM silent "$bin" dedup -q - -o a
stopped "silent pipe, pages" TERM silent "$bin" extract -q - -o b
stopped "silent pipe, documents out" TERM silent "$bin" dedup -q - -o -
stopped "spool of a silent pipe" TERM silent "$bin" prune -q - -o c
stopped "training on a silent pipe" TERM silent "$bin" tokenizer train -q - -o t.json
stopped "an endless line" TERM zeros "$bin" count -q -
stopped "endless documents" INT words "$bin" count -q -
mkfifo f.jsonl
stopped "a pipe that nobody opens" TERM silent "$bin" count -q f.jsonl
# One long document, many small ones, a long step.
awk 'BEGIN { srand(1); printf "{\"id\":\"a\",\"text\":\""; for (i = 0; i < 6000000; i++) printf "w%d ", rand() * 1e6; print "\"}" }' >long.jsonl
stopped "a long document" TERM silent "$bin" rules -q long.jsonl -o d
stopped "training of a tokenizer" TERM silent "$bin" tokenizer train -q --vocab 30000 long.jsonl -o t.json
"$here/../support/words.sh" 400 >small.jsonl
# One line that is folded, encoded or read by a model for seconds.
"$bin" train -q small.jsonl -o lm --tokens 2k --vocab 300 --dim 16 --heads 2 --layers 1 --context 64 --batch-tokens 256 >/dev/null || fail "train"
settle=0.3 stopped "a long line, folded" TERM silent "$bin" dedup -q --fold-case --spaces long.jsonl -o e
stopped "a long line, encoded" TERM silent "$bin" tokenizer encode -q --tokenizer lm/tokenizer.json long.jsonl -o e.npy; rm -f e.npy.winnow.tmp  # the next call takes it
settle=1 stopped "a long line, scored" TERM silent "$bin" score -q --model lm long.jsonl -o g
settle=1.5 stopped "training" INT silent "$bin" train -q small.jsonl -o m --tokens 40M --epochs-max 1e6 --vocab 300 --dim 32 --heads 1 --layers 1
settle=1.5 stopped "training, a long step" TERM silent "$bin" train -q small.jsonl -o m2 --tokens 40M --epochs-max 1e6 --vocab 300 --dim 256 --layers 8 --heads 4 --batch-tokens 65536
ls ./*.tmp 2>/dev/null && fail "left behind"

# The second signal ends at once.
"$bin" count -q - <fifo >/dev/null 2>err & pid=$!
sleep 30 >fifo & fed=$!
ready $pid
sleep 0.3
start=$(now); kill -TERM $pid; kill -TERM $pid; wait $pid; code=$?
kill $fed; wait $fed 2>/dev/null
[ $code = 130 ] && [ $(($(now) - start)) -lt "$most" ] || fail "two signals: $code"

# Nothing is lost: an interrupted run goes on.
"$here/make_corpus.sh" in 20000
"$bin" dedup -q in -o whole || fail "dedup"
for i in 1 2 3; do
    "$bin" dedup -q --checkpoint 0 in -o run 2>/dev/null & pid=$!
    sleep 0.0$((i * 3)); kill -TERM $pid 2>/dev/null; wait $pid
done
"$bin" dedup -q in -o run || fail "it does not go on"
diff -r whole/documents run/documents || fail "other bytes after signals"

# | head
for c in "count -q --by source small.jsonl" "help" "help prune" "dedup -q small.jsonl -o -"; do
    # shellcheck disable=SC2086  # words
    (sleep 0.3; "$bin" $c 2>err; echo $? >code) | :
    grep -v 'not kept' err && fail "$c: a reader that left is called an error"
    case $(cat code) in 0 | 141) ;; *) fail "$c: exit $(cat code)" ;; esac
done
echo "signals: ok"
