#!/usr/bin/env python3
"""The corpora of power.py: two pairs of which it is known how they differ.

    power_corpus.py DATA STATE

Articles of Wikipedia, each as it is (clean) and with real boilerplate of pages of other
sites above and below it, a third of its length at most (noisy); the articles fall into two
halves by a hash of their names:

    clean-0 clean-1   equal but for chance, and so are    noisy-0 noisy-1
    heldout           articles that are in neither, as they are

and the mixture of pruning_corpus.py (articles, novels, documentation, a crawl, prompts, planted noise), of which only chance
halves are made:

    mixed-0 mixed-1   and mixed-heldout

The same input gives the same bytes.  Needs zstd on the path."""
import hashlib
import json
import os
import random
import subprocess
import sys

import refining_corpus as corpus

HELD_OUT = 300  # last articles of Wikipedia


def half(name):
    return hashlib.sha256(name.encode()).digest()[0] % 2


def within(lines, room):
    """The first lines that have room."""
    out = []
    for line in lines:
        room -= len(line)
        if room < 0:
            break
        out.append(line)
    return out


def mixed(data, state):
    here = os.path.dirname(os.path.abspath(__file__))
    subprocess.run([sys.executable, f"{here}/pruning_corpus.py", data, f"{state}/mixture.jsonl"], check=True)
    parts = ([], [], [])
    for d in map(json.loads, open(f"{state}/mixture.jsonl", encoding="utf-8")):
        n = hashlib.sha256(d["id"].encode()).digest()
        parts[2 if n[1] < 4 else n[0] % 2].append((d["id"], d["text"]))
    for name, part in zip(("mixed-0", "mixed-1", "mixed-heldout"), parts):
        corpus.write(f"{state}/{name}.jsonl", part)


def main():
    data, state = sys.argv[1:3]
    rng = random.Random("power")
    frames = [b for b in map(corpus.boilerplate, corpus.read(f"{data}/pages/dragnet_train.jsonl.zst")) if b]
    articles = corpus.read(f"{data}/clean/wiki.jsonl.zst")
    clean, noisy = ([], []), ([], [])
    for a in articles[:-HELD_OUT]:
        lines = corpus.article_lines(a["text"])
        head, tail, _ = rng.choice(frames)
        room = sum(map(len, lines)) / 3
        above, below = within(head, room / 2), within(tail, room / 2)
        h = half(a["id"])
        clean[h].append((a["id"], "\n".join(lines)))
        noisy[h].append((a["id"], "\n".join(above + lines + below)))
    for h in (0, 1):
        corpus.write(f"{state}/clean-{h}.jsonl", clean[h])
        corpus.write(f"{state}/noisy-{h}.jsonl", noisy[h])
    mixed(data, state)
    corpus.write(f"{state}/heldout.jsonl", [(a["id"], a["text"][:corpus.ARTICLE]) for a in articles[-HELD_OUT:]])


if __name__ == "__main__":
    main()
