#!/usr/bin/env python3
"""Fits what a line model's log-odds mean (src/lines/line_calibrate.h) and writes it into a folder.

    structure_calibrate.py PAGES SCORES ALONE MODEL LIMIT [LOST [PAGE_SHARE LEAST]]

PAGES, SCORES and ALONE hold "{}" for the folds 0 to 4: labelled pages with their tags, and what
bench/line_scores says of them, with and without tags, by models that did not see their sites and
are not calibrated.  path_share and the limit with tags are those of the best kept F1 of lines that
loses at most LOST (.05) of the gold characters; the scale is that of the least log-loss,
characters to the root; the bias puts the limit that was found at LIMIT, which is MODEL's
keep_above.  With PAGE_SHARE, that is stored and so is LEAST, the log-odds asked of a line where the
model is sure of no line of the page, instead of the limit that was found: they were chosen with
articles in view (structure.md), which these folds are not.  Lines alone are left as they are:
their limit, and those for whole documents, were chosen on text.  "calibration" of
MODEL/config.json is written over.
"""
import json
import math
import os
import sys

from structure_rows import rows_of
from structure_table import counts, read, scores, show

WORDS = set("a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr "
            "output picture q rb rp rt ruby s samp small span strike strong sub sup time tt u "
            "var".split())
SHARES = [i / 10 for i in range(9)]
LIMITS = [i / 40 for i in range(6, 25)]


def log_odds(x):
    return None if x is None else math.log(max(x, 1e-7) / max(1 - x, 1e-7))


def paths(page):
    """Of each line the path of tags and classes of its block, None where there is none."""
    structure = page["structure"]
    lines, nodes = rows_of(structure, page["lines"])
    path, block = [], []
    for i, (parent, kind, _) in enumerate(nodes):
        tag, words, _ = structure["kinds"][kind] + [""] * (3 - len(structure["kinds"][kind]))
        path.append(hash((path[parent] if i else None, tag, words.split("#")[0])))
        block.append(block[parent] if i and tag in WORDS else i)
    return [path[block[row[2]]] if row[2] >= 0 else None for row in lines]


def shared(page, odds, share):
    means = {}
    where = paths(page)
    for line, x, path in zip(page["lines"], odds, where):
        if x is not None and path is not None:
            total = means.setdefault(path, [0, 0])
            weight = 1 + math.sqrt(min(len(line), 400))
            total[0] += weight * x
            total[1] += weight
    return [x if x is None or path is None else
            (1 - share) * x + share * means[path][0] / means[path][1]
            for x, path in zip(odds, where)]


def asked(page, odds, share):
    """Log-odds less a share of those of the page's text (mean by characters over lines above 0)."""
    above = [(len(line), x) for line, x in zip(page["lines"], odds) if x is not None and x > 0]
    total = sum(n for n, _ in above)
    mean = sum(n * x for n, x in above) / total if total else 0
    return [None if x is None else x - share * mean for x in odds]


def judge(pages, odds, limit):
    least = log_odds(limit)
    kept, _, _, lost = scores([counts(p, [x is not None and x >= least for x in o])
                               for p, o in zip(pages, odds)])
    return kept, lost


def fit_scale(pages, odds):
    """Scale and bias of the least log-loss, by Newton's method."""
    rows = [(x, label, math.sqrt(len(line))) for p, o in zip(pages, odds)
            for x, label, line in zip(o, p["label"], p["lines"])
            if x is not None and label in (0, 1)]
    scale, bias = 1.0, 0.0
    for _ in range(20):
        g = [0.0, 0.0]
        h = [1e-9, 0.0, 1e-9]
        for x, label, weight in rows:
            p = 1 / (1 + math.exp(-max(-30, min(30, scale * x + bias))))
            d, v = weight * (p - label), weight * p * (1 - p)
            g[0] += d * x
            g[1] += d
            h[0] += v * x * x
            h[1] += v * x
            h[2] += v
        det = h[0] * h[2] - h[1] * h[1]
        scale -= (h[2] * g[0] - h[1] * g[1]) / det
        bias -= (h[0] * g[1] - h[1] * g[0]) / det
    return scale


