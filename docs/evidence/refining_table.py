#!/usr/bin/env python3
"""The tables of refining.md's proofs.

    refining_table.py STATE

For each proof that refining.sh has begun: each arm against the raw text (pruning_table.py), then how much of
the way from raw to gold an arm goes on the primary measure and on each kind of text, with a bootstrap interval over seeds, and what
refining cost beside training."""
import glob
import json
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def gap(raw, gold, arm):
    """Ratio of means over seeds, and its 95 % interval from 10,000 draws of seeds."""
    rng, n, draws = random.Random(1), len(raw), []
    for _ in range(10000):
        pick = [rng.randrange(n) for _ in range(n)]
        way = sum(raw[i] - gold[i] for i in pick)
        draws.append(sum(raw[i] - arm[i] for i in pick) / way if way else 0)
    draws.sort()
    share = sum(r - a for r, a in zip(raw, arm)) / sum(r - g for r, g in zip(raw, gold))
    return f"{share:.2f} [{draws[250]:.2f}, {draws[9749]:.2f}]"


def refining_flops(folder):
    return sum(json.load(open(p, encoding="utf-8"))["asked"]["flops"]
               for p in glob.glob(f"{folder}/refined-*/stages/01-refine/refine.json"))


def show(path, folder):
    d = json.load(open(path, encoding="utf-8"))
    table = subprocess.run([sys.executable, HERE + "/pruning_table.py", path], check=True, stdout=subprocess.PIPE, text=True)
    parts = table.stdout.split("\n\n")
    print("\n\n".join(x for x in parts if not x.startswith("| share of documents")))
    seeds = {(r["arm"], r["measure"], r["domain"]): r["per_seed"] for r in d["results"]}
    measures = [(d["primary"]["measure"], None)] + [("clean", x["name"]) for x in d["heldout"]["domains"]
                                                    if ("gold", "clean", x["name"]) in seeds]
    print("\nShare of the way from raw to gold:\n")
    print("| | " + " | ".join(f"{m} {x or ''}".strip() for m, x in measures) + " |")
    print("| --- |" + " --- |" * len(measures))
    for name in (a["name"] for a in d["arms"] if a["name"] not in ("before", "gold")):
        print(f"| {name} | " + " | ".join(gap(seeds["before", m, x], seeds["gold", m, x], seeds[name, m, x])
                                          for m, x in measures) + " |")
    training = next(c["training"] for c in d["cost"]["arms"] if c["arm"] == "refined")
    flops = refining_flops(folder)
    print(f"\nRefining the whole corpus: {flops:.2e} FLOPs, {100 * flops / training:.2f} % of training one model "
          f"({training:.2e}).\n")


def main():
    state = sys.argv[1]
    for proof in ("pages-small", "injected-small", "html-small", "pages-large", "injected-large"):
        found = [p for p in (f"{state}/proof-{proof}/{x}.json" for x in ("results", "partial")) if os.path.exists(p)]
        if found:
            print(f"## {proof}\n", flush=True)
            show(found[0], f"{state}/{proof.split('-')[0]}")


if __name__ == "__main__":
    main()
