#!/usr/bin/env python3
"""The tables of select.sh: what each arm made of each target.

    select_table.py STATE [-copies | -deduped] [TARGET...]

NLL of the responses of test rows at the checkpoint that was best on the tuning rows, mean over the
seeds that have the arm for all targets; differences are paired by seed and target, ± the half
width of the 95 % t interval over the seeds' means."""
import glob
import json
import math
import os
import sys

DEFAULT = ["arc-easy", "common_gen", "quarel", "rotten_tomatoes"]

# two-sided 97.5 % points of Student's t by degrees of freedom
T = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36}


def read(state, suffix):
    """{seed: {arm: {target: record}}}, selections likewise."""
    arms, chosen = {}, {}
    for folder in sorted(glob.glob(os.path.join(state, "seed-*"))):
        name = os.path.basename(folder)[5:]
        seed, _, kind = name.partition("-")
        if kind != suffix.lstrip("-"):
            continue
        for path in glob.glob(os.path.join(folder, "arms", "*.json")):
            row = json.load(open(path))
            arms.setdefault(seed, {}).setdefault(row["arm"], {})[row["target"]] = row["test"]
        for path in glob.glob(os.path.join(folder, "chosen", "*.json")):
            target, arm = split(os.path.basename(path)[:-5], arms.get(seed, {}))
            if not target:
                continue  # chosen, nothing trained yet
            chosen.setdefault(seed, {}).setdefault(arm, {})[target] = json.load(open(path))
    return arms, chosen


def budget_of(name):
    """The budget of an arm, in per cent; 0 of one without."""
    last = name.removesuffix("-epochs").rsplit("-", 1)[-1]
    return float(last) if last[0].isdigit() and last != "4x" else 0.0


def split(name, arms):
    targets = {t for by in arms.values() for t in by}
    target = max((t for t in targets if name.startswith(t + "-")), key=len, default="")
    return target, name[len(target) + 1 :]


def interval(values):
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return f"{mean:+.3f}"
    sd = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    return f"{mean:+.3f} ± {T.get(n - 1, 2.3) * sd / math.sqrt(n):.3f}"


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def losses(arms, names, targets):
    print("| arm | seeds | mean | " + " | ".join(targets) + " | − random | − round-robin |")
    print("| --- | --- | --- |" + " --- |" * (len(targets) + 2))
    for name in names:
        have = [s for s in arms if all(t in arms[s].get(name, {}) for t in targets)]
        part = [t for t in targets if any(t in arms[s].get(name, {}) for s in arms)]
        if not have and not part:
            continue
        seeds = have or [s for s in arms if name in arms[s]]
        cells = []
        for t in targets:
            got = [arms[s][name][t] for s in seeds if t in arms[s].get(name, {})]
            cells.append(f"{mean(got):.3f}" if got else "")
        total = f"{mean(mean(arms[s][name][t] for t in targets) for s in have):.3f}" if have else ""
        budget = f"{budget_of(name) or 0.5:g}"
        against = []
        for other in (f"random-{budget}", f"round-robin-{budget}"):
            both = [s for s in have if all(t in arms[s].get(other, {}) for t in targets)]
            gaps = [mean(arms[s][name][t] - arms[s][other][t] for t in targets) for s in both]
            against.append(interval(gaps) if gaps and other != name else "")
        print(f"| {name} | {len(seeds)} | {total} | " + " | ".join(cells) + " | " + " | ".join(against) + " |")


def selections(chosen, names, targets):
    print("| selection | rows | tokens | distinct groups | cosine with held-out gradient | unweighted |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in names:
        rows = [chosen[s][name][t] for s in chosen for t in targets if t in chosen[s].get(name, {})]
        if rows:
            value = lambda key: mean(row[key] for row in rows)
            print(
                f"| {name} | {value('rows'):.0f} | {value('tokens'):.0f} | {value('groups'):.1f} | "
                f"{value('cosine'):.3f} | {value('cosine_uniform'):.3f} |"
            )


def main():
    arms, chosen = read(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
    there = {t for seed in arms.values() for by in seed.values() for t in by}
    targets = sys.argv[3:] or [t for t in DEFAULT if t in there]
    names = {a for seed in arms.values() for a in seed}
    for budget in sorted({budget_of(a) for a in names}):
        print(f"\nBudget {budget:g} %:\n" if budget else "\nWithout a selection:\n")
        own = [a for a in names if budget_of(a) == budget]
        worst = lambda a: mean(v for s in arms.values() for t, v in s.get(a, {}).items() if t in targets)
        own = [a for a in own if any(t in targets for s in arms.values() for t in s.get(a, {}))]
        losses(arms, sorted(own, key=worst), targets)
    print()
    names = {a for seed in chosen.values() for a in seed}
    selections(chosen, sorted(names, key=lambda a: (budget_of(a), a)), targets)


if __name__ == "__main__":
    main()
