#!/usr/bin/env python3
"""The corpora of refining.sh: the same pages as different hands leave them.

    refining_corpus.py folds WINNOW DATA STATE
        labelled pages for training, with what their tags say where there is HTML, STATE/train-K.jsonl:
        those whose site is not in fold K
    refining_corpus.py pages DATA STATE FOLDS
        STATE/pages/: WCXB in these folds of sites and Dragnet as they come (raw-K by the fold that the page's
        site is in, Dragnet in 0; together raw.jsonl), as people cut them (gold.jsonl), and with
        the lines that a C4-like rule takes (rules.jsonl)
    refining_corpus.py injected DATA STATE
        STATE/injected/: Wikipedia articles in frames and with blocks of Dragnet's boilerplate
        (raw.jsonl, raw-0.jsonl), the same in the C4-like rule's version, and as they were (gold.jsonl)
    refining_corpus.py html WINNOW DATA STATE FOLDER FOLDS
        STATE/FOLDER/, after folds: those pages of WCXB in these folds of sites that have HTML, as extract reads
        them (raw, rules, gold; parts raw-K without and tags-K with what tags say), and what trafilatura makes of
        the HTML (needs it installed)
    refining_corpus.py arms FOLDER
        after refining: joins the parts (refined.jsonl; alone.jsonl, by lines alone) and takes from each page of raw.jsonl
        random lines, as many characters as refining took (random.jsonl)
    refining_corpus.py heldout DATA STATE
        STATE/heldout/: human text of other kinds to measure with

The same input gives the same bytes.  Needs zstd on the path."""
import glob
import hashlib
import io
import json
import os
import random
import sys
import tarfile

import refiner_pages
import refiner_rivals
import structure_pages

FOLDS = refiner_pages.FOLDS
ARTICLE = 4000  # characters of an article, at most
TRAINED_ON = 3000  # first articles of Wikipedia, which the line model saw (refiner_pages.ARTICLES)
HELD_OUT = 300  # last articles of Wikipedia


def read(path):
    return [json.loads(line) for line in refiner_pages.lines(path)]


def write(path, documents):
    """Documents that hold something."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "w", encoding="utf-8") as out:
        for name, text in documents:
            if text.strip():
                out.write(json.dumps({"id": name, "text": text}, ensure_ascii=False) + "\n")
    os.rename(path + ".part", path)


def fold(page):
    return int(hashlib.sha256(refiner_pages.site(page).encode()).hexdigest(), 16) % FOLDS


def html_file(state, folder, page):
    return f"{state}/web/{folder}/{page['id']}.html"


def folds(winnow, data, state):
    """Fold 0 is the one that models/lines was not trained on: structure_pages.py's own split."""
    if not os.path.isdir(f"{state}/web/readability"):
        os.makedirs(f"{state}/web", exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(refiner_pages.raw(f"{data}/html/html.tar.zst"))) as tar:
            tar.extractall(f"{state}/web")
    pages = []
    for name in ("wcxb_dev", "readability", "newspaper"):
        seen = structure_pages.extract(winnow, f"{state}/web/{name}") if name != "newspaper" else {}
        for p in read(f"{data}/pages/{name}.jsonl.zst"):
            html = None
            if "structure" in seen.get(p["id"], {}):
                p["structure"] = structure_pages.structure_of(p, seen[p["id"]])
                with open(html_file(state, name, p), "rb") as f:
                    html = f.read()
            where = structure_pages.page_site(p, html)
            pages.append((int(hashlib.sha256(where.encode()).hexdigest(), 16) % FOLDS, where, name, p))
    for k in range(1, FOLDS):
        held = {where for f, where, name, _ in pages if f == k and name == "wcxb_dev"}
        with open(f"{state}/train-{k}.part", "w", encoding="utf-8") as out:
            for _, where, _, p in pages:
                if where not in held:
                    out.write(json.dumps(p, ensure_ascii=False) + "\n")
        os.rename(f"{state}/train-{k}.part", f"{state}/train-{k}.jsonl")


def write_versions(folder, pages):
    """pages: (fold, id, lines, gold text)."""
    rules = [(n, "\n".join(x for x in lines if refiner_rivals.c4_like(x))) for _, n, lines, _ in pages]
    write(f"{folder}/rules.jsonl", rules)
    write(f"{folder}/gold.jsonl", [(n, gold) for _, n, _, gold in pages])
    for k in range(FOLDS):
        part = [(n, "\n".join(lines)) for f, n, lines, _ in pages if f == k]
        if part:
            write(f"{folder}/raw-{k}.jsonl", part)
    write(f"{folder}/raw.jsonl", [(n, "\n".join(lines)) for _, n, lines, _ in pages])


def pages(data, state, wanted):
    wcxb = [(fold(p), p["id"], p["lines"], p["gold"]) for p in read(f"{data}/pages/wcxb_dev.jsonl.zst")
            if str(fold(p)) in wanted.split()]
    dragnet = [(0, p["id"], p["lines"], p["gold"]) for p in read(f"{data}/pages/dragnet_train.jsonl.zst")]
    write_versions(f"{state}/pages", wcxb + dragnet)


