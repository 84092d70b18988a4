#!/usr/bin/env python3
"""A system that fails once, anywhere: a recipe with every stage is run with the n-th
open, read, write ... failing (fail.c), for n drawn from all of them.  Each time
  - the program ends by itself: no signal but an abort that says "out of memory",
  - exit code 0 means the same bytes as without the failure, another one says why,
  - the same command afterwards goes on and ends with the same bytes, and no litter.

    faults.py WINNOW LIBFAIL [--samples N] [--seed S] [--kinds open,read] [--kills N]

--samples 0 takes every n.  --kills adds kill -9 at random moments.
"""
import argparse, hashlib, os, random, shutil, signal, subprocess, sys, tempfile, time

KINDS = ("open read write stat readdir rename link unlink fsync mmap malloc mkdir truncate seek "
         "close short intr").split()
MAY_DIFFER = {"timings.json", "report.html", ".lock", "input.json"}
RECIPE = """winnow: 1
input: [pages]
output: run
checkpoint: 0
stages:
  - extract: {shard-size: 3k}
  - holdout: {share: 10%}
  - rules: {filter: false}
  - refine: {refiner: builtin}
  - dedup:
  - score: {model: model}
  - prune: {reference-tokens: 2k, vocab: 300, dim: 16, heads: 1, layers: 1, context: 32, batch-tokens: 128}
prove: {arms: [before, final], seeds: 1, tokens: 2k, reference-tokens: 1k, vocab: 300, dim: 16, heads: 1,
        layers: 1, context: 32, batch-tokens: 128, clean-rules: none, eval-tokens: 1k, curve-points: 2,
        bootstrap: 10, cloze-items: 5}
"""
WORDS = ("the cat sat on a mat and then it slept all day long in the warm sun of our old house by a "
         "river where many birds sing every morning before rain comes to us").split()


def make_input(winnow):
    rng = random.Random(4)
    for i in range(200):
        folder = "pages/" + ("a" if i % 3 else "b")
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/{i:03d}.html", "w") as f:
            f.write(f"<html><head><title>Page {i % 90}</title></head><body><ul><li>Home<li>News</ul>")
            text = random.Random(i % 90)
            for _ in range(4 + i % 5):
                f.write("<p>" + " ".join(text.choice(WORDS) for _ in range(25)) + ".</p>\n")
            f.write("<p>(c) 2020</p></body></html>")
    with open("text.jsonl", "w") as f:
        for i in range(150):
            f.write('{"id": "t%d", "text": "%s"}\n' % (i, " ".join(rng.choice(WORDS) for _ in range(40))))
    with open("r.yaml", "w") as f:
        f.write(RECIPE)
    subprocess.run([winnow, "train", "-q", "text.jsonl", "-o", "model", "--tokens", "2k", "--vocab", "300",
                    "--dim", "16", "--heads", "1", "--layers", "1", "--context", "32", "--batch-tokens", "128"],
                   check=True, stdout=subprocess.DEVNULL)


def prints(folder):
    out = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if name not in MAY_DIFFER and not name.endswith(".seconds"):
                with open(path, "rb") as f:
                    out[os.path.relpath(path, folder)] = hashlib.md5(f.read()).hexdigest()
    return out


def difference(want, got):
    return sorted(k for k in want.keys() | got.keys() if want.get(k) != got.get(k))


def litter():
    found = [p for p in prints("run") if p.endswith(".tmp") or "/progress-" in p]
    return found + [p for p in os.listdir("tmp")]


