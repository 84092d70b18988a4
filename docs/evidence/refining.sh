#!/bin/sh
# Does refined text train the better model?  Proofs with the defaults of `winnow prove` (Muon, 2,048
# tokens a step, rate 8e-3; 400k tokens of held-out text):
#
#   html       pages of WCXB that come with their HTML, as `winnow extract` reads them; 400k tokens an
#              arm, which every arm has; four seeds, three at the other size and rate
#   scarce     of these only the ones that no refiner has seen, as a fixed pool: each arm has what its
#              method leaves of them and repeats it to 450k tokens, as many as there are raw; three seeds
#   injected   Wikipedia articles in real boilerplate of other sites, so that the truth is known; 450k, three
#              seeds
#   pages      WCXB and Dragnet as lines of text, without tags; 450k, three seeds
#
# A proof is named SET-SIZE or SET-SIZE-half: small 0.53M parameters (the default), large 1.6M; half the rate.
# Other sizes and rates have four arms: raw, rules, refined, and trafilatura (html) or random; the latter 300k
# tokens, measured with 200k.
#
#   refining.sh [PROOF...]       default: html-small scarce-small html-small-half injected-large
#
# Arms: raw ("before"), rules (C4-like line rule), refined, gold (as people cut the page; the article as it
# was), random (random lines, as many characters of a page as refining takes); with HTML also trafilatura (at
# the settings that did best in structure.md), and in html alone: refined by the lines alone, where refined
# reads tags, too.  No page is refined by a line model that has seen its site: models/lines refines fold 0 of
# the sites, a model trained like it each other fold of FOLDS.
#
# The primary measure, named here before the run: NLL on held-out human text of other kinds (articles,
# novels, news), each kind weighing the same ("macro").  Run it again after an interruption and it goes on.
#
#   FOLDS        folds of sites whose pages take part       ("0 1"; all: "0 1 2 3", two more models)
#   WINNOW_DATA  folder with pages/ clean/ html/ noisy/     (../shared/data)
#   STATE        where it works                             (runs/evidence-refining)
#   WINNOW       the program                                (build/release/winnow)
#   PYTHON       one that has trafilatura and lxml_html_clean, for html and scarce   (python3)
#   THREADS      at once                                    (1)
#
# Results: $STATE/proof-*/results.json (partial.json after each seed before that); refining_table.py shows
# them.  Needs python3 and zstd.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=$(readlink -f "${WINNOW_DATA:-$root/../shared/data}")
winnow=$(readlink -f "${WINNOW:-$root/build/release/winnow}")
python=${PYTHON:-python3} folds=${FOLDS:-0 1}
mkdir -p "${STATE:-$root/runs/evidence-refining}"
cd "${STATE:-$root/runs/evidence-refining}"
corpus="$python $here/refining_corpus.py"
low="nice -n ${NICE:-19}"

usage() {
    echo "usage: refining.sh [html|scarce|injected|pages]-[small|large][-half]..." >&2
    exit 2
}

# The line model of each fold of sites but the first, trained as models/lines was.
train_models() {
    [ -s train-3.jsonl ] || $corpus folds "$winnow" "$data" .
    [ -s articles.jsonl ] || { zstd -dcq "$data/clean/wiki.jsonl.zst" | head -n 3000 >articles.part; mv articles.part articles.jsonl; }
    [ -s templates.jsonl ] || { zstd -dcq "$data/noisy/debian_html_labelled.jsonl.zst" >templates.part; mv templates.part templates.jsonl; }
    for k in $1; do
        [ "$k" = 0 ] || [ -s "model-$k/config.json" ] || $low "$winnow" refiner train-lines -q -t "${THREADS:-1}" "train-$k.jsonl" \
            --templates templates.jsonl --articles articles.jsonl --epochs 10 --keep-above 0.3 -o "model-$k"
    done
}

# Each part by its fold's model: what, its parts' name in the set's folder, the run's.
refine() {
    for part in "$1/$2"-*.jsonl; do
        k=${part##*-} k=${k%.jsonl}
        model=model-$k
        [ "$k" != 0 ] || model=builtin
        [ -e "$1/$3-$k/_SUCCESS" ] || $low "$winnow" refine -q -t "${THREADS:-1}" --refiner "$model" "$part" -o "$1/$3-$k"
    done
}

prepare() { # set
    case $1 in
    html | scarce)
        of=$folds
        [ "$1" = html ] || of=0
        train_models "$of"
        [ -s "$1/trafilatura.jsonl" ] || $corpus html "$winnow" "$data" . "$1" "$of"
        refine "$1" tags refined
        refine "$1" raw alone
        ;;
    pages)
        train_models "$folds"
        [ -s pages/raw.jsonl ] || $corpus pages "$data" . "$folds"
        refine pages raw refined
        ;;
    injected)
        [ -s injected/raw.jsonl ] || $corpus injected "$data" .
        refine injected raw refined
        ;;
    *) usage ;;
    esac
    [ -s "$1/random.jsonl" ] || $corpus arms "$1"
}

prove() { # proof
    set=${1%%-*} size=${1#*-} tokens=450k seeds=3 more=
    arms="before,rules=$set/rules.jsonl,refined=$set/refined.jsonl,gold=$set/gold.jsonl"
    case $set in
    html) tokens=400k arms="$arms,alone=html/alone.jsonl,trafilatura=html/trafilatura.jsonl,random=html/random.jsonl" ;;
    scarce) more=--fixed-pool arms="$arms,trafilatura=scarce/trafilatura.jsonl,random=scarce/random.jsonl" ;;
    *) arms="$arms,random=$set/random.jsonl" ;;
    esac
    case $1 in
    html-small) seeds=4 ;;
    *-small | scarce-*) ;;
    html-*) arms="before,rules=html/rules.jsonl,refined=html/refined.jsonl,trafilatura=html/trafilatura.jsonl" ;;
    *) arms="before,rules=$set/rules.jsonl,refined=$set/refined.jsonl,random=$set/random.jsonl" tokens=300k more="--eval-tokens 200k" ;;
    esac
    case $size in
    small) ;;
    small-half) more="$more --lr 4e-3" ;;
    large) more="$more --dim 160 --layers 4 --heads 5" ;;
    large-half) more="$more --dim 160 --layers 4 --heads 5 --lr 4e-3" ;;
    *) usage ;;
    esac
    # shellcheck disable=SC2086  # the options are words
    $low "$winnow" prove -q -t "${THREADS:-1}" "$set/raw.jsonl" -o "proof-$1" --arms "$arms" --baseline before --primary macro \
        --heldout heldout/wiki.jsonl,heldout/novels.jsonl,heldout/news.jsonl --clean-rules none \
        --tokens $tokens --document-tokens 0 --seeds $seeds --compute bf16 --cloze-items 0 --curve-points 4 $more
}

[ -s heldout/news.jsonl ] || $corpus heldout "$data" .
[ $# -gt 0 ] || set -- html-small scarce-small html-small-half injected-large
for proof; do
    prepare "${proof%%-*}"
    prove "$proof"
done
