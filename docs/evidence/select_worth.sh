#!/bin/sh
# Do the values that train --value gathers find noise that was put into a corpus, and is the corpus
# better without the documents of negative value?
#
#   FOREIGN=FILE select_worth.sh [SEED...]   seeds 0 to 2; run again, it goes on
#   select_worth_table.py STATE              the tables of what is done
#
#   FOREIGN      German text                          (fortunes-de of Debian, all files in one)
#   WINNOW_DATA  folder with clean/ and noisy/        (../shared/data)
#   STATE        where it works                       (runs/evidence-select-worth)
#   WINNOW       the program                          (build/release/winnow)
#
# Rivals of the value: the NLL a token and the NLL a document that the same model, trained, gives.
# Arms, on as many tokens: the pool; without negative values; without as many of the highest NLL a token;
# without as many by chance; without the noise.  Needs python3 with numpy, zstd.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-select-worth}
winnow=${WINNOW:-$root/build/release/winnow}
mkdir -p "$state"
cd "$state"

train() {
    "$winnow" train "$1" -q -o "$2" --tokenizer ../tokenizer.json --dim 64 --layers 2 --heads 2 \
        --context 256 --batch-tokens 2048 --lr 4e-3 --compute bf16 --threads 1 --seed "$seed" \
        --optimizer adamw --tokens 1M --epochs-max 1000 "$3" "$4"
}

curve() { # arm: its NLL on clean text along the way
    [ ! -s "$1.curve" ] || return 0
    rm -rf "model-$1"
    train "$1.jsonl" "model-$1" --keep-checkpoints 20
    for model in "model-$1"/trajectory/*; do
        printf '%s %s\n' "$(basename "$model")" "$("$winnow" eval --model "$model" --compute bf16 --threads 1 -q \
            test.jsonl | python3 -c 'import json, sys; print(json.load(sys.stdin)["results"]["heldout"]["nll"])')"
    done >"$1.part"
    mv "$1.part" "$1.curve"
    rm -rf "model-$1"
}

[ $# -gt 0 ] || set -- 0 1 2
for seed; do
    [ -s "seed-$seed/test.jsonl" ] ||
        python3 "$here/select_mixed.py" "$data" noisy "seed-$seed" "$seed" "$FOREIGN"
    [ -s tokenizer.json ] || "$winnow" tokenizer train -q --vocab 2048 "seed-$seed/pool.jsonl" -o tokenizer.json
    (
        cd "seed-$seed"
        [ -s valued/value/values.jsonl ] || train pool.jsonl valued --value target.jsonl
        [ -s scored/_SUCCESS ] || "$winnow" score -q --threads 1 --model valued pool.jsonl -o scored
        [ -s noise.jsonl ] || python3 "$here/select_worth_table.py" parts .
        for name in pool worth nll chance noise; do curve "$name"; done
    )
done
