#!/usr/bin/env python3
"""What batches chosen towards a target train on and are measured with, for training.sh choose.

    training_choose.py CORPUS FOLDER SEED

Of CORPUS (that of pruning.sh), drawn anew for each seed:
    FOLDER/pool.jsonl    8,000 documents, each source in its share, noise included
    FOLDER/source.jsonl  those of the pool that are of the target's source
    FOLDER/toward.jsonl  16 examples of what is wanted: instructions and answers, cut to 600 characters
    FOLDER/wanted.jsonl  150 held-out documents of that source
    FOLDER/others.jsonl  40 held-out documents of each other clean source
Nothing stands in two of them, but for source.jsonl.
"""
import json
import random
import sys

WANTED = "instruct"
corpus, folder, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
r = random.Random(seed)
with open(corpus) as f:
    rows = f.readlines()
r.shuffle(rows)
files = {name: [] for name in ("toward", "wanted", "others", "pool", "source")}
taken = {}
for row in rows:
    d = json.loads(row)
    source = d["source"]
    n = taken[source] = taken.get(source, 0) + 1
    if source == WANTED and n <= 16:
        d["text"] = d["text"][:600]
        files["toward"].append(json.dumps(d) + "\n")
    elif source == WANTED and n <= 166:
        files["wanted"].append(row)
    elif source not in (WANTED, "noise") and n <= 40:
        files["others"].append(row)
    elif len(files["pool"]) < 8000:
        files["pool"].append(row)
        if source == WANTED:
            files["source"].append(row)
for name, lines in files.items():
    with open("%s/%s.jsonl" % (folder, name), "w") as f:
        f.writelines(lines)
