#!/bin/sh
# What the line model gains from a page's tags, beside HTML extractors on the same pages: labels
# the lines of pages with HTML by their structure, trains as models/lines was trained, measures.
# docs/evidence/structure.md has the tables.
#
#   WINNOW_DATA  folder with pages/ noisy/ clean/ html/     (../shared/data)
#   STATE        where it works                             (runs/evidence-structure)
#   BUILD        where winnow and line_scores are           (build/release)
#   MODEL        a folder: measure this model instead of training one; "builtin" for the one
#                compiled in
#   FOLDS        some or all: also trains on four of five folds by site, five times, on pages with
#                HTML, a few others and news, as models/lines, or on all but news, and fits what
#                calibrates a model; with some, news pages by models that did not see their sites
#   SEED SPLIT   of all trainings, and of the folds (0; another SPLIT needs another STATE)
#   FUNDUS       a checkout of flairNLP/fundus              (cloned; as of 18da6e5)
#   BENCHMARK    one of scrapinghub/article-extraction-benchmark, whose sites nothing here is
#                trained on                                 (cloned)
#
# Needs git, python3, zstd, tar; trafilatura, resiliparse, jusText, readability-lxml and
# lxml_html_clean for the comparison.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
build=${BUILD:-$root/build/release}
state=${STATE:-$root/runs/evidence-structure}
mkdir -p "$state"
cd "$state"

checkout() { # name, commit
    [ -d "${1#*/}" ] || git clone -q --filter=blob:none "https://github.com/$1" "${1#*/}"
    [ -z "${2:-}" ] || git -C "${1#*/}" checkout -q "$2"
}
if [ ! -s templates.jsonl ]; then
    [ -n "${FUNDUS:-}" ] || checkout flairNLP/fundus 18da6e53592f99cf0ac5770dc63d6ba99ba63ae8
    [ -n "${BENCHMARK:-}" ] || checkout scrapinghub/article-extraction-benchmark
    python3 "$here/structure_pages.py" "$build/winnow" "$data" . "${FUNDUS:-fundus}" \
        "${BENCHMARK:-article-extraction-benchmark}"
fi

some() { # model, seed, pages: those with HTML and a few others, in a fifth of the time
    "$build/winnow" refiner train-lines "$3" --templates some-templates.jsonl --per-template 2 \
        --articles some-articles.jsonl --epochs 6 --keep-above 0.3 --seed "$2" -o "$1" \
        ${4:+"$4" "$5"}
}
train() { # model, seed, pages and options...
    out=$1 seed=$2
    shift 2
    "$build/winnow" refiner train-lines "$@" --templates templates.jsonl \
        --articles articles.jsonl --epochs 10 --keep-above 0.3 --seed "$seed" -o "$out"
}
pages="train-wcxb.jsonl train-readability.jsonl train-newspaper.jsonl"
model=${MODEL:-model}
# Pages without tags are read by weights that never saw any.
if [ -z "${MODEL:-}" ] && [ ! -s model/config.json ]; then
    # shellcheck disable=SC2086  # three files
    train alone "${SEED:-0}" $pages --structure-dropout 1
    some model "${SEED:-0}" some.train.jsonl --lines-alone alone
fi
for set in wcxb cleanportal cleaneval dragnet; do
    "$build/line_scores" "$model" "$set.jsonl" >"$set.scores.jsonl"
    "$build/line_scores" --lines-alone "$model" "$set.jsonl" >"$set.alone.jsonl"
    echo "== $set, all pages"
    python3 "$here/structure_table.py" "$set.jsonl" with=$set.scores.jsonl "lines alone=$set.alone.jsonl"
done
echo "== the held-out pages of wcxb that have HTML"
if python3 -c 'import trafilatura, resiliparse, justext, readability' 2>/dev/null; then
    python3 "$here/structure_table.py" wcxb.jsonl with=wcxb.scores.jsonl \
        "lines alone=wcxb.alone.jsonl" --html html --types
else
    echo "skipped beside extractors: they are not installed"
fi
[ -n "${FOLDS:-}" ] || exit 0
# Models of the folds, not calibrated; what calibrates them is written into a copy of the model.
names="fold-$FOLDS-${SEED:-0}"
for k in 0 1 2 3 4; do
    [ -s "$names-$k/config.json" ] || if [ "$FOLDS" = all ]; then
        train "$names-$k" "${SEED:-0}" "fold-$k.train.jsonl"
    else
        some "$names-$k" "${SEED:-0}" "some-$k.train.jsonl"
    fi
    "$build/line_scores" "$names-$k" "fold-$k.test.jsonl" >"$names-$k.scores.jsonl"
    "$build/line_scores" --lines-alone "$names-$k" "fold-$k.test.jsonl" >"$names-$k.alone.jsonl"
done
echo "== five folds by site"
python3 "$here/structure_table.py" 'fold-{}.test.jsonl' "with=$names-{}.scores.jsonl" \
    "lines alone=$names-{}.alone.jsonl" --folds --types
echo "== calibrated"
rm -rf calibrated && mkdir calibrated && cp "$root/models/lines/config.json" calibrated/
python3 "$here/structure_calibrate.py" 'fold-{}.test.jsonl' "$names-{}.scores.jsonl" \
    "$names-{}.alone.jsonl" calibrated 0.3
[ "$FOLDS" = some ] || exit 0
echo "== news pages by models that did not see their sites"
for k in 0 1 2 3 4; do
    "$build/line_scores" "$names-$k" "news-$k.test.jsonl" >"$names-$k.news.jsonl"
done
# path_share, page_share and the log-odds asked: "calibration" of models/lines/config.json.
python3 "$here/structure_folds.py" 'news-{}.test.jsonl' "$names-{}.news.jsonl" html/news .8 .6 -2
