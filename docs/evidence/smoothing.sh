#!/bin/sh
# Judgements of pages, 0, 10 and 30 % of them wrong: does smoothing keep a rater from learning
# the wrong ones by heart?
#
#   smoothing.sh [SEEDS]    splits of the pages, flips and trainings (default 5)
#
#   WINNOW_DATA  folder with quality/     (../shared/data)
#   STATE        where it works           (runs/evidence-smoothing)
#   WINNOW       the program              (build/release/winnow)
#
# 499 pages with people's votes; a third is held out, with judgements that are right ("held") and
# with such that are as wrong as those to learn from ("held-wrong").  Rates: the default, and ten
# times as much.  What is done already is not done again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-smoothing}
winnow=${WINNOW:-$root/build/release/winnow}
seeds=${1:-5}
for seed in $(seq 1 "$seeds"); do
    for noise in 0 0.1 0.3; do
        folder=$state/$seed-$noise
        mkdir -p "$folder"
        [ -s "$folder/pages.jsonl" ] ||
            python3 "$here/smoothing_pairs.py" "$data/quality/dclm_majority_data.jsonl.zst" "$seed" $noise "$folder"
        for lr in 0.01 0.1; do
            for how in "" 0.3 0.5; do
                for held in held held-wrong; do
                    [ "$noise-$held" != 0-held-wrong ] || continue # it is the same
                    out=$folder/$lr-${how:-none}-$held
                    [ ! -s "$out.json" ] || continue
                    # shellcheck disable=SC2086  # none or two options
                    "$winnow" quality train -q -t 1 --progress never --seed "$seed" --lr $lr ${how:+--smooth --smooth-rate $how} \
                        --pairs "$folder/judged.jsonl" --pairs-held "$folder/$held.jsonl" "$folder/pages.jsonl" \
                        -o "$out.bin" --results "$out.json" --force >"$out.log" 2>&1
                    rm -f "$out.bin"
                done
            done
        done
    done
done
python3 "$here/smoothing_table.py" "$state" "$seeds"
