#!/usr/bin/env python3
"""Beside fastText: how well classifiers trained on the same documents tell good from bad, and how fast both train and score.

    bench/quality_vs_fasttext.py WINNOW [FASTTEXT] [--auc] [--speed]

FASTTEXT is its program (Debian's package `fasttext`; by default the one in PATH).  Data are those of WINNOW_DATA.

--auc: 499 pages with people's votes (quality/dclm_majority_data), five folds; and Wikipedia (clean/wiki) against a crawl
(noisy/crawl), a fifth held out.  Both sides see the same lines.  Areas are computed here, by ranks, from what each program
writes.  --speed: megabytes of text a second of processor time, one thread each, of training (a pass) and of scoring; the
time to load a model is that of scoring an empty file."""
import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("winnow")
parser.add_argument("fasttext", nargs="?", default=shutil.which("fasttext"))
parser.add_argument("--auc", action="store_true")
parser.add_argument("--speed", action="store_true")
parser.add_argument("--megabytes", type=float, default=20)
args = parser.parse_args()
winnow, fasttext = os.path.abspath(args.winnow), os.path.abspath(args.fasttext)
data = os.environ["WINNOW_DATA"]


def read(path, count=10**9, megabytes=10**9):
    pipe = subprocess.Popen(["zstd", "-dc", f"{data}/{path}"], stdout=subprocess.PIPE)
    documents, size = [], 0
    for line in pipe.stdout:
        d = json.loads(line)
        documents.append(d)
        size += len(d["text"].encode())
        if len(documents) >= count or size >= megabytes * 1e6:
            break
    pipe.kill()
    return documents


def write(name, documents):
    """NAME.jsonl for winnow, NAME.txt with labels and NAME.bare for fastText."""
    with open(f"{name}.jsonl", "w", encoding="utf-8") as j, open(f"{name}.txt", "w", encoding="utf-8") as t, \
            open(f"{name}.bare", "w", encoding="utf-8") as b:
        for i, d in enumerate(documents):
            flat = d["text"].replace("\n", " ")
            j.write(json.dumps({"id": str(i), "source": d.get("source", ""), "label": d["good"], "text": d["text"]}) + "\n")
            t.write(f"__label__{'hq' if d['good'] else 'cc'} {flat}\n")
            b.write(flat + "\n")


