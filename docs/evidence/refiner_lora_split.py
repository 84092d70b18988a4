#!/usr/bin/env python3
"""refiner_lora_split.py PAGES.jsonl.zst OUT [TRAIN [TEST]]: pages to train on, a few short
ones whose loss chooses the weights that stay, and pages to test on; drawn by the hash of
their ids, so that every call draws the same.  Test pages are shorter than 9,000 characters
and of sites that neither this refiner nor the embedded one (refiner_pages.py) has seen."""
import hashlib
import json
import subprocess
import sys

from refiner_pages import FOLDS, site

train = int(sys.argv[3]) if len(sys.argv) > 3 else 300
test = int(sys.argv[4]) if len(sys.argv) > 4 else 40
text = subprocess.run(["zstd", "-dc", sys.argv[1]], capture_output=True, check=True).stdout
pages = [json.loads(line) for line in text.splitlines()]
pages.sort(key=lambda p: hashlib.sha1(p["id"].encode()).hexdigest())
for p in pages:
    p["text"] = "\n".join(p["lines"])  # what `winnow refine` reads
parts = {
    "train": pages[:train],
    # Not the next 60: they were looked at while the method was worked out.
    "validate": [p for p in pages[train + 60:] if 20 <= len(p["lines"]) <= 60][:12],
}
seen = {site(p) for part in parts.values() for p in part}


def is_new(p):
    held_out = int(hashlib.sha256(site(p).encode()).hexdigest(), 16) % FOLDS == 0
    return held_out and site(p) not in seen and len(p["text"]) < 9000


parts["test"] = [p for p in pages if is_new(p)][:test]
for name, part in parts.items():
    with open(f"{sys.argv[2]}/{name}.jsonl", "w", encoding="utf-8") as f:
        for p in part:
            f.write(json.dumps(p, ensure_ascii=False) + "\n")
