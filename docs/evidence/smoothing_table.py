#!/usr/bin/env python3
"""smoothing_table.py -- means over seeds of what smoothing.sh measured, with intervals of 95 % (t)."""
import json
import math
import os
import sys

state, seeds = sys.argv[1], int(sys.argv[2])
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 8: 2.365, 10: 2.262}


def mean(v):
    m = sum(v) / len(v)
    sd = math.sqrt(sum((x - m) ** 2 for x in v) / (len(v) - 1)) if len(v) > 1 else 0
    return m, T.get(len(v), 2.0) * sd / math.sqrt(len(v))


def change(form, half, value, n):
    """A mean, with its interval where more than one seed gives one."""
    return form % value[0] + (" ± " + half % value[1] if n > 1 else "")


def read(noise, lr, how, held):
    """What is done of the seeds."""
    paths = ["%s/%d-%s/%s-%s-%s.json" % (state, s, noise, lr, how, held) for s in range(1, seeds + 1)]
    return [json.load(open(path)) for path in paths if os.path.exists(path)]


for lr in ("0.01", "0.1"):
    for held in ("held", "held-wrong"):
        print("\nrate %s, %s\n" % (lr, "judgements held out are right" if held == "held" else "judgements held out are as wrong"))
        print("| wrong | smooth | seeds | held-out loss after 1 epoch | least, after | after 10 | 10 less 1 | right after 1, % | after 10 | 10 less 1 | labels turned |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        for noise in ("0", "0.1", "0.3"):
            for how in ("none", "0.3", "0.5"):
                if held == "held-wrong" and noise == "0":
                    continue
                runs = read(noise, lr, how, held)
                if not runs:
                    continue
                losses = [[e["held_loss"] for e in r["epochs"]] for r in runs]
                curve = [sum(c) / len(c) for c in zip(*losses)]
                rise = mean([c[-1] - c[0] for c in losses])
                right = [[100 * e["held_right"] for e in r["epochs"]] for r in runs]
                turned = sum(r["labels_turned"] for r in runs) / sum(r["judgements"] for r in runs)
                row = [curve[0], min(curve), 1 + curve.index(min(curve)), curve[-1], change("%+.3f", "%.3f", rise, len(runs)),
                       mean([c[0] for c in right])[0], mean([c[-1] for c in right])[0],
                       change("%+.1f", "%.1f", mean([c[-1] - c[0] for c in right]), len(runs)), 100 * turned]
                print("| %g %% | %s | %d | %.3f | %.3f, %d | %.3f | %s | %.1f | %.1f | %s | %.1f %% |" % (100 * float(noise), how, len(runs), *row))
