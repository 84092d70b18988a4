#!/usr/bin/env python3
"""How much of each document stands elsewhere in its source, for pruning.md.

    pruning_shared.py CORPUS.jsonl

By source: the share of a document's runs of 5 words (lower case, each number 0) that another document of the source has,
too, at the tenth, the quarter, the middle, three quarters and nine tenths of its documents, and their mean."""
import collections, json, re, sys

sources = collections.defaultdict(list)
with open(sys.argv[1], encoding="utf-8") as f:
    for line in f:
        d = json.loads(line)
        words = re.findall(r"\w+", re.sub(r"\d+", "0", d["text"].lower()))
        sources[d["source"]].append({hash(tuple(words[i:i + 5])) for i in range(len(words) - 4)})
for source, documents in sources.items():
    times = collections.Counter(run for d in documents for run in d)
    shares = sorted(sum(times[run] > 1 for run in d) / max(1, len(d)) for d in documents)
    print(source, *(f"{shares[int(len(shares) * q)]:.2f}" for q in (.1, .25, .5, .75, .9)), f"mean {sum(shares) / len(shares):.2f}")
