#!/usr/bin/env python3
"""What training.sh measured so far, as tables: training_table.py STATE."""
import json, os, sys

state = sys.argv[1]
PARTS = ["focus", "focus-4x", "weights", "weights-4x", "repeat", "repeat-4x"]


def load(part):
    for name in ("results.json", "partial.json"):
        path = os.path.join(state, part, name)
        if os.path.exists(path):
            with open(path) as f:
                return json.load(f)
    return None


def cell(rows, arm, measure):
    for r in rows:
        if r["arm"] == arm and r["measure"] == measure and r["domain"] is None:
            return r
    return None


def domains(d, arm):
    """Of the differences by source, the largest to either side."""
    rows = [r for r in d["differences"]
            if r["arm"] == arm and r["measure"] == "clean" and r["domain"] is not None]
    rows.sort(key=lambda r: r["mean"])
    return f"{rows[0]['domain']} {rows[0]['mean']:+.3f}, {rows[-1]['domain']} {rows[-1]['mean']:+.3f}" if rows else ""


for part in PARTS:
    d = load(part)
    if d is None:
        continue
    n = len(d["seeds"])
    print(f"### {part}: {d['model']['parameters'] / 1e6:.2f}M parameters, {d['training']['tokens'] / 1e3:.0f}k tokens, {n} seeds\n")
    print(f"| arm | documents | NLL clean | from {d['baseline']} | 95 % (t) | p (Holm) | raw | training FLOPs | by source, best and worst |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    cost = {c["arm"]: c["training"] for c in d["cost"]["arms"]}
    for a in d["arms"]:
        name = a["name"]
        r = cell(d["results"], name, "clean")
        x, raw = cell(d["differences"], name, "clean"), cell(d["differences"], name, "raw")
        if x is None:
            print(f"| {name} | {a['documents']:.0f} | {r['mean']:.3f} | | | | | {cost[name]:.2e} | |")
            continue
        low, high = x["t_interval"]
        interval = f"{low:+.3f} to {high:+.3f}" if low is not None else ""
        p = f"{x['p_holm']:.4f}" if x["p_holm"] is not None else ""
        print(f"| {name} | {a['documents']:.0f} | {r['mean']:.3f} | {x['mean']:+.3f} | {interval} | {p} | "
              f"{raw['mean']:+.3f} | {cost[name]:.2e} | {domains(d, name)} |")
    print()
    for s in d["findings"]:
        if s.startswith(("Repetition", "Blocks")):
            print("*", s)
    print()
