#!/usr/bin/env python3
"""Near-deduplication beside rensa, text-dedup and datatrove, on the same text in one run.

    python3 -m venv venv && venv/bin/pip install rensa "datatrove[processing]" spacy nltk orjson zstandard
    python3 -m venv other && other/bin/pip install text-dedup
    venv/bin/python bench/dedup_minhash.py build/release/winnow DATA/clean/wiki.jsonl.zst --text-dedup other/bin/python

The text is documents of the file, with near-copies of a quarter of them planted: words replaced at rates of 0 to
5 %.  All take shingles of 5 words, 112 numbers, 14 bands of 8, and a threshold of .8 where they have one (datatrove has
none: whatever shares a band goes).  Each reads JSON lines and writes those that stay, on one thread.

rensa is a library: its shingles are made in Python, by the shortest code there is for it, and "rensa, its calls alone" is
the time within its own functions, shingles given.  rho is its fast path, which samples positions (another
method: order counts, and long documents are seen in part).

Rates are by processor seconds (user and system), so that other work on the machine disturbs them little; a round runs
all in turn, and ratios are of one round.  The slow ones run on the first --small megabytes, with winnow beside them on
the same.  Found: planted pairs of an exact Jaccard index (over winnow's kind of words) of .8 or more of which not both
stay.
"""
import argparse, io, json, os, random, re, statistics, subprocess, sys, tempfile, unicodedata

import zstandard

RATES = (0, 0.002, 0.005, 0.01, 0.02, 0.05)
COMMON = """
import json, re, sys, time
IN, OUT, WORK = sys.argv[1:4]
words = re.compile(r'[^\\W_]+').findall
def shingles(text):
    w = words(text.lower())
    return [' '.join(w[i:i + 5]) for i in range(max(1, len(w) - 4))]
def put(keep, lines):
    with open(OUT, 'w') as f:
        f.writelines(l for l, k in zip(lines, keep) if k)
"""
PEERS = {
    "rensa": COMMON + """
from rensa import RMinHashDeduplicator
d = RMinHashDeduplicator(threshold=0.8, num_perm=112, use_lsh=True, num_bands=14)
lines = open(IN).readlines()
keep, own = [], 0
for at in range(0, len(lines), 500):
    pairs = [(str(at + i), shingles(json.loads(l)['text'])) for i, l in enumerate(lines[at:at + 500])]
    t = time.process_time()
    keep += d.add_pairs(pairs)
    own += time.process_time() - t
put(keep, lines)
print(own)
""",
    "rensa rho": COMMON + """
from rensa import RMinHash, RMinHashLSH
lines = open(IN).readlines()
sets, own = [shingles(json.loads(l)['text']) for l in lines], 0
t = time.process_time()
m = RMinHash.digest_matrix_from_token_sets_rho(sets, num_perm=112, seed=1)
lsh = RMinHashLSH(threshold=0.8, num_perm=112, num_bands=14)
lsh.insert_matrix(m, 0)
near = lsh.query_duplicate_flags_matrix(m)
own += time.process_time() - t
put([True] * len(lines), lines)
print(own)
""",
    "datatrove": """
import os, sys
from loguru import logger
logger.remove()
IN, OUT, WORK = sys.argv[1:4]
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter,
                                      MinhashDedupSignature)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
c = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
read = lambda: JsonlReader(os.path.dirname(IN), glob_pattern=os.path.basename(IN))
for name, pipeline, tasks in (
    ('1', [read(), MinhashDedupSignature(WORK + '/s', config=c)], 1),
    ('2', [MinhashDedupBuckets(WORK + '/s', WORK + '/b', config=c)], 14),
    ('3', [MinhashDedupCluster(WORK + '/b', WORK + '/r', config=c)], 1),
    ('4', [read(), MinhashDedupFilter(WORK + '/r'), JsonlWriter(WORK + '/o', compression=None)], 1),
):
    LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=WORK + '/l' + name).run()
os.rename(WORK + '/o/00000.jsonl', OUT)
""",
    "text-dedup": None,
}


def fold(text):
    text = "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if unicodedata.category(c) != "Mn")
    return re.findall(r"[^\W_]+", re.sub(r"\d+(?:[.,]\d+)*", "0", text))


def shingle_set(text):
    w = fold(text)
    return {" ".join(w[i:i + 5]) for i in range(max(1, len(w) - 4))} if w else set()


def make_text(path, out, megabytes):
    """Documents and planted near-copies; the pairs with their exact index."""
    rng, docs, size = random.Random(1), [], 0
    with open(path, "rb") as f:
        stream = zstandard.ZstdDecompressor().stream_reader(f) if path.endswith(".zst") else f
        source = [json.loads(l)["text"] for l in io.TextIOWrapper(stream, encoding="utf-8")]
    pool, pairs, turn = " ".join(source[:200]).split(), [], 0
    while size < megabytes * 1e6:  # a text again, where there are too few: with another word in every third place
        n = turn % len(source)
        text = source[n] if turn < len(source) else " ".join(
            rng.choice(pool) if rng.random() < 0.3 else w for w in source[n].split(" "))
        docs.append({"id": f"d{turn}", "text": text})
        size += len(text) + 40
        if turn % 4 == 0:
            rate = rng.choice(RATES)
            copy = " ".join(rng.choice(pool) if rng.random() < rate else w for w in text.split(" "))
            docs.append({"id": f"d{turn}-copy", "text": copy})
            a, b = shingle_set(text), shingle_set(copy)
            pairs.append((f"d{turn}", f"d{turn}-copy", len(a & b) / max(1, len(a | b))))
            size += len(copy) + 40
        turn += 1
    rng.shuffle(docs)
    with open(out, "w") as f:
        f.writelines(json.dumps(d, ensure_ascii=False) + "\n" for d in docs)
    return pairs


