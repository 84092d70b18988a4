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
#   DEDUP        1: with COPIES, the pool after dedup --method minhash, in a state of its own too  (0)
#   TARGETS      names, among them gsm8k, openbookqa and boolq     (the four that lead the table)
#   BUDGETS      per cent                                          (0.5 2)
#   ARMS         names without budget, as "few gtp few+gtp"        (all)
#   SLOW         0: without loss-drop and shapley, minutes each    (1)
#   LONG         0: without the pool three times over              (1)
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
dedup=${DEDUP:-0}
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
    case " ${ARMS:-$name} " in *" $name "* | *" ${name%-*} "*) ;; *) return 0 ;; esac
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
    case " ${ARMS:-${name%-*}} " in *" ${name%-*} "*) ;; *) return 0 ;; esac
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

# What a document was worth to the target while the model trained on the whole pool once.
worth() {
    [ -s "values/$1/value/values.jsonl" ] ||
        "$winnow" train pool.jsonl -q -o "values/$1" --init ../small --responses --epochs 1 \
            --batch-tokens 4096 --lr 1e-3 --warmup 0.1 --weight-decay 0 --compute bf16 --threads 1 \
            --seed "$seed" --value "$1-few.jsonl"
}

# The whole pool three times over, every tenth of the way measured: one training for all targets,
# the best point of each on its tuning rows ("pool-best") and the last ("pool-epochs").
whole_pool() {
    t=$1
    [ ! -s "arms/$t-pool-best.json" ] || return 0
    [ -s warm-pool/config.json ] || "$winnow" train pool.jsonl -q -o warm-pool --init ../small \
        --responses --epochs 3 --keep-checkpoints 10 --batch-tokens 1024 --lr 1e-3 --warmup 0.1 \
        --weight-decay 0 --compute bf16 --threads 1 --seed "$seed"
    for model in warm-pool/trajectory/*; do
        printf '%s %s\n' "$(nll "$model" "$t-tune.jsonl")" "$model"
    done >"arms/$t-pool.curve"
    point "$t" pool-epochs "$(tail -n 1 "arms/$t-pool.curve")"
    point "$t" pool-best "$(sort -g "arms/$t-pool.curve" | head -n 1)"
    rm "arms/$t-pool.curve"
}

# A line of "tuning-loss model" as the record of an arm.
point() {
    printf '{"target": "%s", "arm": "%s", "tune": %s, "checkpoint": "%s", "test": %s}\n' \
        "$1" "$2" "${3%% *}" "$(basename "${3#* }")" "$(nll "${3#* }" "$1-test.jsonl")" >"arms/$1-$2.part"
    mv "arms/$1-$2.part" "arms/$1-$2.json"
}

# As often through the documents as the whole pool was, the last model.
same_epochs() {
    [ ! -s "arms/$1-$2-epochs.json" ] || return 0
    rm -rf "arms/$1-epochs"
    "$winnow" train "$3" -q -o "arms/$1-epochs" --init ../small --responses --epochs 3 \
        --batch-tokens 1024 --lr 1e-3 --warmup 0.1 --weight-decay 0 --compute bf16 --threads 1 --seed "$seed"
    point "$1" "$2-epochs" "null arms/$1-epochs"
    rm -rf "arms/$1-epochs"
}

# The few examples and a selection together.
both() {
    mkdir -p "both/$1-$2"
    cp "$1-few.jsonl" "chosen/$1-$2/documents/"* "both/$1-$2/"
    arm "$1" "few+$2" "both/$1-$2" "$tokens"
    rm -rf "both/$1-$2"
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
        choose "$t" "gtp-$share" gtp "$share%" --objective each $gradients
        choose "$t" "gtp-mean-$share" gtp "$share%" --objective mean $gradients
        choose "$t" "facility-$share" facility "$share%" --features vectors/pool
        names="random length top-k round-robin rds projection facility gtp-mean"
        [ "${SLOW:-1}" = 0 ] || {
            worth "$t"
            choose "$t" "shapley-$share" shapley "$share%" --scores "values/$t/value"
            choose "$t" "loss-drop-$share" loss-drop "$share%" --model "$last" --target "$t-few.jsonl"
            names="$names shapley loss-drop"
        }
        for name in $names; do
            arm "$t" "$name-$share" "chosen/$t-$name-$share/documents" "$tokens"
        done
        chosen=chosen/$t-gtp-$share
        arm "$t" "gtp-uniform-$share" "$chosen/documents" "$tokens"
        arm "$t" "gtp-$share" "$chosen/documents" "$tokens" \
            --weights "$chosen/stages/01-select/attributes/select"
        arm "$t" "gtp-repeats-$share" "$chosen/documents" "$tokens" --weights-as repeats \
            --weights "$chosen/stages/01-select/attributes/select"
        chosen=chosen/$t-gtp-mean-$share
        arm "$t" "gtp-mean-weights-$share" "$chosen/documents" "$tokens" \
            --weights "$chosen/stages/01-select/attributes/select"
        [ "$copies" = 0 ] || continue
        for name in gtp gtp-mean round-robin top-k rds random; do both "$t" "$name-$share"; done
        [ "$share" != 0.5 ] || [ "${LONG:-1}" = 0 ] || {
            whole_pool "$t"
            for name in random top-k round-robin rds gtp gtp-mean; do
                same_epochs "$t" "$name-$share" "chosen/$t-$name-$share/documents"
            done
        }
    done
}

one_seed() {
    mkdir -p arms chosen vectors values
    [ -s warm/config.json ] || tune warmup.jsonl warm 120k
    vectors pool.jsonl pool --model warm --context 256
    last=$(ls -d warm/trajectory/* | tail -n 1)
    vectors pool.jsonl states --model "$last" --context 256 --vectors states --pooling weighted
    for target in ${TARGETS-rotten_tomatoes common_gen quarel arc-easy}; do one_target "$target"; done
}

# The pool with copies once more, without what minhash finds of them: folder seed-N-deduped.
without_copies() {
    [ -s "seed-$seed-deduped/pool.jsonl" ] || {
        rm -rf "seed-$seed-deduped"
        mkdir "seed-$seed-deduped"
        cp "$folder"/*.jsonl "seed-$seed-deduped/"
        rm "seed-$seed-deduped/pool.jsonl"
        "$winnow" dedup -q --method minhash --threshold 0.5 --bands 20 --rows 4 --text-key prompt \
            "$folder/pool.jsonl" -o "seed-$seed-deduped/once"
        cp "seed-$seed-deduped/once/documents/pool.jsonl" "seed-$seed-deduped/"
    }
    folder=seed-$seed-deduped
}

tokens=${TOKENS:-24000}
[ $# -gt 0 ] || set -- 0 1 2 3 4
for seed; do
    folder=seed-$seed
    [ "$copies" = 0 ] || folder=$folder-copies
    [ -s "$folder/boolq-test.jsonl" ] || python3 "$here/select_corpus.py" "$data" . "$seed" ${COPIES:-}
    [ "$dedup" = 0 ] || without_copies
    (cd "$folder" && one_seed)
done
