#!/bin/sh
# Pages that stay in five silos, good ones rare, labels right or a fifth of them by chance: what do
# choosing and balancing gain, and what does it cost that the documents stay where they are?
#
#   silos.sh [SEEDS]        splits of the pages (default 5)
#
#   WINNOW_DATA  folder with quality/ clean/ noisy/   (../shared/data)
#   STATE        where it works                       (runs/evidence-silos)
#   WINNOW       the program                          (build/release/winnow)
#
# Two tasks (silos_pages.py): people's votes, and articles among pages of a crawl.  Held-out pages
# have their labels as they are.  "central" is one silo of all pages, by the same rules.  What is
# done already is not done again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-silos}
winnow=${WINNOW:-$root/build/release/winnow}
seeds=${1:-5}

# rate FOLDER OUT CHOOSE BALANCE SEED SILO...: trains and scores what is held out
rate() {
    folder=$1 out=$2 choose=$3 balance=$4 seed=$5
    shift 5
    [ ! -s "$out.scores" ] || return 0
    rm -rf "$out.run"
    [ -s "$out.bin" ] || "$winnow" quality train -q -t 1 --progress never --seed "$seed" --silos --label-key label --holdout 0 \
        --bucket 100000 --lr 0.05 --"$choose" --rebalance "$balance" "$@" -o "$out.bin" >"$out.log" 2>&1
    "$winnow" quality -q -t 1 --progress never --model "$out.bin" "$folder/held.jsonl" -o "$out.run" >>"$out.log" 2>&1
    cat "$out.run"/stages/01-quality/attributes/quality/held.jsonl >"$out.part"
    mv "$out.part" "$out.scores"
    rm -rf "$out.bin" "$out.run"
}

for seed in $(seq 1 "$seeds"); do
    for task in votes crawl; do
        for wrong in 0 0.2; do
            folder=$state/$task-$wrong-$seed
            mkdir -p "$folder"
            [ -s "$folder/held.jsonl" ] || python3 "$here/silos_pages.py" $task "$data" $wrong "$seed" "$folder"
            cat "$folder"/silo?/pages.jsonl >"$folder/all.jsonl"
            for choose in no-choose choose; do
                for balance in none weights smote; do
                    rate "$folder" "$folder/$choose-$balance-silos" "$choose" "$balance" "$seed" "$folder"/silo?
                    rate "$folder" "$folder/$choose-$balance-central" "$choose" "$balance" "$seed" "$folder/all.jsonl"
                done
            done
        done
    done
done
python3 "$here/silos_table.py" "$state" "$seeds"
