#!/usr/bin/env python3
"""Tables of docs/evidence/muon.sh from what is done so far.

    muon.py STATE

A run reaches a loss where its held-out curve, joined by straight lines between
measured points, first lies at or below it.  Intervals are 95 % t over seeds."""
import glob, json, math, statistics, sys

STATE = sys.argv[1]
T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}


def interval(values):
    if len(values) < 2:
        return float("nan")
    return T95[len(values)] * statistics.stdev(values) / math.sqrt(len(values))


def share_reached(run, target):
    """Share of the run's steps after which its curve reaches target, or None."""
    (s0, y0) = run["curve"][0]
    for s1, y1 in run["curve"][1:]:
        if y1 <= target:
            at = s1 if y0 <= y1 else s0 + (s1 - s0) * (y0 - target) / (y0 - y1)
            return at / run["steps"]
        s0, y0 = s1, y1
    return None


def main():
    runs = {}
    for path in sorted(glob.glob(f"{STATE}/run-*/result.json")):
        with open(path, encoding="utf-8") as f:
            r = json.load(f)
        r["tokens"] = int(r["steps"] * r["batch_tokens"])
        key = (r["optimizer"], r["lr"], int(r["batch_tokens"]), round(r["tokens"] / 1e6, 1))
        runs.setdefault(key, {})[int(r["seed"])] = r
    print("| optimizer | rate | tokens a step | tokens | FLOPs | held-out NLL by seed | mean |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for (name, lr, batch, tokens), seeds in sorted(runs.items()):
        final = [seeds[s]["curve"][-1][1] for s in sorted(seeds)]
        flops = statistics.mean(r["flops"] for r in seeds.values())
        print(f"| {name} | {lr:g} | {batch:,} | {tokens}M | {flops:.3e} | "
              + " ".join(f"{s}: {seeds[s]['curve'][-1][1]:.4f}" for s in sorted(seeds))
              + f" | {statistics.mean(final):.4f} |")

    def best(name):
        full = {k: v for k, v in runs.items() if k[0] == name and k[2] == 4096 and k[3] == 6.0}
        most = max((len(v) for v in full.values()), default=0)
        full = {k: v for k, v in full.items() if len(v) == most}
        return min(full, key=lambda k: statistics.mean(r["curve"][-1][1] for r in full[k].values()),
                   default=None)

    a, m = best("adamw"), best("muon")
    if not a or not m:
        return
    print(f"\nBest of those with the most seeds: AdamW at {a[1]:g}, Muon at {m[1]:g}.\n")
    common = sorted(set(runs[a]) & set(runs[m]))
    ratios = []
    for s in common:
        x, y = runs[a][s], runs[m][s]
        share = share_reached(y, x["curve"][-1][1])
        if share is None:
            print(f"seed {s}: Muon never reaches AdamW's {x['curve'][-1][1]:.4f}")
            continue
        ratios.append(share * y["flops"] / x["flops"])
        print(f"seed {s}: Muon reaches AdamW's {x['curve'][-1][1]:.4f} after {share:.3f} of its steps, "
              f"{ratios[-1]:.3f} of AdamW's FLOPs")
    if ratios and len(ratios) == len(common):
        print(f"mean {statistics.mean(ratios):.3f} +- {interval(ratios):.3f} of AdamW's FLOPs on the curve "
              "of the 6M-token schedule")
    for key, seeds in sorted(runs.items()):
        both = sorted(set(seeds) & set(runs[a]))
        if key == a or not both:
            continue
        d = [seeds[s]["curve"][-1][1] - runs[a][s]["curve"][-1][1] for s in both]
        f = [seeds[s]["flops"] / runs[a][s]["flops"] for s in both]
        print(f"{key[0]} {key[1]:g}, {key[2]} a step, {key[3]}M: NLL minus best AdamW's "
              f"{statistics.mean(d):+.4f} +- {interval(d):.4f} (n={len(d)}) at {statistics.mean(f):.3f} of its FLOPs")
    print("\n| share of steps | AdamW | Muon |\n| --- | --- | --- |")
    for i in range(0, len(runs[a][common[0]]["curve"]), 2):
        row = [statistics.mean(runs[k][s]["curve"][i][1] for s in common) for k in (a, m)]
        print(f"| {i / (len(runs[a][common[0]]['curve']) - 1):.1f} | {row[0]:.4f} | {row[1]:.4f} |")


main()
