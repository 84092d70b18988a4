#!/usr/bin/env python3
"""smoothing_table.py -- means over seeds of what smoothing.sh measured, with intervals of 95 % (t)."""
import json
import math
import sys

state, seeds = sys.argv[1], int(sys.argv[2])
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 8: 2.365, 10: 2.262}


def mean(v):
    m = sum(v) / len(v)
    sd = math.sqrt(sum((x - m) ** 2 for x in v) / (len(v) - 1)) if len(v) > 1 else 0
    return m, T.get(len(v), 2.0) * sd / math.sqrt(len(v))


def read(noise, lr, how, held):
    return [json.load(open("%s/%d-%s/%s-%s-%s.json" % (state, s, noise, lr, how, held))) for s in range(1, seeds + 1)]


for lr in ("0.01", "0.1"):
    for held in ("held", "held-wrong"):
        print("\nrate %s, %s\n" % (lr, "judgements held out are right" if held == "held" else "judgements held out are as wrong"))
        print("| wrong | smooth | held-out loss after 1 epoch | least, after | after 10 | 10 less 1 | right after 1, % | after 10 | 10 less 1 | labels turned |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        for noise in ("0", "0.1", "0.3"):
            for how in ("none", "0.3", "0.5"):
                if held == "held-wrong" and noise == "0":
                    continue
                runs = read(noise, lr, how, held)
                losses = [[e["held_loss"] for e in r["epochs"]] for r in runs]
                curve = [sum(c) / len(c) for c in zip(*losses)]
                rise = mean([c[-1] - c[0] for c in losses])
                right = [[100 * e["held_right"] for e in r["epochs"]] for r in runs]
                turned = sum(r["labels_turned"] for r in runs) / sum(r["judgements"] for r in runs)
                print(
                    "| %g %% | %s | %.3f | %.3f, %d | %.3f | %+.3f ± %.3f | %.1f | %.1f | %+.1f ± %.1f | %.1f %% |"
                    % (100 * float(noise), how, curve[0], min(curve), 1 + curve.index(min(curve)), curve[-1], *rise,
                       mean([c[0] for c in right])[0], mean([c[-1] for c in right])[0], *mean([c[-1] - c[0] for c in right]), 100 * turned)
                )
