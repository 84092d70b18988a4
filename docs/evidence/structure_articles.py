#!/usr/bin/env python3
"""The built-in refiner on article pages that it was not trained on, beside trafilatura.

    structure_articles.py WINNOW BENCHMARK|- [TRAFILATURA|- [FUNDUS]]

BENCHMARK: a checkout of scrapinghub/article-extraction-benchmark (181 pages, ground-truth.json):
precision and recall of runs of four words, means over pages, as its evaluate.py defines them;
what its output/ holds of other tools is scored, too.  TRAFILATURA: one of adbar/trafilatura, whose
tests/evaldata.json names of pages in tests/eval and tests/cache pieces of text that belong to the
text and pieces that do not.  FUNDUS: one of flairNLP/fundus, whose tests hold pages of news sites
and the text that a parser written for each site finds (structure_news.py): scored like BENCHMARK.
models/lines was trained on these (structure_folds.py has models that were not), and on nothing of
BENCHMARK.  trafilatura must be installed.  Intervals are 95 % over pages.
"""
import collections
import gzip
import json
import logging
import os
import random
import re
import subprocess
import sys
import tempfile

import structure_news
from structure_pages import extract

DRAWS = 1000
WORD = re.compile(r"\w+")


def shingles(text, word=WORD):
    words = word.findall(text)
    return collections.Counter(tuple(words[i:i + 4]) for i in range(max(1, len(words) - 3))
                               if words[i:i + 4])


def matched(gold, got, word=WORD):
    """Runs of four words found, too many, missing."""
    a, b = shingles(gold, word), shingles(got, word)
    both = sum((a & b).values())
    return both, sum(b.values()) - both, sum(a.values()) - both


def ratio(found, missed):
    return 1.0 if missed == 0 else found / (found + missed)


def of_articles(rows):
    precision = [ratio(tp, fp) if tp + fp + fn else 1.0 for tp, fp, fn in rows if tp + fp]
    recall = [ratio(tp, fn) for tp, fp, fn in rows if tp + fn]
    p, r = sum(precision) / len(precision), sum(recall) / len(recall)
    return 2 * p * r / (p + r), p, r


def of_pieces(rows):
    tp, fp, fn, _ = (sum(x) for x in zip(*rows))
    return 2 * tp / (2 * tp + fp + fn), tp / max(1, tp + fp), tp / max(1, tp + fn)


def show(name, rows, score):
    rng = random.Random(0)
    drawn = sorted(score(rng.choices(rows, k=len(rows)))[0] for _ in range(DRAWS))
    f1, precision, recall = score(rows)
    print(f"| {name} | {f1:.3f} [{drawn[int(.025 * DRAWS)]:.3f}, {drawn[int(.975 * DRAWS) - 1]:.3f}]"
          f" | {precision:.3f} | {recall:.3f} |")


def refined(winnow, pages, *how):
    """Texts of {name: HTML} by extract and refine."""
    with tempfile.TemporaryDirectory() as folder:
        for name, html in pages.items():
            with open(os.path.join(folder, name + ".html"), "wb") as out:
                out.write(html)
        extract = subprocess.run([winnow, "extract", "-q", *how, folder, "-o", "-"],
                                 stdout=subprocess.PIPE, check=True).stdout
        out = subprocess.run([winnow, "refine", "-q", "-", "-o", "-"], input=extract,
                             stdout=subprocess.PIPE, check=True).stdout.decode()
    texts = {}
    for line in out.split("\n"):
        if line:
            document = json.loads(line)
            texts[document["metadata"]["path"][:-len(".html")]] = document["text"]
    return texts


def tools(winnow, pages):
    import trafilatura

    def each(**how):
        return {name: trafilatura.extract(html, **how) or "" for name, html in pages.items()}
    yield "**winnow, lines with tags**", refined(winnow, pages)
    yield "winnow, lines alone", refined(winnow, pages, "--no-structure")
    version = trafilatura.__version__
    yield f"trafilatura {version}, as it comes", each()
    yield f"trafilatura {version}, without comments", each(include_comments=False)
    yield f"trafilatura {version}, favour precision", each(favor_precision=True,
                                                           include_comments=False)


