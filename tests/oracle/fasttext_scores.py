#!/usr/bin/env python3
"""Our scores of fastText's models and its scores of ours, on real text.

    tests/oracle/fasttext_scores.py WINNOW [FASTTEXT]

FASTTEXT is its program (Debian's package `fasttext`; by default the one in PATH).  It trains models with every loss, with
n-grams of words and of characters, and quantises one; each scores the same documents on both sides.  Then winnow trains one,
and both score with that.  Text is that of WINNOW_DATA (clean/wiki, noisy/crawl).  Exit code 1 beyond 1e-5, 77 where the
program or the data are absent.  It prints six digits, which is half of the 1e-6 that is measured here."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

winnow = os.path.abspath(sys.argv[1])
fasttext = sys.argv[2] if len(sys.argv) > 2 else shutil.which("fasttext")
data = os.environ.get("WINNOW_DATA", "")
if not fasttext:
    print("skipped: no fasttext program (Debian: apt install fasttext)")
    sys.exit(77)
if not os.path.exists(f"{data}/clean/wiki.jsonl.zst"):
    print("skipped: WINNOW_DATA holds no clean/wiki.jsonl.zst")
    sys.exit(77)
fasttext = os.path.abspath(fasttext)


def read(path, count):
    """The first documents of a file, their texts cut to 2,000 characters."""
    pipe = subprocess.Popen(["zstd", "-dc", f"{data}/{path}"], stdout=subprocess.PIPE)
    lines = [pipe.stdout.readline() for _ in range(count)]
    pipe.kill()
    documents = [json.loads(line) for line in lines if line]
    return [{"id": d["id"], "text": d["text"][:2000]} for d in documents]


def write(name, documents):
    with open(name, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(d) + "\n" for d in documents)


def flat(text):
    return text.replace("\n", " ")


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def theirs(model, label):
    scores = []
    for line in run(fasttext, "predict-prob", model, "test.txt", "400").splitlines():
        words = line.split()
        scores.append(min(float(dict(zip(words[::2], words[1::2]))[label]), 1))
    return scores


def ours(model, label):
    shutil.rmtree("run", ignore_errors=True)
    run(winnow, "quality", "-q", "--model", model, "--label", label, "test.jsonl", "-o", "run")
    with open("run/stages/01-quality/attributes/quality/test.jsonl", encoding="utf-8") as f:
        return [json.loads(line)["attributes"]["winnow__quality"][0][2] for line in f]


KINDS = {
    "softmax, bigrams": "-loss softmax -dim 50 -wordNgrams 2 -bucket 50000",
    "softmax, words alone": "-loss softmax -dim 10",
    "one against all, 1-3-grams, pieces of 2-4 characters": "-loss ova -dim 17 -wordNgrams 3 -minn 2 -maxn 4 -bucket 30000",
    "negative samples": "-loss ns -dim 8 -wordNgrams 2 -bucket 30000",
    "hierarchical, pieces of 3-5 characters": "-loss hs -dim 10 -wordNgrams 2 -minn 3 -maxn 5 -bucket 30000",
}
QUANTISED = {
    "quantised": [],
    "quantised, the best 20,000 n-grams, norms": ["-cutoff", "20000", "-qnorm"],
}
wrong = 0


def compare(what, model):
    global wrong
    worst = max(abs(a - b) for label in LABELS for a, b in zip(theirs(model, label), ours(model, label)))
    wrong += not worst <= 1e-5
    print(f"{worst:8.1e}  {what}")


LABELS = ["__label__hq", "__label__cc"]
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    good, bad = read("clean/wiki.jsonl.zst", 250), read("noisy/crawl.jsonl.zst", 450)
    with open("train.txt", "w", encoding="utf-8") as f:
        for g, b in zip(good[:200], bad[:200]):
            f.write(f"__label__hq {flat(g['text'])}\n__label__cc {flat(b['text'])}\n")
        f.writelines(f"__label__cc {flat(b['text'])}\n" for b in bad[200:400])
    write("good.jsonl", good[:200])
    write("bad.jsonl", bad[:400])
    test = good[200:] + bad[400:] + [{"id": "odd", "text": "a\x0bb\tna\u00efve \u65e5\u672c __label__hq __label__no x</s> </s> unseen"}]
    with open("test.txt", "w", encoding="utf-8") as f:
        f.writelines(flat(d["text"]) + "\n" for d in test)
    # fastText reads the rest of a line behind "</s>" as a line of its own
    behind = test[-1]["text"].split(" </s> ")
    test[-1]["text"] = behind[0]
    write("test.jsonl", test + [{"id": "behind", "text": behind[1]}])
    for what, options in KINDS.items():
        run(fasttext, "supervised", "-input", "train.txt", "-output", "m", "-thread", "1", "-lr", "0.5", "-verbose", "0",
            *options.split())
        compare(what, "m.bin")
        if what == "softmax, bigrams":
            shutil.copy("m.bin", "q.bin")
    for what, options in QUANTISED.items():
        run(fasttext, "quantize", "-input", "train.txt", "-output", "q", "-verbose", "0", *options)
        compare(what, "q.ftz")
    with open("many.txt", "w", encoding="utf-8") as f:  # an output matrix is quantised from 256 rows on
        for i, d in enumerate(2 * (good[:200] + bad[:400])):
            f.write(f"__label__{['hq', 'cc'][i % 2] if i % 7 == 0 else i % 300} {flat(d['text'])}\n")
    run(fasttext, "supervised", "-input", "many.txt", "-output", "q", "-dim", "16", "-loss", "hs", "-thread", "1", "-verbose", "0",
        "-wordNgrams", "2", "-bucket", "20000", "-epoch", "1")
    compare("302 labels, hierarchical", "q.bin")
    run(fasttext, "quantize", "-input", "many.txt", "-output", "q", "-qout", "-cutoff", "5000", "-verbose", "0")
    compare("302 labels, hierarchical, quantised, output too", "q.ftz")
    for what, options in {"trained here": [], "trained here, pieces of 2-4 characters": ["--minn", "2", "--maxn", "4"]}.items():
        run(winnow, "quality", "train", "-q", "--bucket", "50000", "good.jsonl", "--against", "bad.jsonl", "-o", "w.bin", *options)
        compare(what, "w.bin")
sys.exit(wrong > 0)
