#!/usr/bin/env python3
"""refiner_lora_split.py PAGES.jsonl.zst OUT [TRAIN [TEST]]: pages to train on, pages to
test on, and a few short ones whose loss chooses the weights that stay; drawn by the hash
of their ids, so that every call draws the same."""
import hashlib
import json
import subprocess
import sys

train = int(sys.argv[3]) if len(sys.argv) > 3 else 300
test = int(sys.argv[4]) if len(sys.argv) > 4 else 60
text = subprocess.run(["zstd", "-dc", sys.argv[1]], capture_output=True, check=True).stdout
pages = [json.loads(line) for line in text.splitlines()]
pages.sort(key=lambda p: hashlib.sha1(p["id"].encode()).hexdigest())
rest = pages[train + test:]
parts = {
    "train": pages[:train],
    "test": pages[train:train + test],
    "validate": [p for p in rest if 20 <= len(p["lines"]) <= 60][:12],
}
for name, part in parts.items():
    with open(f"{sys.argv[2]}/{name}.jsonl", "w", encoding="utf-8") as f:
        for p in part:
            p["text"] = "\n".join(p["lines"])  # what `winnow refine` reads
            f.write(json.dumps(p, ensure_ascii=False) + "\n")
