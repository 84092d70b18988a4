#!/usr/bin/env python3
"""As many documents of each source as a share of all gives, of small sources all, by hash.

    diversity_balanced.py CORPUS.jsonl SHARE OUT.jsonl"""
import hashlib, json, os, sys

corpus, share, out = sys.argv[1], float(sys.argv[2]), sys.argv[3]
by_source = {}
with open(corpus, encoding="utf-8") as f:
    for n, line in enumerate(f):
        d = json.loads(line)
        draw = hashlib.sha256(d["id"].encode()).digest()
        by_source.setdefault(d["source"], []).append((draw, n))
budget = round(share * sum(map(len, by_source.values())))
left, chosen = budget, set()
for i, rows in enumerate(sorted(by_source.values(), key=len)):
    quota = min(len(rows), left // (len(by_source) - i))
    chosen.update(n for _, n in sorted(rows)[:quota])
    left -= quota
with open(corpus, encoding="utf-8") as f, open(out + ".part", "w", encoding="utf-8") as o:
    o.writelines(line for n, line in enumerate(f) if n in chosen)
os.rename(out + ".part", out)
