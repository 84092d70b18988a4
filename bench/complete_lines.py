#!/usr/bin/env python3
"""What `winnow rules --sets complete` says of labelled lines, of sentences that were cut, and of pages that people voted on.

    bench/complete_lines.py build/release/winnow

WINNOW_DATA has pages/ (lines labelled 1 main text, 0 not) and quality/ (pages with 1 good, 0 bad).  A line is put to the
program as a document of its own; incomplete is what has complete__line_chars below 1.  Cut: lines of main text that end
a sentence and have eight words or more; of every second one the end is taken off at a random word.
"""
import json, os, random, subprocess, sys, tempfile

winnow = os.path.abspath(sys.argv[1])
data = os.environ.get("WINNOW_DATA") or os.path.join(os.path.dirname(__file__), "../../shared/data")


def read(name):
    with subprocess.Popen(["zstd", "-dcq", os.path.join(data, name)], stdout=subprocess.PIPE) as p:
        for line in p.stdout:
            yield json.loads(line)


def values(texts, name):
    """The value of each text; None where it is undefined."""
    with tempfile.TemporaryDirectory() as tmp:
        with open(tmp + "/c.jsonl", "w") as f:
            f.writelines(json.dumps({"id": str(i), "text": t}) + "\n" for i, t in enumerate(texts))
        subprocess.run([winnow, "rules", "-q", "--sets", "complete", "--no-filter", tmp + "/c.jsonl", "-o", tmp + "/run"], check=True)
        with open(tmp + "/run/stages/01-rules/attributes/rules/c.jsonl") as f:
            return [json.loads(line)["attributes"]["complete__" + name][0][2] for line in f]


def row(name, pairs):
    """pairs of (said to be incomplete, is wanted out)."""
    tp = sum(a and b for a, b in pairs)
    said, are = sum(a for a, _ in pairs), sum(b for _, b in pairs)
    print(f"| {name} | {len(pairs)} | {are / len(pairs):.2f} | {tp / said:.3f} | {tp / are:.3f} |")


def auc(scores, labels):
    order = sorted(zip(scores, labels))
    ranks, i = 0.0, 0
    while i < len(order):
        k = i
        while k < len(order) and order[k][0] == order[i][0]:
            k += 1
        ranks += sum(label for _, label in order[i:k]) * (i + k + 1) / 2
        i = k
    good = sum(labels)
    return (ranks - good * (good + 1) / 2) / (good * (len(labels) - good))


print("| lines | how many | share to go | precision | recall |\n| --- | --- | --- | --- | --- |")
for name in ("wcxb_dev", "cleaneval_dev", "newspaper", "readability", "dragnet_train"):
    lines = [(line, label) for d in read(f"pages/{name}.jsonl.zst") for line, label in zip(d["lines"], d["label"]) if label in (0, 1)]
    said = values([line for line, _ in lines], "line_chars")
    row(name, [(v is None or v < 1, label == 0) for v, (_, label) in zip(said, lines)])
rng = random.Random(1)
cut = []
for d in read("pages/wcxb_dev.jsonl.zst"):
    for line, label in zip(d["lines"], d["label"]):
        words = line.split()
        if label == 1 and len(words) >= 8 and words[-1][-1] in ".!?":
            n = rng.randrange(3, len(words)) if rng.random() < 0.5 else 0
            cut.append((" ".join(words[:n]) if n else line, n > 0))
said = values([line for line, _ in cut], "line_chars")
row("sentences, cut or whole", [(v is None or v < 1, is_cut) for v, (_, is_cut) in zip(said, cut)])
texts = list(read("quality/dclm_majority_data.jsonl.zst"))
for name in ("line_chars", "ends"):
    v = [x or 0 for x in values([t["text"] for t in texts], name)]
    print(f"pages that people voted on ({len(texts)}): complete__{name} has AUC {auc(v, [t['label'] for t in texts]):.3f}")
    for limit in (0.1, 0.25, 0.5, 0.75):
        gone = [t["label"] for t, x in zip(texts, v) if x < limit]
        if name == "line_chars":
            print(f"  below {limit}: {sum(1 for g in gone if not g)} of {sum(1 for t in texts if not t['label'])} bad, {sum(gone)} of {sum(t['label'] for t in texts)} good")
