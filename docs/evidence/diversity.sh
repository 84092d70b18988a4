#!/bin/sh
# A quarter of real mixed text by chance, by chance with equal sources, by a quality classifier
# alone, and diversified with quality that holds within clusters: which trains the better model,
# at equal tokens?
#
#   diversity.sh SEEDS    the first SEEDS of five seeds (default 5); go on with more
#
#   WINNOW_DATA  folder with clean/ noisy/ instruct/ quality/ eval/   (../shared/data)
#   STATE        where it works                                       (runs/evidence-diversity)
#   WINNOW       the program                                          (build/release/winnow)
#
# The arms, each of a quarter of the documents:
#   random     drawn by hash
#   balanced   as many of each source, of small sources all
#   quality    the highest scores of a classifier (quality train on DCLM's majority-voted pages)
#   diverse    semdedup, then of each cluster of what is left the highest scores of its own
#
# The primary measure, named here before the run: macro NLL of clean held-out text, in which each
# source weighs the same.  It favours balancing by construction; sources are told one by one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-diversity}
winnow=${WINNOW:-$root/build/release/winnow}
seeds=${1:-5}
share=25%

mkdir -p "$state"
cd "$state"
[ -s corpus.jsonl ] || python3 "$here/pruning_corpus.py" "$data" corpus.jsonl
[ -s hq.bin ] || "$winnow" quality train -q --label-key label --word-ngrams 2 --minn 2 --maxn 4 \
    "$data/quality/dclm_majority_data.jsonl.zst" -o hq.bin
[ -f scored/_SUCCESS ] || "$winnow" quality -q --model hq.bin corpus.jsonl -o scored
[ -f random/_SUCCESS ] || "$winnow" select -q --method random --budget $share corpus.jsonl -o random
[ -s balanced.jsonl ] || python3 "$here/diversity_balanced.py" corpus.jsonl 0.25 balanced.jsonl
[ -f quality/_SUCCESS ] || "$winnow" prune -q --score-name winnow__quality --criterion high --rate $share \
    --score-attribute scored/stages/01-quality/attributes/quality corpus.jsonl -o quality
cat >diverse.yaml <<RECIPE
winnow: 1
input: [corpus.jsonl]
output: diverse
stages:
  - quality: {model: hq.bin}
  - diversify: {method: semdedup, eps: 0.1}
  - prune: {by: cluster, score-from: quality, criterion: high, rate: RATE}
RECIPE
# The rate by which a quarter of all is left of what semdedup leaves.
if [ ! -f diverse/_SUCCESS ]; then
    [ -f dedup/_SUCCESS ] || "$winnow" diversify -q --eps 0.1 corpus.jsonl -o dedup
    rate=$(awk -v all="$(wc -l <corpus.jsonl)" -v left="$(wc -l <dedup/documents/corpus.jsonl)" \
        'BEGIN { printf "%.4f", 0.25 * all / left }')
    sed -i "s/RATE/$rate/" diverse.yaml
    "$winnow" run -q diverse.yaml
fi
"$winnow" prove corpus.jsonl -o proof --threads 1 --seeds "$seeds" --baseline random --primary macro \
    --arms random=random/documents,balanced=balanced.jsonl,quality=quality/documents,diverse=diverse/documents \
    --tokens 600k --dim 64 --layers 2 --heads 2 --eval-tokens 150k --cloze-items 0 --task-limit 60 \
    --compute bf16 --clean-rules gopher --curve-points 4 \
    --tasks "$data/eval/blimp.jsonl.zst" 2>>log
python3 "$here/pruning_table.py" proof/results.json
