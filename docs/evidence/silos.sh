#!/bin/sh
# Pages that stay in five silos, good ones rare, a fifth of the labels by chance: what do choosing and
# balancing gain, and what does it cost that the documents stay where they are?
#
#   silos.sh [SEEDS]        splits of the pages (default 5)
#
#   WINNOW_DATA  folder with quality/     (../shared/data)
#   STATE        where it works           (runs/evidence-silos)
#   WINNOW       the program              (build/release/winnow)
#
# Held-out pages have people's votes as they are; the rater of all silos together ("central") is one
# silo of all pages.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-silos}
winnow=${WINNOW:-$root/build/release/winnow}
seeds=${1:-5}
for seed in $(seq 1 "$seeds"); do
    folder=$state/$seed
    mkdir -p "$folder"
    [ -s "$folder/held.jsonl" ] || python3 "$here/silos_pages.py" "$data/quality/dclm_majority_data.jsonl.zst" "$seed" "$folder"
    cat "$folder"/silo?/pages.jsonl >"$folder/all.jsonl"
    for choose in no-choose choose; do
        for balance in none weights smote; do
            for where in silos central; do
                out=$folder/$choose-$balance-$where
                [ -s "$out.scores" ] && continue
                if [ $where = silos ]; then set -- "$folder"/silo?; else set -- "$folder/all.jsonl"; fi
                "$winnow" quality train -q -t 1 --seed "$seed" --silos --label-key label --holdout 0 --bucket 100000 --lr 0.05 \
                    --$choose --rebalance $balance "$@" -o "$out.bin" >/dev/null 2>&1
                "$winnow" quality -q -t 1 --model "$out.bin" "$folder/held.jsonl" -o "$out.run" >/dev/null 2>&1
                cat "$out.run"/stages/01-quality/attributes/quality/held.jsonl >"$out.scores"
                rm -rf "$out.bin" "$out.run"
            done
        done
    done
done
python3 "$here/silos_table.py" "$state" "$seeds"
