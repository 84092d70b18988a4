#!/bin/sh
# Does the back-door estimate of `study causal` say what happens when statements are taken away and added,
# and the model is trained again?
#
#   causal.sh [SEEDS]       worlds and trainings (default 5)
#
#   WINNOW_DATA  folder with clean/    (../shared/data)
#   STATE        where it works        (runs/evidence-causal)
#   WINNOW       the program           (build/release/winnow)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-causal}
winnow=${WINNOW:-$root/build/release/winnow}
seeds=${1:-5}
for seed in $(seq 1 "$seeds"); do
    folder=$state/$seed
    mkdir -p "$folder"
    [ -s "$folder/flipped.jsonl" ] || python3 "$here/causal_world.py" "$seed" "$data/clean/wiki.jsonl.zst" "$folder"
    for world in "as" "do"; do # "do": half of the choices turned
        [ -s "$folder/$world/config.json" ] || "$winnow" train -q "$folder/$world.jsonl" --dim 96 --layers 2 --heads 4 --vocab 2048 --context 128 --batch-tokens 2048 \
            --tokens 1500k --epochs-max 20 --seed "$seed" -t 1 --progress never -o "$folder/$world" >/dev/null
        "$winnow" study causal -q -t 1 --seed "$seed" --items "$folder/facts.jsonl" --model "$folder/$world" "$folder/$world.jsonl" \
            -o "$folder/$world-study" >/dev/null
    done
done
python3 "$here/causal_table.py" "$state" "$seeds"