def choose(pages, odds, most):
    """(kept F1, lost, share, limit) of the best pair; odds: of each share, of each page."""
    tried = [(*judge(pages, odds[share], limit), share, limit) for share in SHARES
             for limit in LIMITS]
    within = [t for t in tried if t[1] <= most]
    return max(within) if within else min(tried, key=lambda t: t[1])


def check(folds, odds, most):
    """Each fold with what the other folds choose: what calibration gives on sites unseen by both."""
    rows = []
    for k, pages in folds.items():
        rest = [p for j in folds if j != k for p in folds[j]]
        chosen = choose(rest, {s: [o for j in folds if j != k for o in odds[j][s]] for s in SHARES},
                        most)
        mine = [counts(p, [x is not None and x >= log_odds(chosen[3]) for x in o])
                for p, o in zip(pages, odds[k][chosen[2]])]
        print(f"fold {k}: path_share {chosen[2]}, limit {chosen[3]:.3f} by the others; kept F1 "
              f"{scores(mine)[0]:.3f}, lost {scores(mine)[3]:.3f}")
        rows += mine
    show("lines with tags, calibrated by the other folds", rows)


def load(pages, tagged, alone):
    folds, with_tags, without = {}, {}, {}
    for k in [k for k in range(5) if os.path.exists(tagged.replace("{}", str(k)))]:
        folds[k] = read(pages.replace("{}", str(k)))
        for path, to in ((tagged, with_tags), (alone, without)):
            said = {r["id"]: r["scores"] for r in read(path.replace("{}", str(k)))}
            to[k] = [[log_odds(x) for x in said[p["id"]]] for p in folds[k]]
    return folds, with_tags, without


def store(folder, found):
    path = os.path.join(folder, "config.json")
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    training = config.pop("training", {})
    config["calibration"] = found
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps(config, indent=2)[:-2])
        file.write(',\n  "training": ' + json.dumps(training) + "\n}\n")


def main():
    limit = float(sys.argv[5])
    most = float(sys.argv[6]) if len(sys.argv) > 6 else .05
    folds, tagged, alone = load(*sys.argv[1:4])
    odds = {k: {s: [shared(p, o, s) for p, o in zip(folds[k], tagged[k])] for s in SHARES}
            for k in folds}
    pages = [p for k in folds for p in folds[k]]
    every = {s: [o for k in folds for o in odds[k][s]] for s in SHARES}
    print(f"{len(pages)} pages of {len(folds)} folds\n\n"
          "| | kept F1 | by page | removed F1 | character F1 | lost |\n"
          "| --- | --- | --- | --- | --- | --- |")
    for name, some in (("with tags", every[0]), ("lines alone", [o for k in folds
                                                                  for o in alone[k]])):
        show(f"{name}, not calibrated", [counts(p, [x is not None and x >= log_odds(limit)
                                                    for x in o]) for p, o in zip(pages, some)])
    if len(folds) > 1:
        check(folds, odds, most)
    for share in SHARES:
        print(f"path_share {share}: " + ", ".join("limit %.2f %.3f lost %.3f" % (x, *judge(
            pages, every[share], x)) for x in (.3, .4, .5, .6)))
    kept, lost, share, best = choose(pages, every, most)
    print(f"chosen on all: path_share {share}, limit {best:.3f}: kept F1 {kept:.3f}, lost {lost:.3f}")
    scale = fit_scale(pages, every[share])
    print(f"scale of lines alone: {fit_scale(pages, [o for k in folds for o in alone[k]]):.3f}")
    found = {"alone_scale": 1, "alone_bias": 0, "tagged_scale": round(scale, 3),
             "tagged_bias": round(log_odds(limit) - scale * log_odds(best), 3),
             "path_share": share}
    if len(sys.argv) > 8:
        page_share, least = float(sys.argv[7]), float(sys.argv[8])
        found["page_share"] = page_share
        found["tagged_bias"] = round(log_odds(limit) - found["tagged_scale"] * least, 3)
        kept, lost = judge(pages, [asked(p, o, page_share) for p, o in zip(pages, every[share])],
                           1 / (1 + math.exp(-least)))
        print(f"page_share {page_share}, log-odds {least}: kept F1 {kept:.3f}, lost {lost:.3f}")
    print(json.dumps(found))
    store(sys.argv[4], found)


if __name__ == "__main__":
    main()
