#!/usr/bin/env python3
"""smoothing_pairs.py -- judgements from people's votes on pages, some of them turned.

    smoothing_pairs.py PAGES SEED NOISE FOLDER

PAGES has documents with label 1 (good) or 0 (bad).  A third of the pages of each kind is held out.
Each of the others stands in about four judgements, good against bad, of which a share NOISE is
turned around.  The judgements of held-out pages are as people voted in held.jsonl, and as wrong as
those to learn from in held-wrong.jsonl, as those of a real judge would be.  Writes judged.jsonl,
held.jsonl and held-wrong.jsonl with ids, and pages.jsonl.
"""
import json
import random
import subprocess
import sys

pages, seed, noise, folder = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
r = random.Random(seed)
lines = subprocess.run(["zstd", "-dc", pages], check=True, capture_output=True).stdout.decode().splitlines()
docs = [json.loads(line) for line in lines]
for i, d in enumerate(docs):
    d["id"] = "p%d" % i
kinds = {0: [], 1: []}
for d in docs:
    kinds[1 if d["label"] else 0].append(d["id"])
held, taught = {}, {}
for k, ids in kinds.items():
    r.shuffle(ids)
    held[k], taught[k] = ids[: len(ids) // 3], ids[len(ids) // 3 :]


def pairs(sides, each):
    """Every page `each` times or more: the rarer kind comes again and again."""
    most = max(len(sides[0]), len(sides[1]))
    for _ in range(each):
        good, bad = list(sides[1]), list(sides[0])
        r.shuffle(good)
        r.shuffle(bad)
        for i in range(most):
            yield good[i % len(good)], bad[i % len(bad)]


def write(name, sides, each, wrong):
    with open(folder + "/" + name, "w") as f:
        for good, bad in pairs(sides, each):
            first = r.random() < 0.5
            a, b = (good, bad) if first else (bad, good)
            better = "a" if first else "b"
            if r.random() < wrong:
                better = "b" if better == "a" else "a"
            f.write(json.dumps({"a": a, "b": b, "better": better}) + "\n")


write("judged.jsonl", taught, 4, noise)
write("held.jsonl", held, 4, 0)
write("held-wrong.jsonl", held, 4, noise)
with open(folder + "/pages.jsonl", "w") as f:
    for d in docs:
        f.write(json.dumps({"id": d["id"], "text": d["text"]}) + "\n")