def spend(*words):
    """Processor seconds of a command, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, out


def auc(scores, documents):
    ranked = sorted((s, d["good"]) for s, d in zip(scores, documents))
    right = good = bad = i = 0
    while i < len(ranked):
        j, g, b = i, 0, 0
        while j < len(ranked) and ranked[j][0] == ranked[i][0]:
            g, b, j = g + ranked[j][1], b + 1 - ranked[j][1], j + 1
        right, good, bad, i = right + g * (bad + b / 2), good + g, bad + b, j
    return right / (good * bad)


def theirs(train, test, options):
    seconds, _ = spend(fasttext, "supervised", "-input", f"{train}.txt", "-output", "f", "-thread", "1", "-verbose", "0", *options)
    more, out = spend(fasttext, "predict-prob", "f.bin", f"{test}.bare", "2")
    scores = []
    for line in out.splitlines():
        words = line.split()
        scores.append(float(dict(zip(words[::2], words[1::2]))["__label__hq"]))
    return seconds, more, scores


def ours(train, test, options):
    seconds, _ = spend(winnow, "quality", "train", "-q", "-t", "1", "--holdout", "0", "--label-key", "label", f"{train}.jsonl",
                       "-o", "w.bin", *options)
    shutil.rmtree("run", ignore_errors=True)
    more, _ = spend(winnow, "quality", "-q", "-t", "1", "--model", "w.bin", f"{test}.jsonl", "-o", "run")
    with open(f"run/stages/01-quality/attributes/quality/{test}.jsonl", encoding="utf-8") as f:
        return seconds, more, [json.loads(line)["attributes"]["winnow__quality"][0][2] for line in f]


SHAPE = {"fasttext": "-dim 16 -bucket 1048576 -wordNgrams 2", "winnow": ""}
AUC = [
    ("fastText, its defaults (lr 0.1, 5 epochs)", theirs, "fasttext", ""),
    ("fastText, lr 0.5, 5 epochs", theirs, "fasttext", "-lr 0.5"),
    ("fastText, lr 0.5, 25 epochs", theirs, "fasttext", "-lr 0.5 -epoch 25"),
    ("fastText, lr 1, 25 epochs", theirs, "fasttext", "-lr 1 -epoch 25"),
    ("winnow, 5 epochs", ours, "winnow", "--epochs 5"),
    ("winnow, its defaults (10 epochs)", ours, "winnow", ""),
    ("winnow, 25 epochs", ours, "winnow", "--epochs 25"),
]


def areas(what, documents, folds, measured):
    for k in range(measured):
        write(f"train{k}", [d for i, d in enumerate(documents) if i % folds != k])
        write(f"test{k}", [d for i, d in enumerate(documents) if i % folds == k])
    print(f"\n| {what} | AUC |\n| --- | --- |")
    for name, how, side, options in AUC:
        values = []
        for k in range(measured):
            held = [d for i, d in enumerate(documents) if i % folds == k]
            values.append(auc(how(f"train{k}", f"test{k}", (SHAPE[side] + " " + options).split())[2], held))
        each = f" ({min(values):.3f}-{max(values):.3f})" if measured > 1 else ""
        print(f"| {name} | {sum(values) / measured:.4f}{each} |", flush=True)


def speed():
    half = args.megabytes / 2
    documents = [dict(d, good=1) for d in read("clean/wiki.jsonl.zst", megabytes=half)] + \
        [dict(d, good=0) for d in read("noisy/crawl.jsonl.zst", megabytes=half)]
    random.Random(3).shuffle(documents)
    write("all", documents)
    write("none", [{"text": "", "good": 1}])
    size = os.path.getsize("all.bare") / 1e6
    print(f"\n{len(documents)} documents, {size:.1f} MB of text, one thread, MB a second of processor time\n")
    print("| | train, a pass | score | load, s |\n| --- | --- | --- | --- |")
    rows = [
        ("fastText, 100 numbers, 2M buckets, bigrams", theirs, "-dim 100 -bucket 2000000 -wordNgrams 2 -epoch 1"),
        ("winnow, the same", ours, "--dim 100 --bucket 2000000 --epochs 1 --min-count 1"),
        ("fastText, 16 numbers, 1M buckets, bigrams", theirs, "-dim 16 -bucket 1048576 -wordNgrams 2 -epoch 1"),
        ("winnow, the same", ours, "--epochs 1 --min-count 1"),
    ]
    for name, how, options in rows:
        train, score, _ = how("all", "all", options.split())
        if how is theirs:
            load, _ = spend(fasttext, "predict-prob", "f.bin", "none.bare", "2")
        else:
            shutil.rmtree("run", ignore_errors=True)
            load, _ = spend(winnow, "quality", "-q", "-t", "1", "--model", "w.bin", "none.jsonl", "-o", "run")
        print(f"| {name} | {size / train:.1f} | {size / (score - load):.1f} | {load:.2f} |", flush=True)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    if args.auc:
        votes = [dict(d, good=d["label"]) for d in read("quality/dclm_majority_data.jsonl.zst")]
        random.Random(5).shuffle(votes)
        areas(f"{len(votes)} pages with votes, five folds (least and most of them)", votes, 5, 5)
        mixed = [dict(d, text=d["text"][:4000], good=1) for d in read("clean/wiki.jsonl.zst", 1500)] + \
            [dict(d, text=d["text"][:4000], good=0) for d in read("noisy/crawl.jsonl.zst", 3000)]
        random.Random(6).shuffle(mixed)
        areas(f"Wikipedia against a crawl, {len(mixed)} documents, a fifth held out", mixed, 5, 1)
    if args.speed:
        speed()
