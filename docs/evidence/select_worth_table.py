#!/usr/bin/env python3
"""The parts and the tables of select_worth.sh.

    select_worth_table.py parts SEED-FOLDER   which rows each arm trains on
    select_worth_table.py STATE               the tables

AUROC: the chance that a document of noise has the lower value (the higher NLL) than one without. Steps to the
loss that the whole pool ends with are read off the curve, straight between its points; intervals are
95 % t intervals over seeds, paired."""
import glob
import hashlib
import json
import os
import sys

from select_table import interval, mean

ARMS = ["pool", "worth", "nll", "chance", "noise"]
KINDS = ["", "shuffled", "markup", "german"]


def attributes(folder, name):
    """The numbers of documents by id: the mean of their parts, by length."""
    out = {}
    paths = [folder] if folder.endswith(".jsonl") else glob.glob(folder + "/**/*.jsonl", recursive=True)
    for path in paths:
        for line in open(path, encoding="utf-8"):
            row = json.loads(line)
            spans = row["attributes"].get(name)
            if spans:
                size = sum(b - a for a, b, _ in spans) or 1
                out[row["id"]] = sum((b - a) * v for a, b, v in spans) / size
    return out


def measures(folder):
    pool = [json.loads(line) for line in open(os.path.join(folder, "pool.jsonl"), encoding="utf-8")]
    value = attributes(os.path.join(folder, "valued", "value", "values.jsonl"), "winnow__value")
    scored = os.path.join(folder, "scored", "stages", "01-score", "attributes", "nll")
    nll = attributes(scored, "winnow__nll")
    tokens = attributes(scored, "winnow__tokens")
    for row in pool:
        row["worth"], row["nll"] = value[row["id"]], nll[row["id"]]
        row["total"] = row["nll"] * tokens.get(row["id"], len(row["text"]))
    return pool


def parts(folder):
    pool = measures(folder)
    bad = [row for row in pool if row["worth"] < 0]
    n = len(bad)
    by_nll = sorted(pool, key=lambda row: -row["nll"])[:n]
    by_chance = sorted(pool, key=lambda row: hashlib.sha256(row["id"].encode()).digest())[:n]
    noise = [row for row in pool if row["noise"]]
    for name, gone in (("worth", bad), ("nll", by_nll), ("chance", by_chance), ("noise", noise)):
        out = {row["id"] for row in gone}
        with open(os.path.join(folder, name + ".jsonl"), "w", encoding="utf-8") as f:
            f.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in pool if row["id"] not in out)


def auroc(good, bad):
    """The chance that one of bad is above one of good; equal ones count half."""
    ranked = sorted([(v, 0) for v in good] + [(v, 1) for v in bad])
    sum_, i = 0.0, 0
    while i < len(ranked):
        j = i
        while j < len(ranked) and ranked[j][0] == ranked[i][0]:
            j += 1
        sum_ += (i + j + 1) / 2 * sum(k for _, k in ranked[i:j])
        i = j
    n = len(bad)
    return (sum_ - n * (n + 1) / 2) / (n * len(good))


def reach(curve, loss):
    """The step at which a curve is at loss, or none."""
    for (a, x), (b, y) in zip(curve, curve[1:]):
        if y <= loss < x:
            return a + (b - a) * (x - loss) / (x - y)
    return None


def table(state):
    seeds = [measures(f) for f in sorted(glob.glob(os.path.join(state, "seed-*"))) if os.path.isdir(f + "/scored")]
    print("| AUROC | all noise | " + " | ".join(KINDS[1:]) + " |\n| --- |" + " --- |" * 4)
    for name, sign in (("worth", -1), ("nll", 1), ("total", 1)):
        cells = []
        for kinds in [KINDS[1:]] + [[k] for k in KINDS[1:]]:
            cells.append(
                interval(
                    [
                        auroc(
                            [sign * r[name] for r in rows if not r["noise"]],
                            [sign * r[name] for r in rows if r["noise"] in kinds],
                        )
                        for rows in seeds
                    ]
                )[1:]
            )
        print(f"| {name} | " + " | ".join(cells) + " |")
    print("\n| documents | share | negative value |\n| --- | --- | --- |")
    for kind in KINDS:
        share = mean(mean(r["noise"] == kind for r in rows) for rows in seeds)
        bad = mean(mean(r["worth"] < 0 for r in rows if r["noise"] == kind) for rows in seeds)
        print(f"| {kind or 'clean'} | {share:.2f} | {bad:.2f} |")
    print("\n| trained on | seeds | NLL of clean text | − pool | steps to the pool's loss, share |\n" + "| --- |" * 1 + " --- |" * 4)
    curves = {}
    for folder in sorted(glob.glob(os.path.join(state, "seed-*"))):
        for arm in ARMS:
            path = os.path.join(folder, arm + ".curve")
            if os.path.exists(path):
                points = [line.split() for line in open(path)]
                curves.setdefault(folder, {})[arm] = [(int(a), float(b)) for a, b in points]
    for arm in ARMS:
        have = [c for c in curves.values() if arm in c and "pool" in c]
        if have:
            steps = [reach(c[arm], c["pool"][-1][1]) for c in have]
            share = [s / c["pool"][-1][0] for s, c in zip(steps, have) if s is not None]
            gap = interval([c[arm][-1][1] - c["pool"][-1][1] for c in have])
            told = f"{mean(share):.2f} ({len(share)} of {len(have)} reach it)" if share else "not reached"
            print(f"| {arm} | {len(have)} | {mean(c[arm][-1][1] for c in have):.3f} | {gap} | {told} |")


if __name__ == "__main__":
    if sys.argv[1] == "parts":
        parts(sys.argv[2])
    else:
        table(sys.argv[1])