class Trial:
    def __init__(self, args):
        self.winnow, self.lib = os.path.abspath(args.winnow), os.path.abspath(args.lib)
        self.command = [self.winnow, "run", "-q", "--threads", "1", "r.yaml"]
        self.faults = []
        self.base = dict(os.environ, TMPDIR=os.path.abspath("tmp"), ASAN_OPTIONS="detect_leaks=0")

    def run(self, **env):
        return subprocess.run(self.command, env=dict(self.base, **env), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace", timeout=300)

    def failing(self, **env):
        here = os.path.abspath(".")
        return self.run(LD_PRELOAD=self.lib, WINNOW_FAIL_UNDER=here, WINNOW_FAIL_SAYS=here + "/../said", **env)

    def fault(self, what, text):
        print(f"FAULT {what}: {text}", flush=True)
        self.faults.append(what)

    def go_on(self, what, want):
        r = self.run()
        if r.returncode != 0:
            return self.fault(what, f"going on: exit {r.returncode}: {r.stderr[-300:]}")
        other = difference(want, prints("run"))
        if other:
            return self.fault(what, f"going on gave other bytes: {other[:6]}")
        if litter():
            self.fault(what, f"litter: {litter()[:6]}")

    def one(self, kind, n, want):
        shutil.rmtree("run", ignore_errors=True)
        if os.path.exists("../said"):
            os.remove("../said")
        r = self.failing(WINNOW_FAIL_KIND=kind, WINNOW_FAIL_AT=str(n))
        said = open("../said").read().strip() if os.path.exists("../said") else f"{kind} {n}: never"
        if r.returncode < 0 and not (kind in ("malloc", "mmap") and "out of memory" in r.stderr):
            self.fault(said, f"signal {-r.returncode}: {r.stderr[-300:]}")
        elif "Sanitizer" in r.stderr or "Assertion" in r.stderr:
            self.fault(said, r.stderr[-600:])
        elif r.returncode == 0 and difference(want, prints("run")):
            self.fault(said, f"exit 0, but {difference(want, prints('run'))[:6]} differ; {r.stderr[-200:]}")
        elif r.returncode > 0 and not r.stderr.strip():
            self.fault(said, f"exit {r.returncode} without a word")
        self.go_on(f"{said} (exit {r.returncode} {r.stderr.strip()[-160:]})", want)

    def kill(self, moment, threads, want):
        command = self.command[:4] + [str(threads)] + self.command[5:]
        p = subprocess.Popen(command, env=self.base, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        met = p.poll() is None
        p.kill()
        p.wait()
        return met


def main():
    a = argparse.ArgumentParser()
    a.add_argument("winnow"), a.add_argument("lib")
    a.add_argument("--samples", type=int, default=3)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--kinds", default=",".join(KINDS))
    a.add_argument("--kills", type=int, default=0)
    args = a.parse_args()
    top = tempfile.mkdtemp()
    args.winnow, args.lib = os.path.abspath(args.winnow), os.path.abspath(args.lib)
    os.makedirs(top + "/work/tmp")
    os.chdir(top + "/work")
    try:
        t = Trial(args)
        make_input(t.winnow)
        start = time.time()
        r = t.run()
        seconds = time.time() - start
        if r.returncode != 0:
            sys.exit(f"the recipe fails by itself: {r.stderr}")
        want = prints("run")
        shutil.rmtree("run")
        t.failing(WINNOW_FAIL_COUNT=top + "/counts")
        if difference(want, prints("run")):
            sys.exit(f"the recipe differs from itself: {difference(want, prints('run'))}")
        counts = {k: int(v) for k, v in (line.split() for line in open(top + "/counts"))}
        if not counts["open"]:
            sys.exit(f"{args.lib} sees no call")
        rng = random.Random(args.seed)
        tried = 0
        for kind in args.kinds.split(",") if args.kinds else []:
            total = counts[kind]
            picks = range(1, total + 1)
            if args.samples and total > args.samples:
                picks = sorted(rng.sample(picks, args.samples))
            for n in picks:
                t.one(kind, n, want)
                tried += 1
            print(f"{kind}: {len(picks)} of {total}", flush=True)
        kills, rounds = 0, 0
        shutil.rmtree("run", ignore_errors=True)
        while kills < args.kills and rounds < 10 * args.kills + 10:
            rounds += 1
            kills += t.kill(rng.random() * seconds, 1 + rounds % 2, want)
            if kills % 3 == 0:  # several kills on one run, then let it end
                t.go_on(f"kill {kills}", want)
                shutil.rmtree("run")
        if kills:
            t.go_on(f"kill {kills}", want)
        print(f"{tried} failures of {sum(counts.values())} calls, {kills} kills: {len(t.faults)} faults "
              f"(one run takes {seconds:.1f} s)")
        sys.exit(1 if t.faults else 0)
    finally:
        os.chdir("/")
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    main()
