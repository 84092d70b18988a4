#!/usr/bin/env python3
"""Scores of line models and of HTML extractors on the same pages, for structure.sh.

    structure_table.py PAGES NAME=SCORES... [--html FOLDER] [--limit X] [--types] [--folds]

PAGES are labelled pages with "structure"; SCORES what bench/line_scores says of them (a line goes
below --limit).  With --html, trafilatura, resiliparse, jusText and readability cut the pages, each
with the settings that keep the best F1 here, and the table says what a union would find.
Kept and removed F1 of lines, F1 of characters and the share of gold characters lost are over all
lines; intervals are 95 % over pages.  --folds: PAGES and SCORES hold "{}", 0 to 4 are put in.
"""
import argparse
import json
import logging
import os
import random

from refiner_rivals import covered

DRAWS = 1000


def read(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def counts(page, keep):
    """Lines kept rightly, kept wrongly, lost, removed rightly; characters of the first three."""
    c = [0] * 7
    for line, label, kept in zip(page["lines"], page["label"], keep):
        if label in (0, 1):
            at = (0 if label else 1) if kept else (2 if label else 3)
            c[at] += 1
            if at < 3:
                c[4 + at] += len(line)
    return c


def scores(rows):
    tp, fp, fn, tn, ct, cf, cn = (sum(x) for x in zip(*rows))

    def f1(a, b):
        return 2 * a / (2 * a + b) if 2 * a + b else 1.0
    return f1(tp, fp + fn), f1(tn, fp + fn), f1(ct, cf + cn), cn / max(1, ct + cn)


def by_page(rows):
    return sum(scores([r])[0] for r in rows) / len(rows)


def interval(rows, rng):
    drawn = sorted(scores(rng.choices(rows, k=len(rows)))[0] for _ in range(DRAWS))
    return drawn[int(.025 * DRAWS)], drawn[int(.975 * DRAWS) - 1]


def show(name, rows):
    kept, removed, chars, lost = scores(rows)
    low, high = interval(rows, random.Random(0))
    print(f"| {name} | {kept:.3f} [{low:.3f}, {high:.3f}] | {by_page(rows):.3f} | {removed:.3f} | "
          f"{chars:.3f} | {lost:.3f} |")


def kind(page):
    return "readability" if page["source"] == "readability" else page.get("type") or "?"


def show_types(named, pages):
    names = list(named)
    print("\n| type | pages | " + " | ".join(names) + " |\n" + "| --- " * (len(names) + 2) + "|")
    for wanted in sorted({kind(p) for p in pages}):
        at = [i for i, p in enumerate(pages) if kind(p) == wanted]
        cells = [f"{scores([named[n][i] for i in at])[0]:.3f}" for n in names]
        print(f"| {wanted} | {len(at)} | " + " | ".join(cells) + " |")


def extractors():
    import justext
    import trafilatura
    from readability import Document
    from resiliparse.extract.html2text import extract_plain_text
    import lxml.html
    stop = justext.get_stoplist("English")

    def trafi(**how):
        return lambda data: trafilatura.extract(data, **how) or ""

    def resili(**how):
        return lambda data: extract_plain_text(data.decode("utf-8", "replace"), **how)

    def just(**how):
        return lambda data: "\n".join(p.text for p in justext.justext(data, stop, **how)
                                      if not p.is_boilerplate)

    def read_it(data):
        return lxml.html.fromstring(Document(data.decode("utf-8", "replace")).summary()
                                    ).text_content()
    return {
        "trafilatura": {"as it comes": trafi(), "favour recall": trafi(favor_recall=True),
                        "favour precision": trafi(favor_precision=True),
                        "no comments": trafi(include_comments=False)},
        "resiliparse": {"main content": resili(main_content=True),
                        "without comments": resili(main_content=True, comments=False),
                        "with alt texts": resili(main_content=True, alt_texts=True)},
        "jusText": {"as it comes": just(), "short lines": just(length_low=30, length_high=100),
                    "links up to .5": just(max_link_density=.5)},
        "readability": {"as it comes": read_it},
    }


def cut(extract, pages, folder):
    keeps = []
    for page in pages:
        data = open(html_of(page, folder), "rb").read()
        try:
            text = extract(data)
        except Exception:  # pylint: disable=broad-except  # whatever it is, nothing came out
            text = ""
        keeps.append(covered(page["lines"], text))
    return keeps


def html_of(page, folder):
    where = "readability" if page["source"] == "readability" else "wcxb_dev"
    return os.path.join(folder, where, page["id"] + ".html")


def show_union(ours, theirs, pages):
    """Gold lines that only one of the two keeps, and what a union would be."""
    both = [[a or b for a, b in zip(x, y)] for x, y in zip(ours, theirs)]
    only = [sum(label == 1 and a and not b for p, x, y in zip(pages, ours, theirs)
                for label, a, b in zip(p["label"], first(x, y), second(x, y)))
            for first, second in ((lambda x, y: x, lambda x, y: y), (lambda x, y: y, lambda x, y: x))]
    kept, _, _, lost = scores([counts(p, k) for p, k in zip(pages, both)])
    return f"only ours {only[0]}, only theirs {only[1]}; union {kept:.3f}, lost {lost:.3f}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pages")
    parser.add_argument("models", nargs="*")
    parser.add_argument("--html")
    parser.add_argument("--limit", type=float, default=.3)
    parser.add_argument("--types", action="store_true")
    parser.add_argument("--folds", action="store_true")
    args = parser.parse_args()
    logging.disable(logging.CRITICAL)
    numbers = range(5) if args.folds else [0]
    pages = [p for k in numbers for p in read(args.pages.replace("{}", str(k)))
             if not args.html or "structure" in p]
    keeps, named = {}, {}
    for model in args.models:
        name, path = model.split("=", 1)
        said = {r["id"]: r["scores"] for k in numbers for r in read(path.replace("{}", str(k)))}
        keeps[name] = [[x is not None and x >= args.limit for x in said[p["id"]]] for p in pages]
    unions = []
    if args.html:
        for tool, settings in extractors().items():
            tried = {how: cut(extract, pages, args.html) for how, extract in settings.items()}
            best = max(tried, key=lambda how: scores([counts(p, k) for p, k in
                                                      zip(pages, tried[how])])[0])
            keeps[f"{tool}, {best}"] = tried[best]
            if args.models:
                unions.append((tool, show_union(keeps[args.models[0].split("=")[0]], tried[best],
                                                pages)))
    print(f"{len(pages)} pages\n\n| | kept F1 | by page | removed F1 | character F1 | lost |\n"
          "| --- | --- | --- | --- | --- | --- |")
    for name, keep in keeps.items():
        named[name] = [counts(p, k) for p, k in zip(pages, keep)]
        show(name, named[name])
    if args.types:
        show_types(named, pages)
    for tool, text in unions:
        print(f"\n{tool}: {text}")


if __name__ == "__main__":
    main()
