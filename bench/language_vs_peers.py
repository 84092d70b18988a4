#!/usr/bin/env python3
"""`winnow language` beside the field's identifiers on real pages: pycld2 (dolma's), resiliparse, and fastText where a model is given.

    bench/language_vs_peers.py WINNOW [lid.176.bin]

WINNOW_DATA has pages/: the human main texts (`gold`) of wcxb_dev, cleaneval_dev and newspaper.  Peers are Python packages
(pip install pycld2 resiliparse); a missing one is left out, saying so.  One thread; processor seconds, median of three.
The pages have no language label: shown is how often two say the same.
"""
import json, os, resource, statistics, subprocess, sys, tempfile, time

winnow = os.path.abspath(sys.argv[1])
model = sys.argv[2] if len(sys.argv) > 2 else None
data = os.environ.get("WINNOW_DATA") or os.path.join(os.path.dirname(__file__), "../../shared/data")


def texts():
    for name in ("wcxb_dev", "cleaneval_dev", "newspaper"):
        with subprocess.Popen(["zstd", "-dcq", os.path.join(data, "pages", name + ".jsonl.zst")], stdout=subprocess.PIPE) as p:
            for line in p.stdout:
                text = json.loads(line)["gold"]
                text = "\n".join(text) if isinstance(text, list) else text
                text = "".join(c if c in "\t\n" or c.isprintable() else " " for c in text or "")
                if len(text) > 20:
                    yield text


def ours(path, *more):
    with tempfile.TemporaryDirectory() as tmp:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([winnow, "language", "-q", "-t", "1", "--no-annotate", *more, path, "-o", tmp + "/run"], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(tmp + "/run/stages/01-language/ledger/" + os.path.basename(path)) as f:
            codes = [json.loads(line)["language"] for line in f]
    return codes, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def in_python(ask, all_texts):
    start = time.process_time()
    codes = [ask(t) for t in all_texts]
    return codes, time.process_time() - start


def main():
    all_texts = list(texts())
    size = sum(len(t.encode()) for t in all_texts)
    print(f"{len(all_texts)} texts, {size / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as tmp:
        path = tmp + "/c.jsonl"
        with open(path, "w") as f:
            f.writelines(json.dumps({"id": str(i), "text": t}) + "\n" for i, t in enumerate(all_texts))
        who = {"winnow (CLD2)": lambda: ours(path)}
        if model:
            who["winnow (fastText)"] = lambda: ours(path, "--model", model)
        try:
            import pycld2
            who["pycld2"] = lambda: in_python(lambda t: pycld2.detect(t, isPlainText=True)[2][0][1], all_texts)
        except ImportError:
            print("pycld2 is not installed: left out")
        try:
            from resiliparse.parse.lang import detect_fast
            who["resiliparse"] = lambda: in_python(lambda t: detect_fast(t)[0], all_texts)
        except ImportError:
            print("resiliparse is not installed: left out")
        first = None
        print(f"{'':20}{'MB/s':>8}{'as winnow':>12}{'English':>10}{'unknown':>10}")
        for name, run in who.items():
            results = [run() for _ in range(3)]
            codes, seconds = results[0][0], statistics.median(r[1] for r in results)
            codes = [c.split("-")[0] for c in codes]
            first = first or codes
            same = sum(a == b for a, b in zip(first, codes)) / len(codes)
            print(f"{name:20}{size / 1e6 / seconds:>8.1f}{100 * same:>10.1f} %{codes.count('en'):>10}{codes.count('un') + codes.count('unknown'):>10}")


main()