def run(command, env):
    """Processor seconds, peak bytes, standard output."""
    # From a small process: a child's peak begins with that of who forked it.
    code = ("import os, sys; p = os.fork() or os.execvp(sys.argv[1], sys.argv[1:]); _, s, u = os.wait4(p, 0);"
            "print(u.ru_utime + u.ru_stime, u.ru_maxrss, s, file=sys.stderr)")
    p = subprocess.run([sys.executable, "-S", "-c", code] + command, env=env, capture_output=True, text=True)
    seconds, peak, status = p.stderr.splitlines()[-1].split()
    if status != "0":
        sys.exit(f"{command}: {p.stderr[-2000:]}")
    return float(seconds), int(peak) * 1024, p.stdout


def call(name, args, text, folder):
    env = dict(os.environ, RAYON_NUM_THREADS="1", OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false",
               HF_HOME=folder + "/hf")
    work, out = tempfile.mkdtemp(dir=folder), os.path.join(folder, "out.jsonl")
    if name.startswith("winnow"):
        command = [args.winnow, "dedup", "-q", "-t", "1", "--method", "minhash", text, "-o", work + "/run",
                   "--no-keep-removed"] + name.split()[1:]
        out = work + "/run/documents/" + os.path.basename(text)
    elif name == "text-dedup":
        command = [args.text_dedup, "-m", "text_dedup.minhash", "--path", "json", "--data_files", text, "--split",
                   "train", "--cache_dir", work + "/cache", "--output", work + "/out", "--column", "text", "--ngram",
                   "5", "--num_perm", "112", "--b", "14", "--r", "8", "--threshold", "0.8", "--hash_func", "xxh3",
                   "--num_proc", "1", "--min_length", "1", "--batch_size", "1000"]
    else:
        command = [sys.executable, "-c", PEERS[name], text, out, work]
    seconds, peak, said = run(command, env)
    if name == "text-dedup":
        code = ("import sys, json, datasets; d = datasets.load_from_disk(sys.argv[1]); f = open(sys.argv[2], 'w');"
                "f.writelines(json.dumps({'id': i}) + chr(10) for i in d['id'])")
        run([args.text_dedup, "-c", code, work + "/out", out], env)
    kept = {json.loads(l)["id"] for l in open(out)}
    subprocess.run(["rm", "-rf", work])
    return seconds, peak, kept, float(said) if name.startswith("rensa") else None


def found(pairs, kept, low, high):
    asked = [(a, b) for a, b, j in pairs if low <= j <= high]
    return sum(not (a in kept and b in kept) for a, b in asked), len(asked)


def compare(names, args, text, megabytes, pairs, folder):
    rounds = []
    for _ in range(args.rounds):
        rounds.append({n: call(n, args, text, folder) for n in names})
        print(f"  a round of {megabytes} MB done", file=sys.stderr)
    print(f"\n{megabytes} MB, {len(pairs)} planted pairs, {args.rounds} rounds\n")
    print("| | MB/s of a core | times winnow's seconds | peak MB | stay | found, J >= .8 | went, J < .7 |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for n in names:
        mine = [r[n] for r in rounds]
        ratios = sorted(r[n][0] / r["winnow"][0] for r in rounds)
        right, asked = found(pairs, mine[0][2], 0.8, 1)
        wrong, low = found(pairs, mine[0][2], 0, 0.7)
        seconds = statistics.median(m[0] for m in mine)
        quality = "| | |" if n == "rensa rho" else f"| {right} of {asked} | {wrong} of {low} |"
        print(f"| {n} | {megabytes / seconds:.1f} | {statistics.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f}) | "
              f"{max(m[1] for m in mine) / 1e6:.0f} | {'' if n == 'rensa rho' else len(mine[0][2])} {quality}")
        if mine[0][3] is not None:
            own = sorted(m[3] / r["winnow"][0] for m, r in zip(mine, rounds))
            print(f"| {n}, its calls alone | {megabytes / statistics.median(m[3] for m in mine):.1f} | "
                  f"{statistics.median(own):.1f} ({own[0]:.1f} to {own[-1]:.1f}) | | | | |")
    return rounds


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("winnow")
    p.add_argument("text")
    p.add_argument("--text-dedup", help="the Python in which it is installed")
    p.add_argument("--megabytes", type=int, default=200)
    p.add_argument("--small", type=int, default=20)
    p.add_argument("--rounds", type=int, default=3)
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        names = ["winnow", "winnow --verify exact", "rensa", "rensa rho"]
        slow = ["winnow"] + (["text-dedup"] if args.text_dedup else []) + ["datatrove"]
        small = folder + "/small.jsonl"
        compare(slow, args, small, args.small, make_text(args.text, small, args.small), folder)
        grown = {}
        for megabytes in (args.megabytes // 2, args.megabytes):
            text = f"{folder}/{megabytes}.jsonl"
            pairs = make_text(args.text, text, megabytes)
            if megabytes == args.megabytes:
                grown[megabytes] = compare(names, args, text, megabytes, pairs, folder)
            else:
                grown[megabytes] = [{n: call(n, args, text, folder) for n in names}]
        half, whole = grown[args.megabytes // 2][0], grown[args.megabytes][0]
        print("\nTwice the text:\n\n| | seconds | peak |\n| --- | --- | --- |")
        for n in names:
            print(f"| {n} | {whole[n][0] / half[n][0]:.2f} times | {whole[n][1] / half[n][1]:.2f} times |")


if __name__ == "__main__":
    main()
