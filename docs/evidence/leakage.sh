#!/bin/sh
# Planted leakage: does a model gain on benchmark items that stand in its corpus, and does
# `decontaminate` take that gain away?  Three arms at equal tokens, five seeds, paired:
#
#   clean      text without any of the items
#   leaked     the same with half of the items planted, eight copies each (leakage_corpus.py)
#   cleaned    leaked, after `winnow decontaminate` with its defaults, which is given all items: whole documents go
#
# and the same once more with --action cut (an arm "cut" beside the clean one): only passages go.
#
#   leakage.sh        a quarter of an hour of one core; run again after an interruption it goes on
#
#   WINNOW_DATA  folder with clean/ instruct/ eval/         (../shared/data)
#   STATE        where it works                             (runs/evidence-leakage)
#   WINNOW       the program                                (build/release/winnow)
#
# Measures: `planted` and `control`, above chance, each half of the items; what is looked at is
# planted minus control, leaked minus clean.  leakage_table.py STATE prints the tables.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-leakage}
winnow=${WINNOW:-$root/build/release/winnow}

mkdir -p "$state"
cd "$state"
if [ ! -s cleaned/_SUCCESS ]; then
    python3 "$here/leakage_corpus.py" items "$data" .
    "$winnow" decontaminate -q --force --benchmark benchmark.jsonl text.jsonl -o background
    cp background/documents/text.jsonl background.jsonl
    python3 "$here/leakage_corpus.py" leak .
    "$winnow" decontaminate -q --force --benchmark benchmark.jsonl leaked.jsonl -o cleaned
fi
if [ ! -s cut/_SUCCESS ]; then
    "$winnow" decontaminate -q --force --benchmark benchmark.jsonl --action cut leaked.jsonl -o cut
fi
proof() { # FOLDER ARMS
    [ -s "$1/results.json" ] || nice -n "${NICE:-10}" "$winnow" prove background.jsonl -o "$1" --threads 1 \
        --arms "$2" --baseline before --primary planted --tasks planted.jsonl,control.jsonl --task-limit 0 \
        --tokens 450k --seeds 5 --compute bf16 --clean-rules none --eval-tokens 50k --cloze-items 0 --curve-points 0
}
proof proof before,leaked=leaked.jsonl,cleaned=cleaned/documents
proof proof-cut before,cut=cut/documents
