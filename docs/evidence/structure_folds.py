#!/usr/bin/env python3
"""News pages by models that did not see their publishers, beside trafilatura, for structure.sh.

    structure_folds.py PAGES SCORES HTML PATH_SHARE PAGE_SHARE LEAST

PAGES and SCORES hold "{}" for the folds 0 to 4: news pages (structure_news.py) and what
bench/line_scores says of their lines, not calibrated; HTML the folder of the pages as they came.
The other three are what the pages' log-odds are calibrated by (structure_calibrate.py).  Precision
and recall of runs of four words, means over pages, as in structure_articles.py; the last rows are
the paired differences to trafilatura, 95 % over pages.
"""
import logging
import os
import random
import sys

from structure_articles import DRAWS, ENGLISH, GERMAN, HEAD, matched, of_articles, show
from structure_calibrate import asked, log_odds, shared
from structure_news import WORD
from structure_table import read

SETTINGS = {"as it comes": {}, "without comments": {"include_comments": False},
            "favour precision": {"favor_precision": True, "include_comments": False}}


def language(page):
    country = page["id"].split("-")[1]
    return "English" if country in ENGLISH else "German" if country in GERMAN else "others"


def ours(page, said, path_share, page_share, least):
    odds = shared(page, [log_odds(x) for x in said], path_share)
    odds = asked(page, odds, page_share)
    text = "\n".join(line for line, x in zip(page["lines"], odds) if x is not None and x >= least)
    return matched(page["gold"], text, WORD)


def theirs(pages, folder, how):
    import trafilatura
    rows = []
    for page in pages:
        with open(os.path.join(folder, page["id"].split("-", 1)[1] + ".html"), "rb") as file:
            rows.append(matched(page["gold"], trafilatura.extract(file.read(), **how) or "", WORD))
    return rows


def show_difference(name, a, b):
    rng, drawn = random.Random(0), []
    for _ in range(DRAWS):
        at = rng.choices(range(len(a)), k=len(a))
        drawn.append(of_articles([a[i] for i in at])[0] - of_articles([b[i] for i in at])[0])
    drawn.sort()
    print(f"less {name}: {of_articles(a)[0] - of_articles(b)[0]:+.3f} "
          f"[{drawn[int(.025 * DRAWS)]:+.3f}, {drawn[int(.975 * DRAWS) - 1]:+.3f}]")


def main():
    logging.disable(logging.CRITICAL)
    numbers = [float(x) for x in sys.argv[4:7]]
    pages, rows = [], []
    for k in "01234":
        said = {r["id"]: r["scores"] for r in read(sys.argv[2].replace("{}", k))}
        for page in read(sys.argv[1].replace("{}", k)):
            pages.append(page)
            rows.append(ours(page, said[page["id"]], *numbers))
    tools = {"**lines with tags**": rows}
    try:
        for name, how in SETTINGS.items():
            tools["trafilatura, " + name] = theirs(pages, sys.argv[3], how)
    except ImportError:
        print("skipped beside trafilatura: it is not installed")
    print(f"{len(pages)} news pages\n\n{HEAD}")
    for name, found in tools.items():
        show(name, found, of_articles)
        for wanted in ("English", "German", "others"):
            some = [r for p, r in zip(pages, found) if language(p) == wanted]
            show(f"{name}: {wanted} ({len(some)})", some, of_articles)
    print()
    for name in list(tools)[1:]:
        show_difference(name, rows, tools[name])


if __name__ == "__main__":
    main()
