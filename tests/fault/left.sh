#!/bin/sh
# What killed calls leave is cleared by the next call or named by verify, which also refuses
# files that no stage wrote; a model is finished when all of it is there, whoever failed.
#   tests/fault/left.sh WINNOW [LIBFAIL]
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
lib=${2:+$(readlink -f "$2")}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail() { echo "$*"; exit 1; }
seq 60 | sed 's/.*/{"id":"d&","text":"some words & of a text"}/' >in.jsonl

# A spool that was never whole, in the folder of a call that needs none.
mkfifo fifo
{ cat in.jsonl; exec sleep 30; } >fifo & fed=$!
"$bin" prune -q - -o run <fifo >/dev/null 2>&1 & pid=$!
i=0; until [ -s run/stdin.jsonl.winnow.tmp ] || [ $i = 100 ]; do sleep 0.1; i=$((i + 1)); done
kill -9 $pid 2>/dev/null; kill $fed; wait $pid $fed 2>/dev/null
[ -s run/stdin.jsonl.winnow.tmp ] || fail "no spool was begun"
"$bin" dedup -q in.jsonl -o run || fail "the folder of a killed call is not taken"
[ -z "$(find run -name '*.tmp')" ] || fail "the next call left $(find run -name '*.tmp')"
"$bin" verify -q run >out 2>err || { cat err; fail "verify"; }
[ ! -s err ] || { cat err; fail "verify warns of a whole run"; }

# Litter is named and does no harm; a file in a stream does.
touch run/stages/01-dedup/progress-dedup.json run/ledger.db.winnow.tmp
"$bin" verify -q run/ >out 2>err || { cat err; fail "litter is no error"; }
[ "$(grep -c 'left of a call that was killed' err)" = 2 ] || { cat err; fail "litter is not named"; }
rm run/stages/01-dedup/progress-dedup.json run/ledger.db.winnow.tmp
for stray in documents stages/01-dedup/ledger stages/01-dedup/attributes/x; do
    mkdir -p "run/$stray"; cp in.jsonl "run/$stray/stray.jsonl"
    "$bin" verify -q run >out 2>err && fail "a stray file in $stray is verified"
    grep -q "$stray/stray.jsonl is of no stage" err || { cat err; fail "the stray file in $stray is not named"; }
    rm "run/$stray/stray.jsonl"
done
"$bin" verify -q run >/dev/null || fail "verify, without the strays"

# A checkpoint beside a finished model goes; parts of another kind of model, half done, too.
small="--vocab 300 --dim 16 --heads 1 --layers 1 --context 32 --batch-tokens 128"
# shellcheck disable=SC2086  # words
train() { "$bin" train -q in.jsonl -o "$1" --tokens 1k --epochs-max 1e6 $small >/dev/null; }
train model || fail "train"
mkdir model/checkpoint; touch model/checkpoint/trainer.bin
train model || fail "train, once more"
[ ! -e model/checkpoint ] || fail "the checkpoint stays beside a finished model"
mkdir half; echo 'winnow model 1' >half/.winnow; touch half/chat_template.jinja half/config.json.winnow.tmp; mkdir half/adapter
train half || fail "a half done folder is not taken over"
diff -r -x .lock -x .winnow -x training.json model half || fail "parts of the half done model stay"

[ -n "$lib" ] || { echo "left: ok, without the failing file system"; exit 0; }
# A model that cannot be written is not finished, and no work is lost over it.
mkdir count; LD_PRELOAD=$lib WINNOW_FAIL_UNDER=$tmp WINNOW_FAIL_COUNT=$tmp/counts train count/model || fail "count"
renames=$(sed -n 's/^rename //p' counts)
for n in 0 1 2 3 4; do
    n=$((renames - n))
    rm -rf broken
    LD_PRELOAD=$lib WINNOW_FAIL_UNDER=$tmp WINNOW_FAIL_KIND=rename WINNOW_FAIL_AT=$n train broken 2>err &&
        fail "rename $n fails and nobody says so"
    train broken 2>err || { cat err; fail "rename $n: the next call does not go on"; }
    diff -r -x .lock -x .winnow -x training.json model broken || fail "rename $n: another model"
done
echo "left: ok"
