#!/usr/bin/env python3
"""silos_pages.py -- labelled pages in silos that are unlike each other.

    silos_pages.py TASK DATA WRONG SEED FOLDER

TASK is `votes` (499 pages with people's votes) or `crawl` (1,500 texts, the first 400 characters of
articles of Wikipedia, which are good, and of pages of a crawl).  A third is held out.  Five silos;
good pages become rare (a quarter of them stays), and silos get unequal shares of each label.  Of the
pages to train on a share WRONG gets a label by chance; `held` pages keep theirs: the program's own
hold-out would have wrong labels, so what is measured is scored apart (held.jsonl).
"""
import json
import os
import random
import subprocess
import sys

task, data, wrong, seed, folder = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
r = random.Random(seed)


def rows(name):
    text = subprocess.run(["zstd", "-dc", "%s/%s.jsonl.zst" % (data, name)], check=True, capture_output=True).stdout
    return [json.loads(line) for line in text.splitlines()[:3000]]


def some(name, label):
    texts = [d["text"][:400] for d in rows(name) if len(d["text"]) >= 200]
    return [{"text": t, "label": label} for t in r.sample(texts, 750)]


if task == "votes":
    docs = rows("quality/dclm_majority_data")
else:
    docs = some("clean/wiki", 1) + some("noisy/crawl", 0)
r.shuffle(docs)
held, taught = docs[: len(docs) // 3], docs[len(docs) // 3 :]
taught = [d for d in taught if not d["label"] or r.random() < 0.25]
shares = {0: [r.random() + 0.2 for _ in range(5)], 1: [r.random() + 0.2 for _ in range(5)]}
silos = [[] for _ in range(5)]
for i, d in enumerate(taught):
    label = 1 if d["label"] else 0
    silo = r.choices(range(5), shares[label])[0]
    if r.random() < wrong:
        label = int(r.random() < 0.5)
    silos[silo].append({"id": "t%d" % i, "text": d["text"], "label": label})
for i, silo in enumerate(silos):
    os.makedirs("%s/silo%d" % (folder, i), exist_ok=True)
    with open("%s/silo%d/pages.jsonl" % (folder, i), "w") as f:
        f.writelines(json.dumps(d) + "\n" for d in silo)
with open(folder + "/held.jsonl", "w") as f:
    f.writelines(json.dumps({"id": "h%d" % i, "text": d["text"], "label": 1 if d["label"] else 0}) + "\n" for i, d in enumerate(held))
