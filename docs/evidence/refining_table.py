#!/usr/bin/env python3
"""The tables of refining.md's proofs.

    refining_table.py STATE

For each proof that refining.sh has begun: each arm against the raw text (pruning_table.py), the difference it could
have seen, refined against each other arm, how much of the way from raw to gold an arm goes on the primary measure and on
each kind of text, with a bootstrap interval over seeds, and what refining cost beside training."""
import glob
import json
import math
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


# two-sided 95 % of Student's t, by seeds
T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}


def difference(arm, other):
    """Paired: mean, half of the 95 % interval (not corrected for how many are looked at), seeds below 0."""
    d = [a - b for a, b in zip(arm, other)]
    n, mean = len(d), sum(d) / len(d)
    half = T95[n] * math.sqrt(sum((x - mean) ** 2 for x in d) / (n - 1) / n) if n in T95 else math.inf
    return f"{mean:+.3f} ± {half:.3f} ({sum(x < 0 for x in d)} of {n})"


def refining_flops(folder, how="refined"):
    return sum(json.load(open(p, encoding="utf-8"))["asked"]["flops"]
               for p in glob.glob(f"{folder}/{how}-*/stages/01-refine/refine.json"))


def bought(d, arm, share):
    """Nats that this share more of training would bring, by the slope of the arm's last stretch of learning, whose
    rate falls: an upper bound."""
    curve = [c for c in d["curves"] if c["arm"] == arm][-1]
    (t1, t2), (y1, y2) = curve["tokens"][-2:], curve["mean"][-2:]
    return (y1 - y2) / math.log(t2 / t1) * math.log(1 + share)


def show_rivals(seeds, primary, names):
    print("\nRefined less each other arm, primary measure (uncorrected):\n")
    for name in (x for x in ("before", "random", "rules", "trafilatura", "alone", "gold") if x in names):
        print(f"* refined - {name}: {difference(seeds['refined', primary, None], seeds[name, primary, None])}")


def show_cost(d, folder):
    training = next(c["training"] for c in d["cost"]["arms"] if c["arm"] == "refined")
    flops = refining_flops(folder)
    print(f"\nRefining the whole corpus: {flops:.2e} FLOPs, {100 * flops / training:.2f} % of training one model "
          f"({training:.2e}); as much more training would bring raw text at most {bought(d, 'before', flops / training):.3f} nats.\n")


def show(path, folder):
    d = json.load(open(path, encoding="utf-8"))
    table = subprocess.run([sys.executable, HERE + "/pruning_table.py", path], check=True, stdout=subprocess.PIPE, text=True)
    parts = table.stdout.split("\n\n")
    print("\n\n".join(x for x in parts if not x.startswith("| share of documents")))
    seeds = {(r["arm"], r["measure"], r["domain"]): r["per_seed"] for r in d["results"]}
    primary, names = d["primary"]["measure"], [a["name"] for a in d["arms"]]
    print("\nDetectable, primary: " + ", ".join(f"{x['arm']} {x['detectable']:.3f}" for x in d["differences"] if x["detectable"]
                                               and x["measure"] == primary and x["domain"] is None))
    show_rivals(seeds, primary, names)
    apart = next((x["t_interval"] for x in d["differences"] if x["arm"] == "gold" and x["measure"] == primary
                  and x["domain"] is None), [None, None])
    if apart[0] is not None and apart[0] * apart[1] > 0:  # else there is no way to have a share of
        texts = "clean" if any(m == "clean" for _, m, _ in seeds) else "raw"
        measures = [(primary, None)] + [(texts, x["name"]) for x in d["heldout"]["domains"]
                                        if ("gold", texts, x["name"]) in seeds]
        print("\nShare of the way from raw to gold:\n")
        print("| | " + " | ".join(f"{m} {x or ''}".strip() for m, x in measures) + " |")
        print("| --- |" + " --- |" * len(measures))
        for name in (x for x in names if x not in ("before", "gold")):
            print(f"| {name} | " + " | ".join(gap(seeds["before", m, x], seeds["gold", m, x], seeds[name, m, x])
                                              for m, x in measures) + " |")
    show_cost(d, folder)


def main():
    state = sys.argv[1]
    for proof in sorted(os.path.basename(p)[6:] for p in glob.glob(f"{state}/proof-*")):
        found = [p for p in (f"{state}/proof-{proof}/{x}.json" for x in ("results", "partial")) if os.path.exists(p)]
        if found:
            print(f"## {proof}\n", flush=True)
            show(found[0], f"{state}/{proof.split('-')[0]}")


if __name__ == "__main__":
    main()
