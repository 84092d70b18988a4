#!/usr/bin/env python3
"""Which training tells two corpora apart for the fewest FLOPs?

    power.py [CONFIGURATION...]     default: all of them, in their order
    power.py table                  what is done so far
    power.py texts                  the same runs, measured with fewer held-out texts

Each configuration is a proof with four arms (power_corpus.py): two that are equal but for
chance, twice. Under each seed their differences are noise, whose mean is known to be 0; the
difference of the two kinds is the signal, so that training which shrinks both wins nothing:

    noise    root of the mean square of (clean-0 - clean-1) and (noisy-0 - noisy-1), in nats
    signal   mean of noisy minus mean of clean, in nats
    FLOPs    of training an arm and measuring it
    figure   (noise / signal)^2 * FLOPs: what it takes to see a difference of that kind, up to
             a factor that is the same for all

Run it again after an interruption and it goes on.

    WINNOW_DATA  folder with clean/ pages/    (../shared/data)
    STATE        where it works               (runs/evidence-power)
    WINNOW       the program                  (build/release/winnow)

Needs zstd on the path."""
import json
import math
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DATA = os.path.abspath(os.environ.get("WINNOW_DATA", f"{ROOT}/../shared/data"))
STATE = os.path.abspath(os.environ.get("STATE", f"{ROOT}/runs/evidence-power"))
WINNOW = os.path.abspath(os.environ.get("WINNOW", f"{ROOT}/build/release/winnow"))

ARMS = ("clean-0", "clean-1", "noisy-0", "noisy-1")
MIXED = ("mixed-0", "mixed-1")  # of configurations called mixed-: noise alone
SMALL, TINY = "--dim 96 --layers 3 --heads 3", "--dim 64 --layers 2 --heads 2"
ADAMW = "--optimizer adamw --batch-tokens 512 --lr 2e-3"
MUON = "--optimizer muon --batch-tokens 2048 --lr 8e-3"
# name: seeds, options; what comes last is said last
GRID = {
    "small-adamw": (4, f"{SMALL} --tokens 250k {ADAMW}"),
    "small-muon": (4, f"{SMALL} --tokens 250k {MUON}"),
    "tiny-muon": (4, f"{TINY} --tokens 250k {MUON}"),
    "tiny-muon-average": (4, f"{TINY} --tokens 250k {MUON} --average 0.3"),
    "tiny-adamw": (4, f"{TINY} --tokens 250k {ADAMW}"),
    "tiny-adamw-average": (4, f"{TINY} --tokens 250k {ADAMW} --average 0.3"),
    "tiny-muon-half-rate": (4, f"{TINY} --tokens 250k {MUON} --lr 4e-3"),
    "tiny-adamw-half-rate": (4, f"{TINY} --tokens 250k {ADAMW} --lr 1e-3"),
    "tiny-muon-to-zero": (4, f"{TINY} --tokens 250k {MUON} --lr-end 0"),
    "tiny-muon-1024": (4, f"{TINY} --tokens 250k {MUON} --batch-tokens 1024"),
    "tiny-muon-short": (8, f"{TINY} --tokens 125k {MUON} --batch-tokens 1024"),
    "before": (2, f"{SMALL} --tokens 1M {ADAMW}"),
    "mixed-muon": (2, f"{SMALL} --tokens 250k {MUON}"),
    "mixed-adamw": (2, f"{SMALL} --tokens 250k {ADAMW}"),
    "after": (1, f"{SMALL} --tokens 1M {MUON} --eval-tokens 400k"),
}

def arms_of(name):
    return MIXED if name.startswith("mixed-") else ARMS


def run(name):
    seeds, options = GRID[name]
    out = f"{STATE}/{name}"
    done = f"{out}/results.json"
    if os.path.exists(done) and len(json.load(open(done, encoding="utf-8"))["seeds"]) >= seeds:
        return
    names = arms_of(name)
    held = "mixed-heldout" if names is MIXED else "heldout"
    arms = ",".join(f"{a}={STATE}/{a}.jsonl" for a in names)
    subprocess.run(["nice", "-n", "19", WINNOW, "prove", "-q", "-t", "1", f"{STATE}/{names[0]}.jsonl", "-o", out,
                    "--arms", arms, "--heldout", f"{STATE}/{held}.jsonl", "--tokenizer", f"{STATE}/tokenizer.json",
                    "--clean-rules", "none", "--cloze-items", "0", "--curve-points", "0", "--eval-tokens", "100k",
                    "--compute", "bf16", "--bootstrap", "10", "--warmup", "0.05", "--average", "0", "--lr-end", "0.1",
                    "--seeds", str(seeds), "--force", *options.split()], check=True)


