#!/usr/bin/env python3
"""results.json (or partial.json) of a proof as the tables of pruning.md."""
import json, sys

d = json.load(open(sys.argv[1]))
arms = [a["name"] for a in d["arms"]]
base = d["baseline"]
result = {(r["arm"], r["measure"], r["domain"]): r for r in d["results"]}
diff = {(r["arm"], r["measure"], r["domain"]): r for r in d["differences"]}
mark = {True: " **better**", False: " **worse**", None: ""}


def number(v, nll):
    return f"{v:.3f}" if nll else f"{100 * v:.1f}"


def cell(arm, measure, domain, nll):
    r = result.get((arm, measure, domain))
    if not r:
        return ""
    if arm == base:
        return number(r["mean"], nll)
    c = diff[(arm, measure, domain)]
    if c["t_interval"][0] is None:
        return f"{'+' if c['mean'] > 0 else ''}{number(c['mean'], nll)}"
    half = (c["t_interval"][1] - c["t_interval"][0]) / 2
    return f"{'+' if c['mean'] > 0 else ''}{number(c['mean'], nll)} ± {number(half, nll)}{mark[c['better']]}"


m = d["model"]
print(f"{len(d['seeds'])} of {d['seeds_planned']} seeds; {m['parameters'] / 1e6:.2f}M parameters, "
      f"{d['training']['tokens'] / 1e6:.2f}M tokens an arm, {d['training']['steps']} steps; kernels {m['kernels']}.\n")
print(f"| | {base} | " + " | ".join(f"{a} − {base}" for a in arms if a != base) + " |")
print("| --- |" + " --- |" * len(arms))
order = [base] + [a for a in arms if a != base]
for x in d["measures"]:
    nll = x["unit"] == "nats/token"
    name = x["name"] + (" (primary)" if x["primary"] else "") + (", nats" if nll else ", points")
    print(f"| {name} | " + " | ".join(cell(a, x["name"], None, nll) for a in order) + " |")
for h in d["heldout"]["domains"]:
    texts = "clean" if any(x["name"] == "clean" for x in d["measures"]) else "raw"
    for measure, nll in ((texts, True), ("cloze", False)):
        if (base, measure, h["name"]) in result:
            print(f"| {measure}, {h['name']} | "
                  + " | ".join(cell(a, measure, h["name"], nll) for a in order) + " |")
print()
print("| share of documents | " + " | ".join(order) + " |")
print("| --- |" + " --- |" * len(arms))
shares = {a["name"]: {c["source"]: c["documents"] for c in a["composition"]} for a in d["arms"]}
for s in sorted({s for v in shares.values() for s in v}):
    print(f"| {s} | " + " | ".join(f"{100 * shares[a].get(s, 0):.1f} %" for a in order) + " |")
print()
for f in d["findings"]:
    if f.startswith(("Measures", "Steps", "Cost")):
        print("* " + f)
