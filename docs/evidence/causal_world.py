#!/usr/bin/env python3
"""causal_world.py -- a corpus whose facts are stated or not, and the same with the other choice.

    causal_world.py SEED WIKI FOLDER

400 towns lie in 8 lands.  How popular a town is makes it likelier that its fact is stated (six
times) and gives it sentences that name town and land together in other words: a confounder.
Writes facts.jsonl; as.jsonl, the corpus; and do.jsonl, in which for a random half of the towns
the choice is turned (flipped.jsonl lists them): statements taken away, or added.  Both have the
same real text of WIKI between.
"""
import json
import random
import subprocess
import sys

seed, wiki, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
r = random.Random(seed)
A = ["ba", "ko", "li", "mu", "ra", "se", "ti", "vo", "na", "pe", "du", "ga"]
names = sorted({"".join(r.choice(A) for _ in range(4)).capitalize() for _ in range(900)})
r.shuffle(names)
lands, towns = names[:8], names[8:408]
zstd = subprocess.Popen(["zstd", "-dc", wiki], stdout=subprocess.PIPE)
real = [json.loads(next(zstd.stdout))["text"][:600] for _ in range(1200)]
zstd.kill()

world = []
for t in towns:
    popular = r.randrange(3)
    world.append({"town": t, "land": r.choice(lands), "popular": popular, "stated": r.random() < (0.2, 0.5, 0.8)[popular]})
for w in world:
    w["other"] = [r.choice(("The road from %s goes through %s.", "People of %s visit %s.", "%s trades with the rest of %s.")) % (w["town"], w["land"]) for _ in range((0, 3, 12)[w["popular"]])]
flipped = set(r.sample(range(len(world)), len(world) // 2))


def corpus(name, turned):
    s = random.Random(seed + 1)
    docs = list(real)
    for i, w in enumerate(world):
        stated = w["stated"] != (turned and i in flipped)
        docs += w["other"] + ["%s is named in this text." % w["town"]]
        docs += ["%s lies in %s." % (w["town"], w["land"])] * (6 if stated else 0)
    s.shuffle(docs)
    with open("%s/%s.jsonl" % (folder, name), "w") as f:
        for i, d in enumerate(docs):
            f.write(json.dumps({"id": "%d" % i, "text": d}) + "\n")


corpus("as", False)
corpus("do", True)
with open(folder + "/facts.jsonl", "w") as f:
    for w in world:
        f.write(json.dumps({"subject": w["town"], "pattern": "[X] lies in [Y].", "object": w["land"]}) + "\n")
with open(folder + "/flipped.jsonl", "w") as f:
    for i in sorted(flipped):
        f.write(json.dumps({"subject": world[i]["town"], "stated": world[i]["stated"]}) + "\n")
