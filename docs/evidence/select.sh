#!/bin/sh
# Which few rows of a mixed pool of instructions teach a target: pursuit beside the other
# methods, beside the target's own few examples, and beside the whole pool, at equal steps.
#
#   select.sh [SEED...]          seeds 0 to 4 one after another; run again, it goes on
#   select_table.py STATE        the tables of what is done
#
#   WINNOW_DATA  folder with clean/ and instruct/  (../shared/data)
#   STATE        where it works                    (runs/evidence-select)
#   WINNOW       the program                       (build/release/winnow)
#   RUN          what long commands are put behind (nothing)
#   COPIES       a share of near-copies added to the pool, in a state of its own  (0)
#
# A seed redraws pool, few-shots, tuning and test rows, warm-up, sketches' hash and order. Every arm
# trains the same model on as many tokens; the checkpoint of three that is best on the tuning rows
# is measured on the test rows.  The primary measure, named here before the run: NLL of the
# responses of the test rows, mean over targets, at a budget of half a per cent.
# Needs python3 with numpy, zstd.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-select}
winnow=${WINNOW:-$root/build/release/winnow}
copies=${COPIES:-0}
mkdir -p "$state"
cd "$state"

# The model that all seeds begin with: English, no instructions.
[ -s tokenizer.json ] || {
    zstd -dc "$data/clean/wiki.jsonl.zst" | head -n 4000 >wiki.jsonl
    "$winnow" tokenizer train -q --vocab 4096 wiki.jsonl "$data/instruct/p3.jsonl.zst" --text-key prompt \
        -o tokenizer.json
}
[ -s small/config.json ] || ${RUN:-} "$winnow" train wiki.jsonl -q -o small --tokenizer tokenizer.json \
    --tokens 1500k --dim 128 --layers 4 --heads 4 --context 256 --optimizer muon \
    --batch-tokens 2048 --lr 8e-3 --compute bf16 --threads 1 --document-tokens 512

# How every arm trains: rows, model folder, tokens, further options.
tune() {
    from=$1 out=$2 amount=$3
    shift 3
    "$winnow" train "$from" -q -o "$out" --init ../small --responses --tokens "$amount" \
        --epochs-max 1000 --keep-checkpoints 3 --batch-tokens 1024 --lr 1e-3 --warmup 0.1 \
        --weight-decay 0 --compute bf16 --threads 1 --seed "$seed" "$@"
}

# NLL of responses: model, rows.
nll() {
    "$winnow" eval --model "$1" --responses --compute bf16 --threads 1 -q "$2" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["results"]["heldout"]["nll"])'
}

# An arm: target, name, rows it trains on, tokens, further options.
arm() {
    target=$1 name=$2 rows=$3 length=$4
    shift 4
    [ ! -s "arms/$target-$name.json" ] || return 0
    rm -rf "arms/$target-$name"
    tune "$rows" "arms/$target-$name" "$length" "$@"
    best=
    for model in "arms/$target-$name"/trajectory/*; do
        best=$(printf '%s %s\n%s\n' "$(nll "$model" "$target-tune.jsonl")" "$model" "$best" |
            grep . | sort -g | head -n 1)
    done
    printf '{"target": "%s", "arm": "%s", "tune": %s, "checkpoint": "%s", "test": %s}\n' \
        "$target" "$name" "${best%% *}" "$(basename "${best#* }")" \
        "$(nll "${best#* }" "$target-test.jsonl")" >"arms/$target-$name.part"
    mv "arms/$target-$name.part" "arms/$target-$name.json"
    rm -rf "arms/$target-$name"
}

# A selection: target, name, method, budget, further options.
choose() {
    target=$1 name=$2 method=$3 budget=$4
    shift 4
    [ ! -s "chosen/$target-$name.json" ] || return 0
    rm -rf "chosen/$target-$name"
    "$winnow" select pool.jsonl -q -o "chosen/$target-$name" --method "$method" --budget "$budget" \
        --seed "$seed" --threads 1 "$@"
    python3 "$here/select_measure.py" . "$target" "chosen/$target-$name" >"chosen/$target-$name.json.part"
    mv "chosen/$target-$name.json.part" "chosen/$target-$name.json"
}

# Vectors: rows, name, further options.
vectors() {
    rows=$1 name=$2
    shift 2
    [ -s "vectors/$name/store.json" ] ||
        "$winnow" features "$rows" -q -o "vectors/$name" --threads 1 --seed "$seed" "$@"
}

# All arms of a target.
one_target() {
    t=$1
    for part in few test; do vectors "$t-$part.jsonl" "$t-$part" --like vectors/pool; done
    vectors "$t-few.jsonl" "$t-states" --like vectors/states
    gradients="--features vectors/pool --target-features vectors/$t-few"
    states="--features vectors/states --target-features vectors/$t-states"
    [ "$copies" != 0 ] || {
        arm "$t" few "$t-few.jsonl" "$tokens"
        arm "$t" pool pool.jsonl "$tokens"
        arm "$t" pool-4x pool.jsonl $((4 * tokens))
        [ ! -s "oracle-$t.jsonl" ] || arm "$t" oracle "oracle-$t.jsonl" "$tokens"
    }
    for share in ${BUDGETS:-0.5 2}; do
        choose "$t" "random-$share" random "$share%"
        choose "$t" "length-$share" random "$share%" --match-length --features vectors/pool --target "$t-few.jsonl"
        choose "$t" "top-k-$share" top-k "$share%" $gradients
        choose "$t" "round-robin-$share" round-robin "$share%" $gradients
        choose "$t" "rds-$share" rds "$share%" $states
        choose "$t" "projection-$share" projection "$share%" $states
        choose "$t" "gtp-$share" gtp "$share%" $gradients
        choose "$t" "gtp-mean-$share" gtp "$share%" --objective mean $gradients
        for name in random length top-k round-robin rds projection gtp-mean; do
            arm "$t" "$name-$share" "chosen/$t-$name-$share/documents" "$tokens"
        done
        chosen=chosen/$t-gtp-$share
        arm "$t" "gtp-uniform-$share" "$chosen/documents" "$tokens"
        arm "$t" "gtp-$share" "$chosen/documents" "$tokens" \
            --weights "$chosen/stages/01-select/attributes/select"
        arm "$t" "gtp-repeats-$share" "$chosen/documents" "$tokens" --weights-as repeats \
            --weights "$chosen/stages/01-select/attributes/select"
        for name in gtp round-robin random; do
            mkdir -p "both/$t-$name-$share"
            cp "$t-few.jsonl" "both/$t-$name-$share/"
            cp "chosen/$t-$name-$share/documents/"* "both/$t-$name-$share/"
            arm "$t" "few+$name-$share" "both/$t-$name-$share" "$tokens"
        done
    done
}

one_seed() {
    mkdir -p arms chosen vectors
    [ -s warm/config.json ] || tune warmup.jsonl warm 120k
    vectors pool.jsonl pool --model warm --context 256
    last=$(ls -d warm/trajectory/* | tail -n 1)
    vectors pool.jsonl states --model "$last" --context 256 --vectors states --pooling weighted
    for target in rotten_tomatoes common_gen quarel arc-easy; do one_target "$target"; done
}

tokens=${TOKENS:-24000}
[ $# -gt 0 ] || set -- 0 1 2 3 4
for seed; do
    folder=seed-$seed
    [ "$copies" = 0 ] || folder=$folder-copies
    [ -s "$folder/pool.jsonl" ] || python3 "$here/select_corpus.py" "$data" . "$seed" ${COPIES:-}
    (cd "$folder" && one_seed)
done
