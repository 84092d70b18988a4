#!/usr/bin/env python3
"""silos_pages.py -- voted pages in silos that are unlike each other.

    silos_pages.py PAGES SEED FOLDER

Five silos; good pages become rare (a quarter of them stays), and silos get unequal shares of each
label.  Of the pages to train on a fifth gets a label by chance; `held` pages keep people's votes: the
program's own hold-out would have wrong labels, so what is measured is scored apart (held.jsonl).
"""
import json
import os
import random
import subprocess
import sys

pages, seed, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
r = random.Random(seed)
lines = subprocess.run(["zstd", "-dc", pages], check=True, capture_output=True).stdout.decode().splitlines()
docs = [json.loads(line) for line in lines]
r.shuffle(docs)
held, taught = docs[: len(docs) // 3], docs[len(docs) // 3 :]
taught = [d for d in taught if not d["label"] or r.random() < 0.25]
shares = {0: [r.random() + 0.2 for _ in range(5)], 1: [r.random() + 0.2 for _ in range(5)]}
silos = [[] for _ in range(5)]
for i, d in enumerate(taught):
    label = 1 if d["label"] else 0
    silo = r.choices(range(5), shares[label])[0]
    if r.random() < 0.2:
        label = int(r.random() < 0.5)
    silos[silo].append({"id": "t%d" % i, "text": d["text"], "label": label})
for i, silo in enumerate(silos):
    os.makedirs("%s/silo%d" % (folder, i), exist_ok=True)
    with open("%s/silo%d/pages.jsonl" % (folder, i), "w") as f:
        f.writelines(json.dumps(d) + "\n" for d in silo)
with open(folder + "/held.jsonl", "w") as f:
    f.writelines(json.dumps({"id": "h%d" % i, "text": d["text"], "label": 1 if d["label"] else 0}) + "\n" for i, d in enumerate(held))
