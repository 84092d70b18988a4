#!/usr/bin/env python3
"""Fits what a line model's log-odds mean (src/lines/line_calibrate.h) and writes it into a folder.

    structure_calibrate.py PAGES SCORES ALONE MODEL LIMIT [LOST]

PAGES, SCORES and ALONE hold "{}" for the folds 0 to 4: labelled pages with their tags, and what
bench/line_scores says of them, with and without tags, by models that did not see their sites and
are not calibrated.  path_share and the with-tags limit are those of the best kept F1 of lines that
loses at most LOST (.05) of the gold characters; the scales are those of the least log-loss,
characters to the root; biases put the limits that were found at LIMIT, which is MODEL's
keep_above.  The limit of lines alone is not moved: it was chosen on text.  "calibration" of
MODEL/config.json is written over.
"""
import json
import math
import os
import sys

from structure_table import counts, read, scores

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
    path, block = [], []
    for i, node in enumerate(structure["nodes"]):
        parent, kind, _ = node + [0] * (3 - len(node))
        tag, words, _ = structure["kinds"][kind] + [""] * (3 - len(structure["kinds"][kind]))
        path.append(hash((path[parent] if i else None, tag, words.split("#")[0])))
        block.append(block[parent] if i and tag in WORDS else i)
    return [path[block[row[2]]] if row[2] >= 0 else None for row in structure["lines"]]


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


def main():
    limit = float(sys.argv[5])
    most = float(sys.argv[6]) if len(sys.argv) > 6 else .05
    folds = [k for k in range(5) if os.path.exists(sys.argv[2].replace("{}", str(k)))]
    pages = [p for k in folds for p in read(sys.argv[1].replace("{}", str(k)))]
    tagged, alone = ([[log_odds(x) for x in said[p["id"]]] for p in pages] for said in (
        {r["id"]: r["scores"] for k in folds for r in read(path.replace("{}", str(k)))}
        for path in sys.argv[2:4]))
    tried = []
    for share in SHARES:
        odds = [shared(p, o, share) for p, o in zip(pages, tagged)]
        tried += [(*judge(pages, odds, x), share, x) for x in LIMITS]
    print(f"{len(pages)} pages of {len(folds)} folds\nas it is, limit {limit}: "
          "kept F1 %.3f, lost %.3f" % judge(pages, tagged, limit))
    for share in SHARES:
        print(f"path_share {share}: " + ", ".join(
            f"{x[3]:.3f} {x[0]:.3f}/{x[1]:.3f}" for x in tried if x[2] == share and
            round(x[3] * 40) % 4 == 0))
    kept, lost, share, best = max(t for t in tried if t[1] <= most)
    print(f"chosen: path_share {share}, limit {best:.3f}: kept F1 {kept:.3f}, lost {lost:.3f}")
    scales = (fit_scale(pages, alone),
              fit_scale(pages, [shared(p, o, share) for p, o in zip(pages, tagged)]))
    found = {"alone_scale": scales[0], "alone_bias": (1 - scales[0]) * log_odds(limit),
             "tagged_scale": scales[1],
             "tagged_bias": log_odds(limit) - scales[1] * log_odds(best), "path_share": share}
    found = {key: round(value, 3) for key, value in found.items()}
    print(json.dumps(found))
    path = os.path.join(sys.argv[4], "config.json")
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    config = {**{k: v for k, v in config.items() if k != "training"}, "calibration": found,
              "training": config.get("training", {})}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(config, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
