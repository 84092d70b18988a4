#!/usr/bin/env python3
"""The table of select_mixed.sh: each proof's selection less its random documents.

    select_mixed_table.py STATE

Differences are paired by seed, ± the half width of the 95 % t interval over the seeds. Below: what
was chosen, by source, and what each proof says of cost."""
import glob
import json
import os
import sys


def cell(c, scale):
    text = f"{scale * c['mean']:+.3f}" if scale == 1 else f"{scale * c['mean']:+.1f}"
    low, high = c["t_interval"]
    if low is None:
        return text
    half = scale * (high - low) / 2
    return f"{text} ± {half:.3f}" if scale == 1 else f"{text} ± {half:.1f}"


def main():
    rows, costs, header = [], [], None
    for folder in sorted(glob.glob(os.path.join(sys.argv[1], "run-*"))):
        path = next((p for p in (folder + "/prove/results.json", folder + "/prove/partial.json") if os.path.exists(p)), None)
        if not path:
            continue
        d = json.load(open(path))
        name = os.path.basename(folder)[4:]
        diff = {(r["measure"], r["domain"]): r for r in d["differences"] if r["arm"] == "final"}
        names = {a["name"]: {c["source"]: c["documents"] for c in a["composition"]} for a in d["arms"]}
        measures = [(m["name"], None, 1 if m["unit"] == "nats/token" else 100) for m in d["measures"]]
        measures += [("raw", h["name"], 1) for h in d["heldout"]["domains"] if ("raw", h["name"]) in diff]
        if header is None:
            header = measures
            print("| choice | seeds | " + " | ".join(f"{m}{', ' + h if h else ''}" for m, h, _ in measures) + " | share of wiki, docs, crawl |")
            print("| --- | --- |" + " --- |" * (len(measures) + 1))
        cells = [cell(diff[m, h], k) if (m, h) in diff else "" for m, h, k in header]
        shares = names["final"]
        told = ", ".join(f"{100 * shares.get(s, 0):.0f}" for s in ("wiki", "docs", "crawl"))
        print(f"| {name} | {len(d['seeds'])} | " + " | ".join(cells) + f" | {told} |")
        costs += [f"* {name}: {f}" for f in d["findings"] if f.startswith(("Steps", "Cost"))]
    print()
    print("\n".join(costs))


if __name__ == "__main__":
    main()
