#!/usr/bin/env python3
"""causal_table.py -- estimates of causal.sh beside the effect of the intervention, by seed."""
import json
import math
import sys

state, seeds = sys.argv[1], int(sys.argv[2])
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
rows = []
print("| seed | right | naive | back-door [95 %] | on the turned corpus, naive | back-door | intervention [95 %] | random weights | oracle |")
print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
f = lambda x: "-" if x is None else "%+.3f" % x
for s in range(1, seeds + 1):
    folder = "%s/%d" % (state, s)
    said, turned = (json.load(open("%s/%s.json" % (folder, w))) for w in ("as", "do"))
    right = [{d["subject"]: d["model"] == d["object"] for d in map(json.loads, open("%s/%s-rows.jsonl" % (folder, w)))} for w in ("as", "do")]
    diffs = []  # of each town whose choice was turned: stated less not stated
    for d in map(json.loads, open(folder + "/flipped.jsonl")):
        a, b = right[0][d["subject"]], right[1][d["subject"]]
        diffs.append((a - b) if d["stated"] else (b - a))
    true = sum(diffs) / len(diffs)
    half = 1.96 * math.sqrt(sum((x - true) ** 2 for x in diffs) / (len(diffs) - 1) / len(diffs))
    e = said["effects"]["memorised"]
    m, t = e["model"], turned["effects"]["memorised"]["model"]
    rows.append((m["naive"], m["back_door"], true))
    print(
        "| %d | %.3f | %s | %s [%s, %s] | %s | %s | %s [%s, %s] | %s [%s, %s] | %s |"
        % (s, said["accuracy"]["model"], f(m["naive"]), f(m["back_door"]), f(m["low"]), f(m["high"]), f(t["naive"]), f(t["back_door"]),
           f(true), f(true - half), f(true + half), f(e["random_weights"]["back_door"]), f(e["random_weights"]["low"]), f(e["random_weights"]["high"]),
           f(e["oracle"]["back_door"]))
    )
for name, k in (("naive", 0), ("back-door", 1)):
    d = [x[k] - x[2] for x in rows]
    mean = sum(d) / len(d)
    sd = math.sqrt(sum((x - mean) ** 2 for x in d) / (len(d) - 1)) if len(d) > 1 else 0
    print("%s less intervention: %+.3f ± %.3f" % (name, mean, T.get(len(d), 2) * sd / math.sqrt(len(d))) if len(d) > 1 else "%s less intervention: %+.3f" % (name, mean))
