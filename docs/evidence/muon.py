#!/usr/bin/env python3
"""Tables of docs/evidence/muon.sh from what is done so far.

    muon.py STATE

The rule, named before the runs: each optimizer at its best learning rate, by the
mean of its seeds; Muon reaches AdamW's final loss of the same seed where its
held-out curve, joined by straight lines between measured points, first lies at
or below it; what it has spent there, Newton-Schulz counted, is a share of all that
AdamW spent.  Intervals are 95 % t over seeds."""
import glob, json, math, statistics, sys

STATE = sys.argv[1]
T95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
# By width: tokens a step of each optimizer's grid.
GRID = {96: {"adamw": 512, "muon": 2048}, 192: {"adamw": 1024, "muon": 4096}}


def interval(values):
    """Half a 95 % interval, in words."""
    if len(values) < 2:
        return "one seed"
    return f"+- {T95[len(values)] * statistics.stdev(values) / math.sqrt(len(values)):.4f}"


def final(run):
    return run["curve"][-1][1]


def share_reached(run, target):
    """Share of the run's steps after which its curve reaches target, or None."""
    (s0, y0) = run["curve"][0]
    for s1, y1 in run["curve"][1:]:
        if y1 <= target:
            return (s1 if y0 <= y1 else s0 + (s1 - s0) * (y0 - target) / (y0 - y1)) / run["steps"]
        s0, y0 = s1, y1
    return None


def read():
    runs = {}
    for path in sorted(glob.glob(f"{STATE}/run-*/result.json")):
        with open(path, encoding="utf-8") as f:
            r = json.load(f)
        key = (r["optimizer"], r["lr"], int(r["batch_tokens"]))
        runs.setdefault(int(r["dim"]), {}).setdefault(key, {})[int(r["seed"])] = r
    return runs


def table(runs):
    print("| optimizer | rate | tokens a step | FLOPs | held-out NLL by seed | mean |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (name, lr, batch), seeds in sorted(runs.items()):
        print(f"| {name} | {lr:g} | {batch:,} | {statistics.mean(r['flops'] for r in seeds.values()):.3e} | "
              + ", ".join(f"{s}: {final(seeds[s]):.4f}" for s in sorted(seeds))
              + f" | {statistics.mean(map(final, seeds.values())):.4f} |")


def best(runs, name, batch):
    """The learning rate with the lowest mean, of those with the most seeds."""
    grid = {k: v for k, v in runs.items() if k[0] == name and k[2] == batch}
    most = max(map(len, grid.values()), default=0)
    return min((k for k in grid if len(grid[k]) == most),
               key=lambda k: statistics.mean(map(final, grid[k].values())), default=None)


def reached(adamw, muon, what):
    """What Muon spends to reach where each AdamW run ends, seed by seed."""
    ratios = []
    for s in sorted(set(adamw) & set(muon)):
        share = share_reached(muon[s], final(adamw[s]))
        if share is None:
            print(f"{what}, seed {s}: Muon does not reach {final(adamw[s]):.4f} (it ends at {final(muon[s]):.4f})")
            return
        ratios.append(share * muon[s]["flops"] / adamw[s]["flops"])
    if ratios:
        print(f"{what}: Muon is there after {statistics.mean(ratios):.3f} {interval(ratios)} of its FLOPs ("
              + ", ".join(f"{r:.3f}" for r in ratios) + ")")


def report(runs, grid):
    table(runs)
    a, m = (best(runs, name, grid[name]) for name in ("adamw", "muon"))
    if not a or not m:
        return
    print(f"\nBest rates: AdamW {a[1]:g}, Muon {m[1]:g}.\n")
    reached(runs[a], runs[m], f"AdamW's final loss at {a[1]:g}, {a[2]:,} tokens a step")
    for key in sorted(runs):
        if key[0] == "adamw" and key != a:
            reached(runs[key], runs[m], f"AdamW's at {key[1]:g}, {key[2]:,} tokens a step")
    common = sorted(set(runs[a]) & set(runs[m]))
    if not common:
        return
    points = len(runs[a][common[0]]["curve"])
    print("\n| share of the steps | AdamW | Muon |\n| --- | --- | --- |")
    for i in range(0, points, max(1, points // 10)):
        row = [statistics.mean(runs[k][s]["curve"][i][1] for s in common) for k in (a, m)]
        print(f"| {i / (points - 1):.1f} | {row[0]:.4f} | {row[1]:.4f} |")


def main():
    for dim, runs in sorted(read().items()):
        print(f"\n## width {dim}\n")
        report(runs, GRID[dim])


main()
