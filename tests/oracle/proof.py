#!/usr/bin/env python3
"""What a proof says against what is known.

    proof.py PROGRAM

1. The proof proves what ships: for a recipe that ends in `prune`, with the defaults and with
   options that differ from them, each proof's seed selects the very documents (scores to the last
   digit) that the stage itself keeps when it is run over the same corpus with that seed; and the
   options matter.  Other bands of it, by source too, are arms by their names.
2. A planted corpus: half of the documents are noise. The arm without them must win.
3. A null corpus: two random halves of one corpus. Neither may be called better."""
import glob
import json
import os
import random
import subprocess
import sys
import tempfile

WINNOW = os.path.abspath(sys.argv[1])
M = (1 << 64) - 1
MODEL = {"dim": 16, "heads": 2, "layers": 1, "context": 64, "batch-tokens": 256, "vocab": 400}
# What the stage is asked for; a proof's own model is another one all along.
VARIANTS = {
    "defaults": {},
    "by source, high": {"by-source": "true", "criterion": "high", "rate": "30%"},
    "cross-fit": {"cross-fit": "true"},
    "shape and tokenizer": {"dim": 24, "vocab": 350, "optimizer": "muon", "average": "50%", "lr": 0.01},
    "windows": {"window": 48, "stride": 7, "fixed-length": 0},
    "reference": {"reference-share-max": "10%", "document-tokens": 40},
}


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) & M
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & M
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & M
    return x ^ (x >> 31)


def winnow(*args):
    done = subprocess.run([WINNOW, *args], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"winnow {' '.join(args)}: exit {done.returncode}\n{done.stderr}")


def read(pattern):
    return [json.loads(line) for path in sorted(glob.glob(pattern)) for line in open(path, encoding="utf-8")]


def write(path, documents):
    with open(path, "w", encoding="utf-8") as out:
        for i, (source, text) in enumerate(documents):
            out.write(json.dumps({"id": f"d{i}", "source": source, "text": text}) + "\n")


def sentences(rng, words, count):
    """Each word allows three successors only: there is something to learn."""
    out = []
    for _ in range(count):
        w = rng.randrange(words)
        for _ in range(rng.randrange(6, 14)):
            out.append(f"w{w}")
            w = (w * 7 + rng.randrange(3)) % words
        out[-1] += "."
    return " ".join(out)


def noise(rng, words, count):
    return " ".join(f"w{rng.randrange(words)}" for _ in range(10 * count))


def recipe(options, out, arms):
    stage = "".join(f", {k}: {v}" for k, v in {**MODEL, "reference-tokens": "2k", **options}.items())
    proof = {**MODEL, "dim": 32, "arms": f"[{', '.join(arms)}]", "seeds": 1, "tokens": "60k", "fixed-pool": "true", "primary": "raw",
             "clean-rules": "none", "eval-tokens": "2k", "cloze-items": 0, "curve-points": 0, "bootstrap": 10}
    return (f"winnow: 1\ninput: [c.jsonl]\noutput: {out}\nstages:\n  - holdout: {{share: 10%}}\n  - prune: {{{stage[2:]}}}\n"
            f"prove: {{{', '.join(f'{k}: {v}' for k, v in proof.items())}}}\n")


def ships(name, options, arm="final", other=None):
    """The scores that the proof's seed chose, and those that the stage keeps with that seed (with
    the other options that the arm stands for)."""
    out = name.replace(" ", "-").replace(",", "")
    arms = ["before", "final"] + ([arm] if arm != "final" else [])
    with open(f"{out}.yaml", "w", encoding="utf-8") as f:
        f.write(recipe(options, out, arms))
    winnow("run", "-q", f"{out}.yaml")
    jobs = json.load(open(f"{out}/prove/jobs/seed-0001/_selection.json", encoding="utf-8"))
    of_proof = sorted(s for s, c in zip(jobs["scores"], jobs["chosen"]) if c >> (len(arms) - 1) & 1)
    seed = mix(1000003)
    args = [x for k, v in {**MODEL, "reference-tokens": "2k", **options, **(other or {})}.items()
            for x in ([f"--{k}"] if v == "true" else [f"--{k}", str(v)])]
    winnow("prune", "-q", "--seed", str(seed), *args, f"{out}/stages/01-holdout/documents", "-o", f"{out}-stage")
    rows = read(f"{out}-stage/stages/01-prune/attributes/nll/*.jsonl")
    kept = {d["id"] for d in read(f"{out}-stage/documents/*.jsonl")}
    of_stage = sorted(r["attributes"]["winnow__nll"][0][2] for r in rows if r["id"] in kept)
    if of_proof != of_stage:
        sys.exit(f"{name}: the proof chose {len(of_proof)} documents, the stage keeps {len(of_stage)}; they are not the same")
    results = json.load(open(f"{out}/prove/results.json", encoding="utf-8"))
    if not results["selection"]["stage"]:
        sys.exit(f"{name}: the results do not say that the stage's method was proved")
    print(f"{name}: {len(of_proof)} documents, those of the stage")
    return of_proof


def prove(out, arms):
    winnow("prove", "-q", "a.jsonl", "-o", out, "--arms", arms, "--seeds", "6", "--tokens", "15k", "--clean-rules", "none",
           "--primary", "raw", "--eval-tokens", "6k", "--cloze-items", "0", "--curve-points", "0", "--bootstrap", "20",
           "--heldout", "held.jsonl", "--dim", "32", "--heads", "2", "--layers", "1", "--context", "64", "--batch-tokens", "512",
           "--vocab", "400")
    return next(d for d in json.load(open(f"{out}/results.json", encoding="utf-8"))["differences"]
                if d["measure"] == "raw" and d["domain"] is None)


def main():
    rng = random.Random(3)
    os.chdir(tempfile.mkdtemp())
    write("c.jsonl", [(f"s{i % 3}", sentences(rng, 40 + 60 * (i % 3), 3 + i % 9)) for i in range(400)])
    chosen = {name: ships(name, options) for name, options in VARIANTS.items()}
    for name in VARIANTS:
        if name != "defaults" and chosen[name] == chosen["defaults"]:
            sys.exit(f"{name}: chooses what the defaults choose")
    band = {"by-source": "true", "criterion": "high"}
    if ships("arm by source", {}, "high-by-source", band) == ships("arm high", {}, "high", {"criterion": "high"}):
        sys.exit("the band by source is the band of all")

    clean = [("s", sentences(rng, 60, 8)) for _ in range(1200)]
    write("held.jsonl", [("s", sentences(rng, 60, 8)) for _ in range(60)])
    write("a.jsonl", clean[:600])
    write("b.jsonl", clean[600:])
    write("noisy.jsonl", clean[600:900] + [("s", noise(rng, 60, 8)) for _ in range(300)])
    planted, null = prove("planted", "noisy=noisy.jsonl,clean=a.jsonl"), prove("null", "a=a.jsonl,b=b.jsonl")
    print(f"planted: {planted['mean']:+.3f} nats, p {planted['p']:.2g}; null: {null['mean']:+.3f} nats, p {null['p']:.2g}, "
          f"would see {null['detectable']:.3f}")
    if planted["better"] is not True:
        sys.exit("the arm without noise did not win")
    if null["better"] is not None or abs(null["mean"]) > 2 * null["detectable"]:
        sys.exit("of two equal arms one was called better")


main()