def boilerplate(page):
    """What stands above the text, below it, and between its lines."""
    kept = [i for i, y in enumerate(page["label"]) if y == 1]
    if not kept:
        return None
    head, tail = page["lines"][:kept[0]], page["lines"][kept[-1] + 1:]
    between, run = [], []
    for i in range(kept[0], kept[-1]):
        if page["label"][i] == 0:
            run.append(page["lines"][i])
        elif run:
            between.append(run)
            run = []
    return (head, tail, between) if head or tail else None


def article_lines(text):
    out, size = [], 0
    for line in text.split("\n"):
        if line.strip() and size < ARTICLE:
            out.append(line[:ARTICLE])
            size += len(line)
    return out


def injected(data, state):
    rng = random.Random("injected")
    frames = [b for b in map(boilerplate, read(f"{data}/pages/dragnet_train.jsonl.zst")) if b]
    out = []
    for a in read(f"{data}/clean/wiki.jsonl.zst")[TRAINED_ON:-HELD_OUT]:
        clean = article_lines(a["text"])
        head, tail, between = rng.choice(frames)
        lines = list(clean)
        for block in between:
            if rng.random() < 0.5 and len(lines) > 1:
                at = rng.randrange(1, len(lines))
                lines[at:at] = block
        out.append((0, a["id"], head + lines + tail, "\n".join(clean)))
    write_versions(f"{state}/injected", out)


def refined_by(folder, how):
    """What the runs HOW-K left, by id."""
    texts = {}
    for path in sorted(glob.glob(f"{folder}/{how}-*/documents/*.jsonl")):
        with open(path, encoding="utf-8") as lines:
            texts.update((d["id"], d["text"]) for d in map(json.loads, lines))
    return texts


def arms(folder):
    refined = refined_by(folder, "refined")
    raw = [json.loads(line) for line in open(f"{folder}/raw.jsonl", encoding="utf-8")]
    write(f"{folder}/refined.jsonl", [(d["id"], refined.get(d["id"], "")) for d in raw])
    alone = refined_by(folder, "alone")
    if alone:
        write(f"{folder}/alone.jsonl", [(d["id"], alone.get(d["id"], "")) for d in raw])
    rng, out = random.Random("random"), []
    for d in raw:
        lines = d["text"].split("\n")
        order, left, gone = list(range(len(lines))), len(d["text"]) - len(refined.get(d["id"], "")), set()
        rng.shuffle(order)
        for i in order:
            if left <= 0:
                break
            gone.add(i)
            left -= len(lines[i]) + 1
        out.append((d["id"], "\n".join(x for i, x in enumerate(lines) if i not in gone)))
    write(f"{folder}/random.jsonl", out)


def html(winnow, data, state, folder, wanted):
    """Pages of WCXB with HTML as `winnow extract` reads them; trafilatura with what keeps the best F1 in structure.md."""
    import trafilatura
    seen = structure_pages.extract(winnow, f"{state}/web/wcxb_dev")
    pages = [p for p in read(f"{data}/pages/wcxb_dev.jsonl.zst")
             if "structure" in seen.get(p["id"], {}) and str(fold(p)) in wanted.split()]
    write_versions(f"{state}/{folder}", [(fold(p), p["id"], seen[p["id"]]["text"].split("\n"), p["gold"]) for p in pages])
    for k in wanted.split():
        with open(f"{state}/{folder}/tags-{k}.jsonl", "w", encoding="utf-8") as out:
            for p in (p for p in pages if fold(p) == int(k)):
                out.write(json.dumps({**seen[p["id"]], "id": p["id"]}, ensure_ascii=False) + "\n")
    cut = []
    for p in pages:
        with open(html_file(state, "wcxb_dev", p), "rb") as f:
            cut.append((p["id"], trafilatura.extract(f.read(), favor_recall=True) or ""))
    write(f"{state}/{folder}/trafilatura.jsonl", cut)


def heldout(data, state):
    def cut(documents, pieces):
        for d in documents:
            text = d["text"] if "text" in d else d["gold"]
            step = max(1, len(text) // pieces)
            for i in range(pieces):
                yield f"{d['id']}-{i}", text[i * step:i * step + ARTICLE]
    write(f"{state}/heldout/wiki.jsonl", cut(read(f"{data}/clean/wiki.jsonl.zst")[-HELD_OUT:], 1))
    write(f"{state}/heldout/novels.jsonl", cut(read(f"{data}/clean/novels.jsonl.zst"), 10))
    news = read(f"{data}/pages/newspaper.jsonl.zst") + read(f"{data}/pages/cleanportal.jsonl.zst")
    write(f"{state}/heldout/news.jsonl", cut(news, 1))


def main():
    what, args = sys.argv[1], sys.argv[2:]
    {"folds": folds, "pages": pages, "injected": injected, "html": html, "arms": arms, "heldout": heldout}[what](*args)


if __name__ == "__main__":
    main()