ENGLISH = set("us uk au ca za ind tz na ls my il".split())  # countries of publishers
GERMAN = set("de at ch li".split())
HEAD = "| | F1 | precision | recall |\n| --- | --- | --- | --- |"


def benchmark(winnow, folder):
    with open(os.path.join(folder, "ground-truth.json"), encoding="utf-8") as file:
        gold = {name: page["articleBody"] for name, page in json.load(file).items()}
    pages = {}
    for name in gold:
        with gzip.open(os.path.join(folder, "html", name + ".html.gz")) as file:
            pages[name] = file.read()
    print(f"{len(gold)} article pages\n\n{HEAD}")
    for tool, texts in tools(winnow, pages):
        show(tool, [matched(text, texts.get(name, "")) for name, text in gold.items()], of_articles)
    for path in sorted(os.listdir(os.path.join(folder, "output"))):
        with open(os.path.join(folder, "output", path), encoding="utf-8") as file:
            said = json.load(file)
        said = said["output"] if "output" in said else said
        show(f"its output of {path[:-len('.json')]}",
             [matched(text, said.get(name, {}).get("articleBody") or "")
              for name, text in gold.items()], of_articles)


def plain(text):
    return re.sub(r"\s+", " ", text).strip()


def pieces_found(item, text):
    text = plain(text)
    tp = sum(plain(x) in text for x in item["with"])
    fp = sum(plain(x) in text for x in item["without"])
    return tp, fp, len(item["with"]) - tp, len(item["without"]) - fp


def evaluation_pages(winnow, folder):
    with open(os.path.join(folder, "tests", "evaldata.json"), encoding="utf-8") as file:
        items = {f"p{i}": item for i, (_, item) in enumerate(sorted(json.load(file).items()))}
    pages, english = {}, {}
    for name, item in items.items():
        for where in ("cache", "eval"):
            path = os.path.join(folder, "tests", where, item["file"])
            if name not in pages and os.path.exists(path):
                with open(path, "rb") as file:
                    pages[name] = file.read()
                said = re.search(rb"<html[^>]*\slang=[\"']?([a-zA-Z]+)", pages[name])
                english[name] = said and said.group(1).lower() == b"en"
    print(f"\n{len(pages)} evaluation pages of trafilatura's, {sum(map(bool, english.values()))} say "
          f"that they are English\n\n{HEAD}")
    for tool, texts in tools(winnow, pages):
        rows = {name: pieces_found(items[name], texts.get(name, "")) for name in pages}
        show(tool, list(rows.values()), of_pieces)
        show(tool + ": English", [rows[n] for n in rows if english[n]], of_pieces)
        show(tool + ": others", [rows[n] for n in rows if not english[n]], of_pieces)


def publishers(winnow, checkout):
    with tempfile.TemporaryDirectory() as folder:
        found = structure_news.unpack(checkout, folder)
        labelled = structure_news.news_pages(extract(winnow, folder), found)
        pages = {}
        for page in labelled:
            name = page["id"].split("-", 1)[1]
            with open(os.path.join(folder, name + ".html"), "rb") as file:
                pages[name] = file.read()
    gold = {p["id"].split("-", 1)[1]: p["gold"] for p in labelled}
    languages = {"all": gold}
    for name in gold:
        country = name.split("-")[0]
        language = ("English" if country in ENGLISH else "German" if country in GERMAN else "others")
        languages.setdefault(language, []).append(name)
    print(f"\n{len(gold)} news pages of {len({x.rsplit('_', 3)[0] for x in gold})} publishers\n\n"
          f"{HEAD}")
    for tool, texts in tools(winnow, pages):
        for language, names in languages.items():
            show(f"{tool}: {language} ({len(names)})",
                 [matched(gold[n], texts.get(n, ""), structure_news.WORD) for n in names],
                 of_articles)


def main():
    logging.disable(logging.CRITICAL)
    for measure, path in zip((benchmark, evaluation_pages, publishers), sys.argv[2:]):
        if path != "-":
            measure(sys.argv[1], path)


if __name__ == "__main__":
    main()
