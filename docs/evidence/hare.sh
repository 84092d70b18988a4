#!/bin/sh
# HARE in miniature: cleaned text (D1), texts made of it (D2), tasks made of those (D3), with
# templates as the model.  Three arms at equal tokens, three seeds, paired:
#
#   before    D1
#   d12       D1 + D2
#   d123      D1 + D2 + D3
#
#   hare.sh      a quarter of an hour of one core; run again after an interruption it goes on
#
#   WINNOW_DATA  folder with clean/                         (../shared/data)
#   STATE        where it works                             (runs/evidence-hare)
#   WINNOW       the program                                (build/release/winnow)
#
# Measures, accuracy above chance among four: `held` questions in D3's form about people of whom
# nothing but D1 tells, `choice` the same with the choices in the question, `free` sentences about
# them to be ended, `seen` questions about people of whom D2 and D3 tell, too, and `raw`, NLL of
# held-out documents of D1.  hare_world.py says the
# rest.  pruning_table.py STATE/proof/results.json prints the table.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-hare}
winnow=${WINNOW:-$root/build/release/winnow}

mkdir -p "$state"
cd "$state"
make() { # MAKE PER-SEED INPUT OUTPUT
    [ -s "$4/_SUCCESS" ] || "$winnow" synthesize -q --force --make "$1" --per-seed "$2" --originals aside \
        --benchmark held.jsonl,free.jsonl "$3" -o "$4"
}
if [ ! -s arm-123.jsonl ]; then
    python3 "$here/hare_world.py" world "$data" .
    grep '"source": "seed"' d1.jsonl >seeds.jsonl
    make texts 1 seeds.jsonl d2
    make tasks 4 d2/documents d3
    zstd -dcq d2/documents/synthetic-*.zst >d2.jsonl
    zstd -dcq d3/documents/synthetic2-*.zst >d3.jsonl
    python3 "$here/hare_world.py" arms . d2.jsonl d3.jsonl 3.2e6
fi
exec nice -n "${NICE:-10}" "$winnow" prove arm-1.jsonl -o proof --threads 1 \
    --arms before,d12=arm-12.jsonl,d123=arm-123.jsonl --baseline before --primary held \
    --tasks held.jsonl,seen.jsonl,choice.jsonl,free.jsonl --task-limit 0 --tokens 750k --seeds 3 \
    --compute bf16 --clean-rules none --eval-tokens 50k --cloze-items 0 --curve-points 0
