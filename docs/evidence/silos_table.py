#!/usr/bin/env python3
"""silos_table.py -- macro-F1 and balanced accuracy of silos.sh, means over splits with 95 % (t), and
what choosing and staying at home change on the same splits."""
import json
import math
import sys

state, seeds = sys.argv[1], int(sys.argv[2])
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
BALANCES = ("none", "weights", "smote")


def interval(v):
    m = sum(v) / len(v)
    sd = math.sqrt(sum((x - m) ** 2 for x in v) / (len(v) - 1)) if len(v) > 1 else 0
    return m, T.get(len(v), 2) * sd / math.sqrt(len(v))


def measure(folder, arm):
    labels = [json.loads(line)["label"] for line in open(folder + "/held.jsonl")]
    n = [[0, 0], [0, 0]]
    for label, line in zip(labels, open("%s/%s.scores" % (folder, arm)), strict=True):
        score = json.loads(line)["attributes"].get("winnow__quality")
        n[label][int(bool(score) and score[0][2] > 0.5)] += 1
    f1 = lambda k: 2 * n[k][k] / max(1, sum(n[k]) + n[0][k] + n[1][k])
    return (f1(0) + f1(1)) / 2, (n[0][0] / sum(n[0]) + n[1][1] / sum(n[1])) / 2


for task in ("votes", "crawl"):
    for wrong in ("0", "0.2"):
        got = {
            (c, b, w): [measure("%s/%s-%s-%d" % (state, task, wrong, s), "%s-%s-%s" % (c, b, w)) for s in range(1, seeds + 1)]
            for c in ("no-choose", "choose") for b in BALANCES for w in ("silos", "central")
        }
        print("\n%s, %g %% of the labels by chance\n" % (task, 100 * float(wrong)))
        print("| choice | balance | macro-F1, silos | central | balanced accuracy, silos | central |")
        print("| --- | --- | --- | --- | --- | --- |")
        for c in ("no-choose", "choose"):
            for b in BALANCES:
                cells = ["%.3f ± %.3f" % interval([m[k] for m in got[c, b, w]]) for k in (0, 1) for w in ("silos", "central")]
                print("| %s | %s | %s |" % ("all" if c == "no-choose" else "chosen", b, " | ".join(cells)))
        print("\n| macro-F1 less | none | weights | smote |\n| --- | --- | --- | --- |")
        less = lambda p, q: " | ".join("%+.3f ± %.3f" % interval([x[0] - y[0] for x, y in zip(got[p(b)], got[q(b)])]) for b in BALANCES)
        print("| chosen less all, silos |", less(lambda b: ("choose", b, "silos"), lambda b: ("no-choose", b, "silos")), "|")
        print("| chosen less all, central |", less(lambda b: ("choose", b, "central"), lambda b: ("no-choose", b, "central")), "|")
        print("| silos less central, all |", less(lambda b: ("no-choose", b, "silos"), lambda b: ("no-choose", b, "central")), "|")
        both = ["%+.3f ± %.3f" % interval([x[0] - y[0] for x, y in zip(got["choose", "weights", w], got["choose", "smote", w])]) for w in ("silos", "central")]
        print("\nweights less smote, chosen: silos %s, central %s" % tuple(both))
