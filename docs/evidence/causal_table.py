#!/usr/bin/env python3
"""causal_table.py -- estimates of causal.sh beside the effect of the intervention, by seed."""
import json
import math
import sys

state, seeds = sys.argv[1], int(sys.argv[2])
T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
rows = []
print("| seed | right | naive | back-door [95 %] | intervention | random weights | subject-object | pattern-object |")
print("| --- | --- | --- | --- | --- | --- | --- | --- |")
for s in range(1, seeds + 1):
    folder = "%s/%d" % (state, s)
    r = json.load(open(folder + "/as-study/causal.json"))
    right = [{d["subject"]: d["model"] == d["object"] for d in map(json.loads, open("%s/%s-study/rows.jsonl" % (folder, w)))} for w in ("as", "do")]
    diffs = []
    for d in map(json.loads, open(folder + "/flipped.jsonl")):
        a, b = right[0][d["subject"]], right[1][d["subject"]]
        diffs.append((a - b) if d["stated"] else (b - a))
    true = sum(diffs) / len(diffs)
    e = r["effects"]
    m = e["memorised"]["model"]
    rows.append((r["accuracy"]["model"], m["naive"], m["back_door"], true, e["memorised"]["random_weights"]["back_door"]))
    f = lambda x: "-" if x is None else "%+.3f" % x
    print(
        "| %d | %.3f | %s | %s [%s, %s] | %s | %s | %s | %s |"
        % (s, r["accuracy"]["model"], f(m["naive"]), f(m["back_door"]), f(m["low"]), f(m["high"]), f(true),
           f(e["memorised"]["random_weights"]["back_door"]), f(e["subject_object"]["model"]["back_door"]), f(e["pattern_object"]["model"]["back_door"]))
    )
for name, k in (("naive", 1), ("back-door", 2)):
    d = [x[k] - x[3] for x in rows]
    mean = sum(d) / len(d)
    sd = math.sqrt(sum((x - mean) ** 2 for x in d) / (len(d) - 1)) if len(d) > 1 else 0
    print("%s less intervention: %+.3f ± %.3f" % (name, mean, T.get(len(d), 2) * sd / math.sqrt(len(d))))
