#!/usr/bin/env python3
"""Near-copies planted in real text: what winnow dedup finds of them, beside a plain twin.

    tests/oracle/dedup_planted.py WINNOW

The twin splits texts into words by the rule of src/dedup/near_words.h, makes sets of shingles and takes their exact
Jaccard index.  Of the planted pairs those of .85 and more have to be found, those below .7 must stay (of estimates two may not); with --verify
exact every score in the ledger is the twin's; estimates are within five standard errors of it; with every pair a
candidate (two rows a band) the clusters are those of all pairs.  Needs WINNOW_DATA/clean/wiki.jsonl.zst and zstd; skips
without (77)."""
import collections, itertools, json, math, os, random, subprocess, sys, tempfile, unicodedata

ALONE = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3040, 0x30FF),
         (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F), (0xF900, 0xFAFF),
         (0xFF66, 0xFF9D), (0x1B000, 0x1B16F), (0x20000, 0x323AF))


def fold(c):
    if 0xAC00 <= ord(c) <= 0xD7A3:
        return c
    parts = unicodedata.normalize("NFD", unicodedata.normalize("NFD", c).casefold())
    return "".join(p for p in parts if unicodedata.category(p) != "Mn") or c


def words(text):
    out, word, digit = [], "", False
    for i, c in enumerate(text):
        kind = unicodedata.category(c)
        if kind[0] == "L" or kind in ("Mc", "Nl"):
            if any(a <= ord(c) <= b for a, b in ALONE):
                out += [word, fold(c)]
                word = ""
            else:
                word += fold(c)
            digit = False
        elif kind == "Nd":
            word += "" if digit else "0"
            digit = True
        elif kind not in ("Mn", "Me") and not (c in ".," and digit and text[i + 1:i + 2] in set("0123456789")):
            out.append(word)
            word, digit = "", False
    return [w for w in out + [word] if w]


def shingles(text):
    w = words(text)
    return {" ".join(w[i:i + 5]) for i in range(max(1, len(w) - 4))} if w else set()


def jaccard(a, b):
    return len(a & b) / len(a | b) if a | b else 0


def ledger(winnow, folder, *options):
    out = os.path.join(folder, "run")
    subprocess.run(["rm", "-rf", out])
    subprocess.run([winnow, "dedup", "-q", "--method", "minhash", *options, folder + "/in.jsonl", "-o", out],
                   check=True, stderr=subprocess.DEVNULL)
    return {d["id"]: d for d in map(json.loads, open(out + "/stages/01-dedup/ledger/in.jsonl"))}


def make(folder):
    path = os.path.join(os.environ.get("WINNOW_DATA", "/nowhere"), "clean/wiki.jsonl.zst")
    try:
        lines = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout.splitlines()[:1600:4]
    except (OSError, subprocess.CalledProcessError):
        print("skipped: no zstd, or no WINNOW_DATA/clean/wiki.jsonl.zst")
        sys.exit(77)
    rng, docs, pairs = random.Random(7), {}, []
    source = [json.loads(l)["text"][:12000] for l in lines]
    pool = " ".join(source[:50]).split()
    for i, text in enumerate(source):
        docs[f"d{i}"] = text
        rate = rng.choice((0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.04))
        docs[f"c{i}"] = " ".join(rng.choice(pool) if rng.random() < rate else w for w in text.split(" "))
        pairs.append((f"d{i}", f"c{i}"))
    order = list(docs)
    rng.shuffle(order)
    with open(folder + "/in.jsonl", "w") as f:
        f.writelines(json.dumps({"id": i, "text": docs[i]}) + "\n" for i in order)
    return order, {i: shingles(t) for i, t in docs.items()}, pairs


def all_pairs(order, sets, threshold):
    """Clusters of all pairs: an index of shingles gives those that share any."""
    parent, holders = {i: i for i in order}, collections.defaultdict(list)
    for i in order:
        for s in sets[i]:
            holders[s].append(i)
    common = collections.Counter(p for h in holders.values() if 1 < len(h) < 200 for p in itertools.combinations(h, 2))

    def root(i):
        while parent[i] != i:
            i = parent[i]
        return i
    for (a, b), n in common.items():
        if n >= threshold * max(len(sets[a]), len(sets[b])) * 0.9 and jaccard(sets[a], sets[b]) >= threshold:
            parent[root(b)] = root(a)
    clusters = collections.defaultdict(set)
    for i in order:
        clusters[root(i)].add(i)
    return {frozenset(c) for c in clusters.values() if len(c) > 1}


def main():
    winnow = os.path.abspath(sys.argv[1])
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        order, sets, pairs = make(folder)
        for options in ((), ("--verify", "exact")):
            said = ledger(winnow, folder, *options)
            found = collections.Counter()
            for a, b in pairs:
                j = jaccard(sets[a], sets[b])
                band = "high" if j >= 0.85 else "low" if j < 0.7 else "middle"
                # a pair is found where both are of one cluster
                found[band, said[a].get("cluster", a) == said[b].get("cluster", b)] += 1
            for d in said.values():
                if d["verdict"] != "remove":
                    continue
                j = jaccard(sets[d["id"]], sets[d["kept"]])
                error = 5 * math.sqrt(max(j * (1 - j), 0.01) / 112)
                if abs(d["score"] - j) > (1e-9 if options and "near" in d["rule"] else error):
                    wrong.append(f"{options}: {d['id']} and {d['kept']} share {j}, not {d['score']}")
            high, low = found["high", True] / max(1, sum(found["high", k] for k in (True, False))), found["low", True]
            print(f"{options or 'estimates'}: found {high:.3f} of .85 and more, {low} of {low + found['low', False]} below .7")
            if high < 0.97 or low > (0 if options else 2) or found["low", False] < 20:
                wrong.append(f"{options}: {found}")
        said = ledger(winnow, folder, "--verify", "exact", "--bands", "64", "--rows", "2")
        clusters = collections.defaultdict(set)
        for d in said.values():
            clusters[d.get("cluster", d["id"])].add(d["id"])
        mine, twins = {frozenset(c) for c in clusters.values() if len(c) > 1}, all_pairs(order, sets, 0.8)
        if mine != twins:
            wrong.append(f"clusters differ: {list(mine ^ twins)[:3]}")
        print(f"{len(twins)} clusters of all pairs, {len(mine & twins)} of them found")
    print(*wrong[:10], sep="\n")
    sys.exit(bool(wrong))


main()
