#!/bin/sh
# Does refined text train the better model?  Two proofs, each with a small and a larger model:
#
#   pages      WCXB and Dragnet, refined by line models that were not trained on the page's site
#   injected   Wikipedia articles in real boilerplate of other sites, so that the truth is known
#   html       the 300 pages of WCXB that have raw HTML, with an arm for trafilatura; small only
#
# Arms, at equal tokens and without repetition: raw, rules (C4-like line rule), random (random lines, as
# many characters of a page as refining takes), refined, gold (as people cut the page; the article as it
# was).  The primary measure, named here before the run: NLL on held-out human text of other kinds
# (articles, novels, news), each kind weighing the same.  Run it again after an interruption and it goes on.
#
#   refining.sh [PROOF-SIZE...]     default: pages-small injected-small html-small pages-large injected-large
#
#   WINNOW_DATA  folder with pages/ clean/ eval/ noisy/   (../shared/data)
#   STATE        where it works                           (runs/evidence-refining)
#   WINNOW       the program                              (build/release/winnow)
#
# Results: $STATE/proof-*/results.json (partial.json after each seed before that); refining_table.py shows
# them.  Needs python3 and zstd; html-small is left out where python3 has no trafilatura.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=$(readlink -f "${WINNOW_DATA:-$root/../shared/data}")
winnow=$(readlink -f "${WINNOW:-$root/build/release/winnow}")
mkdir -p "${STATE:-$root/runs/evidence-refining}"
cd "${STATE:-$root/runs/evidence-refining}"
corpus="python3 $here/refining_corpus.py"

[ -s heldout/news.jsonl ] || $corpus heldout "$data" .
[ -s pages/raw.jsonl ] || $corpus pages "$data" .
[ -s injected/raw.jsonl ] || $corpus injected "$data" .

# The line model of each fold of sites, trained as models/lines was; that one itself is fold 0's.
[ -s train-3.jsonl ] || $corpus folds "$data" .
[ -s articles.jsonl ] || { zstd -dcq "$data/clean/wiki.jsonl.zst" | head -n 3000 >articles.part; mv articles.part articles.jsonl; }
[ -s templates.jsonl ] || { zstd -dcq "$data/noisy/debian_html_labelled.jsonl.zst" >templates.part; mv templates.part templates.jsonl; }
for k in 1 2 3; do
    [ -s "model-$k/config.json" ] || "$winnow" refiner train-lines -q "train-$k.jsonl" --templates templates.jsonl \
        --articles articles.jsonl --epochs 10 --keep-above 0.3 -o "model-$k"
done
for set in pages injected; do
    for raw in "$set"/raw-*.jsonl; do
        k=${raw##*-} k=${k%.jsonl}
        model=model-$k
        [ "$k" != 0 ] || model=builtin
        "$winnow" refine -q --refiner "$model" "$raw" -o "$set/refined-$k"
    done
    [ -s "$set/random.jsonl" ] || $corpus arms "$set"
done

[ $# -gt 0 ] || set -- pages-small injected-small html-small pages-large injected-large
for proof; do
    set=${proof%-*} tokens=3M seeds=5 trafilatura=
    if [ "$set" = html ]; then
        [ -s html/raw.jsonl ] || $corpus html "$data" . || { echo "skipped html: python3 has no trafilatura"; continue; }
        tokens=600k seeds=10 trafilatura=",trafilatura=html/trafilatura.jsonl"
    fi
    case ${proof#*-} in
    small) size="--dim 96 --layers 4 --heads 4 --vocab 2048 --lr 2e-3" ;;
    large) size="--dim 160 --layers 4 --heads 5 --vocab 4096 --lr 1.5e-3" ;;
    *) echo "usage: refining.sh [pages-small|injected-small|html-small|pages-large|injected-large]..." >&2; exit 2 ;;
    esac
    # shellcheck disable=SC2086  # the sizes are words
    nice -n "${NICE:-10}" "$winnow" prove -q "$set/raw.jsonl" -o "proof-$proof" $size \
        --arms "before,rules=$set/rules.jsonl,random=$set/random.jsonl,refined=$set/refined.jsonl,gold=$set/gold.jsonl$trafilatura" \
        --baseline before --primary macro --heldout heldout/wiki.jsonl,heldout/novels.jsonl,heldout/news.jsonl \
        --clean-rules none --clean heldout/wiki.jsonl,heldout/novels.jsonl,heldout/news.jsonl \
        --tokens $tokens --document-tokens 0 --seeds $seeds --optimizer adamw --batch-tokens 512 --compute bf16 \
        --eval-tokens 400k --cloze-items 100 --tasks "$data/eval/blimp.jsonl.zst" --task-limit 100
done
