#!/usr/bin/env python3
"""silos_table.py -- macro-F1 and balanced accuracy of silos.sh, means over splits with 95 %."""
import json
import math
import sys

state, seeds = sys.argv[1], int(sys.argv[2])
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}


def interval(v):
    m = sum(v) / len(v)
    sd = math.sqrt(sum((x - m) ** 2 for x in v) / (len(v) - 1)) if len(v) > 1 else 0
    return "%.3f ± %.3f" % (m, T.get(len(v), 2) * sd / math.sqrt(len(v)))


def measure(seed, arm):
    folder = "%s/%d" % (state, seed)
    labels = [json.loads(line)["label"] for line in open(folder + "/held.jsonl")]
    n = [[0, 0], [0, 0]]
    for label, line in zip(labels, open("%s/%s.scores" % (folder, arm))):
        score = json.loads(line)["attributes"].get("winnow__quality")
        n[label][int(bool(score) and score[0][2] > 0.5)] += 1
    f1 = lambda k: 2 * n[k][k] / max(1, sum(n[k]) + n[0][k] + n[1][k])
    return (f1(0) + f1(1)) / 2, (n[0][0] / sum(n[0]) + n[1][1] / sum(n[1])) / 2


print("| choice | balance | macro-F1, silos | central | balanced accuracy, silos | central |")
print("| --- | --- | --- | --- | --- | --- |")
for choose in ("no-choose", "choose"):
    for balance in ("none", "weights", "smote"):
        got = {w: [measure(s, "%s-%s-%s" % (choose, balance, w)) for s in range(1, seeds + 1)] for w in ("silos", "central")}
        cells = [interval([m[k] for m in got[w]]) for k in (0, 1) for w in ("silos", "central")]
        print("| %s | %s | %s |" % ("all" if choose == "no-choose" else "chosen", balance, " | ".join(cells)))