def read(name):
    """Runs as rows [seed][arm], each with NLL and tokens of every held-out text."""
    rows = []
    for seed in range(1, 1001):
        paths = [f"{STATE}/{name}/jobs/seed-{seed:04}/{a}.json" for a in arms_of(name)]
        if not all(map(os.path.exists, paths)):
            return rows
        rows.append([json.load(open(p, encoding="utf-8")) for p in paths])
    return rows


def loss(job, texts=None):
    texts = range(len(job["nll"])) if texts is None else texts
    return sum(job["nll"][i] for i in texts) / sum(job["tokens"][i] for i in texts)


def flops(job):
    """Of training, and of reading the held-out text: a third of training on it."""
    return job["flops"] * (1 + sum(job["tokens"]) / job["tokens_trained"] / 3)


def figures(rows, texts=None):
    square, signal, level, cost = [], [], [], []
    for row in rows:
        losses = [loss(j, texts) for j in row]
        square += [(a - b) ** 2 for a, b in zip(losses[::2], losses[1::2])]
        level.append(sum(losses[:2]) / 2)
        signal.append(sum(losses[2:]) / 2 - level[-1] if losses[2:] else math.nan)
        cost += map(flops, row)
    mean = lambda x: sum(x) / len(x)
    return {"noise": math.sqrt(mean(square)), "signal": mean(signal), "level": mean(level), "flops": mean(cost)}


def spread(rows, draws=400):
    """Factor by which the figure may be off, as a standard deviation of its logarithm: seeds redrawn."""
    rng, logs = random.Random(1), []
    if len(rows) < 2 or math.isnan(figures(rows)["signal"]):
        return math.nan
    for _ in range(draws):
        f = figures([rng.choice(rows) for _ in rows])
        logs.append(2 * math.log(f["noise"] / abs(f["signal"])))
    m = sum(logs) / draws
    return math.exp(math.sqrt(sum((x - m) ** 2 for x in logs) / draws))


def table():
    print("| configuration | seeds | NLL clean | noise | signal | signal / noise | FLOPs an arm | figure | off by |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in GRID:
        rows = read(name)
        if rows:
            f = figures(rows)
            figure = (f["noise"] / f["signal"]) ** 2 * f["flops"]
            print(f"| {name} | {len(rows)} | {f['level']:.3f} | {f['noise']:.4f} | {f['signal']:.4f} | "
                  f"{f['signal'] / f['noise']:.1f} | {f['flops']:.2e} | {figure:.2e} | {spread(rows):.2f} |", flush=True)


def texts():
    """Noise with fewer texts: its square falls as a + b / tokens."""
    print("| configuration | texts | tokens | noise | signal |\n| --- | --- | --- | --- | --- |")
    for name in GRID:
        rows, rng = read(name), random.Random(1)
        every = len(rows[0][0]["nll"]) if rows else 0
        for n in (every, every // 2, every // 4, every // 8):
            if n > 0:
                draws = [rng.sample(range(every), n) for _ in range(40)]
                f = [figures(rows, t) for t in draws]
                tokens = sum(rows[0][0]["tokens"]) * n / every
                print(f"| {name} | {n} | {tokens:,.0f} | {math.sqrt(sum(x['noise'] ** 2 for x in f) / len(f)):.4f} | "
                      f"{sum(x['signal'] for x in f) / len(f):.4f} |", flush=True)


def main():
    os.makedirs(STATE, exist_ok=True)
    if sys.argv[1:] == ["texts"]:
        texts()
        return
    if sys.argv[1:] != ["table"]:
        if not os.path.exists(f"{STATE}/heldout.jsonl"):
            subprocess.run([sys.executable, f"{HERE}/power_corpus.py", DATA, STATE], check=True)
        if not os.path.exists(f"{STATE}/tokenizer.json"):
            subprocess.run([WINNOW, "tokenizer", "train", "-q", "--vocab", "2048", *(f"{STATE}/{a}.jsonl" for a in ARMS),
                            "-o", f"{STATE}/tokenizer.json"], check=True)
        for name in sys.argv[1:] or GRID:
            run(name)
    table()


main()
