#!/usr/bin/env python3
"""A mixed corpus for select_mixed.sh and a noisy one for select_worth.sh.

    select_mixed.py DATA mixed OUT.jsonl
    select_mixed.py DATA noisy FOLDER SEED FOREIGN

mixed: pieces of at most 750 characters, cut between lines or at spaces: a third each of Wikipedia, of
Debian's documentation (lines that its pages' templates call content) and of a crawl as it is.
noisy: FOLDER/pool.jsonl, 3,000 such pieces of Wikipedia and documentation, of which 15 % were made noise (a third
each: their words in another order; markup put about every other word; German of the file FOREIGN, as
fortunes-de has it), FOLDER/target.jsonl and FOLDER/test.jsonl, clean pieces of other documents.
A row's "noise" says what was done to it.  The same input gives the same bytes.  Needs zstd."""
import hashlib
import json
import os
import random
import subprocess
import sys

PIECE = 750
EACH = 5000  # pieces of a source


def lines(path):
    with subprocess.Popen(["zstd", "-dc", path + ".jsonl.zst"], stdout=subprocess.PIPE) as p:
        for line in p.stdout:
            yield json.loads(line)


def wiki(data):
    for d in lines(data + "/clean/wiki"):
        yield d["id"], d["text"]


def documentation(data):
    for d in lines(data + "/noisy/debian_html_labelled"):
        yield d["id"], "\n".join(l for l, k in zip(d["lines"], d["label"]) if k == 1)


def crawl(data):
    for d in lines(data + "/noisy/crawl"):
        yield d["id"], d["text"]


def pieces(text):
    """Runs of whole lines of at most PIECE characters; a longer line is cut at spaces."""
    part = ""
    for line in text.split("\n"):
        while len(line) > PIECE:
            cut = line.rfind(" ", 0, PIECE)
            cut = cut if cut > 0 else PIECE
            if part:
                yield part
            part = ""
            yield line[:cut]
            line = line[cut:].lstrip()
        if part and len(part) + len(line) + 1 > PIECE:
            yield part
            part = ""
        part = part + "\n" + line if part else line
    yield part


def draw(*what):
    return hashlib.sha256(" ".join(map(str, what)).encode()).digest()


def some(source, name, count, seed):
    """count pieces of 200 characters or more, at most four of a document."""
    out = []
    for id_, text in source:
        own = [(n, p) for n, p in enumerate(pieces(text)) if len(p) >= 200]
        own.sort(key=lambda p: draw(seed, id_, p[0]))
        out += [{"id": f"{id_}/{n}", "source": name, "text": p} for n, p in own[:4]]
    out.sort(key=lambda row: draw(seed, row["id"]))
    return out[:count]


def write(path, rows):
    with open(path + ".part", "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    os.rename(path + ".part", path)


def mixed(data, out):
    rows = some(wiki(data), "wiki", EACH, 0) + some(documentation(data), "docs", EACH, 0)
    rows += some(crawl(data), "crawl", EACH, 0)
    rows.sort(key=lambda row: draw(row["id"]))
    write(out, rows)


TAGS = ["<div class=\"row\">", "</div>", "<li>", "</li>", "<td align=left>", "&nbsp;", "<br/>", "<span>", "</span>"]


def spoil(row, kind, german, chance):
    words = row["text"].split()
    if kind == "shuffled":
        chance.shuffle(words)
        text = " ".join(words)
    elif kind == "markup":
        text = " ".join(w + " " + chance.choice(TAGS) if chance.random() < 0.5 else w for w in words)[:PIECE]
    else:
        at = chance.randrange(len(german) - PIECE)
        text = german[at : at + len(row["text"])]
    return dict(row, text=text, noise=kind)


def noisy(data, folder, seed, foreign):
    os.makedirs(folder, exist_ok=True)
    german = " ".join(open(foreign, encoding="utf-8").read().split())
    rows = some(wiki(data), "wiki", 1700, seed) + some(documentation(data), "docs", 1700, seed)
    rows.sort(key=lambda row: draw(seed, "part", row["id"].rsplit("/", 1)[0]))
    test, target, pool = rows[:300], rows[300:348], rows[348:3348]
    chance = random.Random(int.from_bytes(draw(seed, "noise")[:8], "big"))
    pool.sort(key=lambda row: draw(seed, "pool", row["id"]))
    kinds = ["shuffled", "markup", "german"]
    count = len(pool) * 15 // 100
    pool = [spoil(row, kinds[n % 3], german, chance) if n < count else dict(row, noise="") for n, row in enumerate(pool)]
    pool.sort(key=lambda row: draw(seed, "order", row["id"]))
    for name, part in (("pool", pool), ("target", target), ("test", test)):
        write(os.path.join(folder, name + ".jsonl"), part)


if __name__ == "__main__":
    if sys.argv[2] == "mixed":
        mixed(sys.argv[1], sys.argv[3])
    else:
        noisy(sys.argv[1], sys.argv[3], sys.argv[4], sys.argv[5])
