#!/bin/sh
# Every recipe of recipes/ runs as it stands, on small real input: two crawl files, Wikipedia and
# pages of other sources, benchmark items.  What is looked at: that it ends, that its folder
# verifies, that what it promises is there, and that a second call has nothing to do.
#   run.sh WINNOW [NAME]
set -eu
export LC_ALL=C
winnow=$(readlink -f "$1")
only=${2:-}
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
[ -d "$data/warc" ] && [ -d "$data/clean" ] || { echo "skipped: no $data"; exit 77; }
command -v zstd >/dev/null || { echo "skipped: no zstd"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
fail() { echo "FAILED: $*"; exit 1; }
head_of() { zstd -dcq "$1" 2>/dev/null | head -n "$2" || true; }

mkdir -p crawl corpora/wiki corpora/web corpora/c4 corpora/books benchmarks blocklists/adult
cp "$data"/warc/*.warc.gz crawl/
printf 'bad.example\n' >blocklists/adult/domains
head_of "$data/clean/wiki.jsonl.zst" 40 >corpora/wiki/a.jsonl
head_of "$data/noisy/crawl.jsonl.zst" 120 >corpora/web/a.jsonl
head_of "$data/noisy/small_samples.jsonl.zst" 120 >corpora/c4/a.jsonl
head_of "$data/clean/novels.jsonl.zst" 2 >corpora/books/a.jsonl
for t in boolq arc_easy; do
    f=$(find "$data/eval" -name "$t*.jsonl.zst" | sort | head -n 1)
    [ -z "$f" ] || head_of "$f" 200 >"benchmarks/$t.jsonl"
done
# Documents name their source by where they lie, whatever else they say.
for d in wiki web c4 books; do
    python3 - "corpora/$d/a.jsonl" "$d" <<'PY'
import json, sys
path, source = sys.argv[1:]
rows = [json.loads(line) for line in open(path)]
with open(path, "w") as f:
    for i, r in enumerate(rows):
        text = r["text"] if "text" in r else "\n".join(r["lines"])
        f.write(json.dumps({"id": f"{source}-{i}", "text": text[:20000], "source": source}) + "\n")
PY
done
"$winnow" tokenizer train -q corpora --vocab 1000 -o tokenizer.json
"$winnow" quality train -q corpora/wiki --against corpora/web --dim 8 --bucket 5000 --epochs 3 --holdout 0 -o quality.bin >/dev/null

kept() { cat "runs/$1/documents"/*.jsonl* | (zstd -dcq 2>/dev/null || cat "runs/$1/documents"/*.jsonl) | wc -l; }
for recipe in "$root"/recipes/*.yaml; do
    name=$(basename "$recipe" .yaml)
    [ "$name" != debian-docs ] || continue # needs the network: ./demo runs it
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    "$winnow" run -q "$recipe" 2>said || fail "$name: exit $?: $(cat said)"
    "$winnow" verify -q "runs/$name" || fail "$name does not verify"
    [ -s "runs/$name/report.html" ] || fail "$name has no report"
    [ "$(find "runs/$name/documents" -type f | wc -l)" -gt 0 ] || fail "$name keeps nothing"
    before=$(cat "runs/$name/_SUCCESS")
    "$winnow" run -q "$recipe" 2>said || fail "$name again: $(cat said)"
    [ "$before" = "$(cat "runs/$name/_SUCCESS")" ] || fail "$name: a second call made something"
    echo "$name: $("$winnow" count -q "runs/$name" | tail -n 1 | cut -f 2) documents"
done

if [ -z "$only" ] || [ "$only" = warc-to-tokens ]; then # the files as nanoGPT reads them
    python3 - <<'PY'
import array, json
t = json.load(open("runs/warc-to-tokens/tokens/tokens.json"))
specials = json.load(open("tokenizer.json"))["added_tokens"]
end = next(s["id"] for s in specials if s["content"] == "<|endoftext|>")
for part in ("train", "val"):
    if part not in t:
        continue
    ids = array.array("H", open(f"runs/warc-to-tokens/tokens/{part}.bin", "rb").read())
    assert len(ids) == t[part]["tokens"], part
    assert ids.count(end) == t[part]["documents"] and (not ids or ids[-1] == end), part
assert t["train"]["documents"] > 5
PY
fi
echo "recipes: ok"
