#!/usr/bin/env python3
"""The corpora of power.py: two pairs of which it is known how they differ.

    power_corpus.py DATA STATE

Articles of Wikipedia, each as it is (clean) and with real boilerplate of pages of other
sites above and below it, a third of its length at most (noisy); the articles fall into two
halves by a hash of their names:

    clean-0 clean-1   equal but for chance, and so are    noisy-0 noisy-1
    heldout           articles that are in neither, as they are

The same input gives the same bytes.  Needs zstd on the path."""
import hashlib
import random
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
    corpus.write(f"{state}/heldout.jsonl", [(a["id"], a["text"][:corpus.ARTICLE]) for a in articles[-HELD_OUT:]])


if __name__ == "__main__":
    main()
