#!/bin/sh
# The built-in refiner: splits the pages, trains it as models/lines was trained (two
# minutes on two cores), and measures it beside rules, a logistic classifier and, where
# they are installed and there is raw HTML, trafilatura and jusText.
#
#   WINNOW_DATA  folder with pages/ noisy/ clean/ quality/ html/   (../shared/data)
#   STATE        where it works                                    (runs/evidence-refiner)
#   BUILD        where winnow, line_scores and line_logistic are   (build/release)
#   MODEL        a folder: measure this model instead; "builtin" for the one compiled in
#
# Needs python3, zstd and tar.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
build=${BUILD:-$root/build/release}
state=${STATE:-$root/runs/evidence-refiner}
mkdir -p "$state"
cd "$state"
[ -s templates.jsonl ] || python3 "$here/refiner_pages.py" "$data" .
train="train-wcxb.jsonl train-readability.jsonl train-newspaper.jsonl"
model=${MODEL:-model}
# shellcheck disable=SC2086  # the names hold no blanks
[ -n "${MODEL:-}" ] || [ -s model/config.json ] || "$build/winnow" refiner train-lines $train \
    --templates templates.jsonl --articles articles.jsonl --epochs 10 --keep-above 0.3 -o model

measure() { # set, pages, programs
    "$build/winnow" refiner eval -q "$2" --programs "$3" --name "$1" -o "$3.eval.json"
}
for set in wcxb cleanportal cleaneval dragnet; do
    echo "== $set"
    "$build/winnow" refiner eval -q "$set.jsonl" --name keep-all -o "$set.all.eval.json"
    # shellcheck disable=SC2086
    "$build/line_logistic" 4 $train -- "$set.jsonl" >"$set.logistic.raw"
    python3 "$here/refiner_rivals.py" . "$set" "$set.logistic.raw"
    "$build/line_scores" "$model" "$set.jsonl" >"$set.lines.jsonl"
    for who in c4like fineweb logistic lines; do
        measure "$who" "$set.jsonl" "$set.$who.jsonl"
    done
done
python3 "$here/refiner_curves.py" wcxb.jsonl wcxb.lines.jsonl

if python3 -c 'import trafilatura, justext' 2>/dev/null; then
    echo "== the pages of wcxb that have raw HTML"
    [ -d wcxb_dev ] || zstd -dcq "$data/html/html.tar.zst" | tar xf -
    python3 "$here/refiner_rivals.py" --html . wcxb wcxb_dev
    for who in trafilatura justext c4like fineweb logistic lines; do
        python3 "$here/refiner_rivals.py" --only wcxb.html.jsonl "wcxb.$who.jsonl" part.jsonl
        measure "$who" wcxb.html.jsonl part.jsonl
    done
fi

echo "== documents that people voted good or bad"
zstd -dcq "$data/quality/dclm_majority_data.jsonl.zst" >quality.jsonl
python3 "$here/refiner_curves.py" --lines quality.jsonl quality-lines.jsonl
"$build/line_scores" "$model" quality-lines.jsonl >quality.scores.jsonl
python3 "$here/refiner_curves.py" --quality quality.jsonl quality.scores.jsonl wcxb.jsonl wcxb.lines.jsonl
