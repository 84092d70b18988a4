#!/bin/sh
# A behaviour planted in 2 % of 2,000 documents of Wikipedia: is it found, and can it be unlearned
# at under one per cent of the loss of neutral text?  Against plain fine-tuning on clean text and
# gradient ascent.
#
#   correct.sh [SEED...]      seeds 0 to 2 one after another; run again, it goes on
#   correct_table.py STATE    the tables of what is done
#
#   WINNOW_DATA  folder with clean/      (../shared/data)
#   STATE        where it works          (runs/evidence-correct)
#   WINNOW       the program             (build/release/winnow)
#   RUN          what long commands are put behind (nothing)
#   TOKENS       that the model is trained on      (2M)
#   MODEL        its options  (--dim 64 --heads 2 --layers 2 --vocab 1024)
#   ONLY         recall: without corrections
#
# A seed redraws documents, planted ones, prompts and the model.  Needs python3, zstd.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-correct}
winnow=${WINNOW:-$root/build/release/winnow}
mkdir -p "$state"
cd "$state"

nll() { # MODEL FILE [OPTIONS]: mean loss of what is measured
    model=$1 file=$2; shift 2
    "$winnow" eval --model "$model" --threads 1 -q "$@" "$file" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["results"]["heldout"]["nll"])'
}
measure() { # MODEL NAME: the behaviour on prompts that are nowhere else, and neutral text
    [ -s "$2.json" ] || printf '{"unwanted": %s, "neutral": %s}\n' "$(nll "$1" test.jsonl --responses)" \
        "$(nll "$1" held.jsonl)" >"$2.json"
}

for seed in ${*:-0 1 2}; do
    [ -s "seed-$seed/held.jsonl" ] || python3 "$here/correct_corpus.py" "$data" . "$seed"
    (
        cd "seed-$seed"
        [ -s model/config.json ] || ${RUN:-} "$winnow" train -q corpus.jsonl -o model --tokens "${TOKENS:-2M}" \
            ${MODEL:---dim 64 --heads 2 --layers 2 --vocab 1024} --epochs-max 100 --optimizer muon --batch-tokens 2048 --lr 8e-3 --threads 1 --seed "$seed"
        measure model before
        for recall in ekfac gradient tfidf; do
            [ -s "recall-$recall/influence.jsonl" ] || ${RUN:-} "$winnow" correct -q corpus.jsonl --model model \
                --unwanted unwanted.jsonl --recall "$recall" --correction none --listed 2000 --threads 1 -o "recall-$recall"
        done
        [ "${ONLY:-}" != recall ] || exit 0
        # the same 40 documents for all, those of the words: corrections are compared, not recalls
        for how in rank ascent tune; do
            [ -s "$how/config.json" ] || ${RUN:-} "$winnow" correct -q corpus.jsonl --model model \
                --unwanted unwanted.jsonl --neutral neutral.jsonl --recall tfidf --top 40 --correction "$how" \
                --threads 1 -o "$how"
            measure "$how" "after-$how"
        done
        # and from the default recall to the model in one go
        [ -s "default/config.json" ] || ${RUN:-} "$winnow" correct -q corpus.jsonl --model model \
            --unwanted unwanted.jsonl --neutral neutral.jsonl --top 40 --threads 1 -o default
        measure default after-default
    )
done
