#!/usr/bin/env python3
"""A proof of leakage.sh as the tables of leakage.md: leakage_table.py STATE"""
import json, math, statistics, sys

T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}  # two-sided, seeds
state = sys.argv[1]
d = json.load(open(f"{state}/proof/results.json"))
cut = json.load(open(f"{state}/proof-cut/results.json"))


def points(values):
    half = T95[len(values)] * statistics.stdev(values) / math.sqrt(len(values))
    return f"{100 * statistics.mean(values):+.1f} ± {100 * half:.1f}"


def minus(a, b):
    return [x - y for x, y in zip(a, b)]


def table(arms, of):
    per_seed = {(r["arm"], r["measure"]): r["per_seed"] for r in of["results"] if r["domain"] is None}
    print("| points above chance | clean | " + " | ".join(f"{a} | {a} − clean" for a in arms) + " |\n| --- | --- |" + " --- |" * 2 * len(arms))
    gains = {a: {} for a in arms}
    for measure in ("planted", "control"):
        clean, cells = per_seed["before", measure], ""
        for a in arms:
            gains[a][measure] = minus(per_seed[a, measure], clean)
            cells += f" {100 * statistics.mean(per_seed[a, measure]):+.1f} | {points(gains[a][measure])} |"
        print(f"| {measure} items | {100 * statistics.mean(clean):+.1f} |{cells}")
    print("| planted − control | |" + "".join(f" | {points(minus(gains[a]['planted'], gains[a]['control']))} |" for a in arms) + "\n")


m = d["model"]
print(f"{len(d['seeds'])} seeds; {m['parameters'] / 1e6:.2f}M parameters, {d['training']['tokens'] / 1e6:.2f}M tokens an arm\n")
table(["leaked", "cleaned"], d)
table(["cut"], cut)
for run in ("background", "cleaned", "cut"):
    leak = json.load(open(f"{state}/{run}/stages/01-decontaminate/leak.json"))
    print(f"{run}: items found in {leak['documents_found']} of {leak['documents']} documents; "
          + ", ".join(f"{b['name']}: {b['items']} items, {b['too_short']} too short to be looked for, {b['found']} found" for b in leak["benchmarks"]))
