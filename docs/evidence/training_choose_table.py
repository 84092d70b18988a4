#!/usr/bin/env python3
"""What training.sh choose measured so far: training_choose_table.py STATE."""
import glob
import json
import math
import os
import sys

state = sys.argv[1]
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
ARMS = ["uniform", "opus", "greats", "source", "uniform-flops", "source-flops"]
got = {}
for arm in ARMS:
    for path in glob.glob("%s/choose/*/%s.json" % (state, arm)):
        folder = path[: -len(".json")]
        with open(path) as f:
            row = json.load(f)
        with open(folder + "/training.json") as f:
            training = json.load(f)
        row["flops"], row["steps"] = training["flops"], training["steps"]
        with open(folder + ".seconds") as f:
            row["seconds"] = sum(float(line) for line in f)
        got.setdefault(arm, {})[os.path.basename(os.path.dirname(path))] = row
if not got:
    sys.exit()


def mean(rows, key):
    return sum(r[key] for r in rows) / len(rows)


def less(arm, base, key):
    """Differences on the seeds that both have, with 95 % (t)."""
    d = [got[arm][s][key] - got[base][s][key] for s in got[arm] if s in got.get(base, {})]
    if not d:
        return ""
    m = sum(d) / len(d)
    if len(d) == 1:
        return "%+.3f" % m
    sd = math.sqrt(sum((x - m) ** 2 for x in d) / (len(d) - 1))
    return "%+.3f ± %.3f" % (m, T.get(len(d), 2) * sd / math.sqrt(len(d)))


print("### choose: batches chosen towards a target\n")
print("| arm | seeds | steps | NLL of the target's source | from uniform, equal steps | from uniform, equal FLOPs | NLL of the others | training FLOPs | processor seconds a step |")
print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
for arm in ARMS:
    rows = list(got.get(arm, {}).values())
    if rows:
        print("| %s | %d | %.0f | %.3f | %s | %s | %.3f | %.2e | %.3f |"
              % (arm, len(rows), mean(rows, "steps"), mean(rows, "wanted"), less(arm, "uniform", "wanted") if arm != "uniform" else "",
                 less(arm, "uniform-flops", "wanted") if arm != "uniform-flops" else "", mean(rows, "others"), mean(rows, "flops"),
                 mean(rows, "seconds") / mean(rows, "steps")))
print()
