#!/usr/bin/env python3
"""A system that fails once, anywhere: a recipe with every stage is run with the n-th
open, read, write ... failing (fail.c), for n drawn from all of them.  Each time
  - the program ends by itself: no signal but an abort that says "out of memory",
  - exit code 0 means the same bytes as without the failure, another one says why,
  - the same command afterwards goes on and ends with the same bytes, and no litter.

    faults.py WINNOW LIBFAIL [--samples N] [--seed S] [--kinds open,read] [--kills N] [--deaths N]
              [--commands run,train]

--samples 0 takes every n.  --deaths kills the process before the n-th call instead, --kills at
random moments.  --commands: other commands than `run`, which leave models and single files.
"""
import argparse, hashlib, json, os, random, shutil, signal, subprocess, sys, tempfile, time

KINDS = ("open read write stat readdir rename link unlink fsync mmap malloc mkdir truncate seek "
         "close short intr").split()
DEATHS = "open write rename unlink mkdir truncate fsync".split()
SMALL = "--vocab 300 --dim 16 --heads 1 --layers 1 --context 32 --batch-tokens 128".split()
# What each leaves lies in the folder run/.
COMMANDS = {
    "run": ["run", "r.yaml"],
    "train": ["train", "text.jsonl", "-o", "run", "--tokens", "4k"] + SMALL,
    "tokenizer-train": ["tokenizer", "train", "text.jsonl", "-o", "run/t.json", "--vocab", "300"],
    "encode": ["tokenizer", "encode", "-t", "model", "text.jsonl", "-o", "run/ids"],
    "encode-npy": ["tokenizer", "encode", "-t", "model", "text.jsonl", "-o", "run/ids.npy"],
    "encode-megatron": ["tokenizer", "encode", "-t", "model", "text.jsonl", "-o", "run/ids", "--format", "megatron"],
    "eval": ["eval", "--model", "model", "text.jsonl", "-o", "run/e.json"],
    "prove": ["prove", "text.jsonl", "-o", "run", "--seeds", "1", "--arms", "before,low", "--tokens", "2k",
              "--reference-tokens", "1k", "--clean-rules", "none", "--eval-tokens", "1k", "--curve-points", "2",
              "--bootstrap", "10", "--cloze-items", "5"] + SMALL,
    "features": ["features", "text.jsonl", "--model", "model", "-o", "run", "--dim", "64", "--context", "32",
                 "--calibration", "8"],
    "correct": ["correct", "text.jsonl", "--model", "model", "--unwanted", "few.jsonl", "--neutral", "text.jsonl", "--top", "2",
                "--steps", "3", "--calibration", "4", "--context", "32", "--batch-tokens", "64", "-o", "run"],
    "study": ["study", "causal", "text.jsonl", "--model", "model", "--items", "facts.jsonl", "--bootstrap", "50", "-o", "run"],
    "select": ["select", "text.jsonl", "--features", "vectors", "--target", "few.jsonl", "--budget", "20", "-o", "run"],
    "refiner-train": ["refiner", "train", "pairs.jsonl", "-o", "run", "--epochs", "1", "--checkpoint", "0", "--vocab",
                      "300", "--dim", "16", "--heads", "1", "--layers", "1", "--context", "256", "--chunk-tokens",
                      "100", "--answer-tokens", "60", "--batch-tokens", "512"],
    "refiner-lines": ["refiner", "train-lines", "pairs.jsonl", "-o", "run", "--epochs", "1", "--checkpoint", "0"],
}
MAY_DIFFER = {"timings.json", "report.html", ".lock", "input.json"}
RECIPE = """winnow: 1
input: [pages]
output: run
checkpoint: 0
stages:
  - extract: {shard-size: 3k, main: body, mark-main: true}
  - holdout: {share: 10%}
  - language: {lines: true}
  - blocklist: {lists: [list.txt]}
  - mask: {kinds: [email, ip, url]}
  - rules: {filter: false}
  - refine: {refiner: builtin}
  - dedup:
  - dedup: {unit: line}
  - dedup: {method: minhash}
  - decontaminate: {benchmark: [bench.jsonl], action: label}
  - diversify: {clusters: 4, budget: 90%}
  - mix: {epochs-max: 2, tokens: 1T, shard-size: 64k, validation: 5%}
  - synthesize: {benchmark: [bench.jsonl], per-seed: 2}
  - score: {model: model}
  - select: {method: random, budget: 90%}
  - prune: {reference-tokens: 2k, vocab: 300, dim: 16, heads: 1, layers: 1, context: 32, batch-tokens: 128}
prove: {arms: [before, final], seeds: 1, tokens: 2k, reference-tokens: 1k, vocab: 300, dim: 16, heads: 1,
        layers: 1, context: 32, batch-tokens: 128, clean-rules: none, eval-tokens: 1k, curve-points: 2,
        bootstrap: 10, cloze-items: 5}
report:
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
    with open("list.txt", "w") as f:
        f.write("bad.example\n")
    with open("bench.jsonl", "w") as f:
        for i in range(5):
            text = random.Random(i)
            question = " ".join(text.choice(WORDS) for _ in range(25))
            f.write(json.dumps({"id": "q%d" % i, "question": question}) + "\n")
    with open("text.jsonl", "w") as f:
        for i in range(150):
            f.write('{"id": "t%d", "text": "%s"}\n' % (i, " ".join(rng.choice(WORDS) for _ in range(40))))
    with open("facts.jsonl", "w") as f:
        for word in WORDS[:12]:
            f.write(json.dumps({"subject": word, "pattern": "[X] [Y].", "object": rng.choice(["cat", "river", "sun"])}) + "\n")
    with open("pairs.jsonl", "w") as f:
        for i in range(60):
            lines = ["Home"] + [" ".join(rng.choice(WORDS) for _ in range(8)) for _ in range(3)]
            f.write(json.dumps({"id": "p%d" % i, "lines": lines, "label": [0, 1, 1, rng.randrange(2)]}) + "\n")
    with open("r.yaml", "w") as f:
        f.write(RECIPE)
    subprocess.run([winnow, "train", "-q", "text.jsonl", "-o", "model", "--tokens", "2k", "--vocab", "300",
                    "--dim", "16", "--heads", "1", "--layers", "1", "--context", "32", "--batch-tokens", "128"],
                   check=True, stdout=subprocess.DEVNULL)
    with open("text.jsonl") as f, open("few.jsonl", "w") as few:
        few.writelines(line for i, line in enumerate(f) if i % 30 == 0)
    subprocess.run([winnow] + [w if w != "run" else "vectors" for w in COMMANDS["features"]] + ["-q"],
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
        self.words = COMMANDS["run"]
        self.faults = []
        linked = subprocess.run(["ldd", self.winnow], stdout=subprocess.PIPE, text=True).stdout
        asan = [word for word in linked.split() if "/libasan." in word]
        self.preload = " ".join(asan + [self.lib])  # the sanitizer wants to come first
        self.base = dict(os.environ, TMPDIR=os.path.abspath("tmp"), ASAN_OPTIONS="detect_leaks=0")

    def run(self, **env):
        return subprocess.run([self.winnow] + self.words + ["-q", "--threads", "1"], env=dict(self.base, **env), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace", timeout=300)

    def failing(self, **env):
        here = os.path.abspath(".")
        return self.run(LD_PRELOAD=self.preload, WINNOW_FAIL_UNDER=here, WINNOW_FAIL_SAYS=here + "/../said", **env)

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

    def fresh(self):
        shutil.rmtree("run", ignore_errors=True)
        if self.words[0] in ("tokenizer", "eval"):
            os.mkdir("run")  # they write single files

    def die(self, kind, n, want):
        self.fresh()
        r = self.failing(WINNOW_FAIL_KIND=kind, WINNOW_FAIL_AT=str(n), WINNOW_FAIL_DIES="1")
        if r.returncode != -signal.SIGKILL:
            self.fault(f"death at {kind} {n}", f"exit {r.returncode}: {r.stderr[-200:]}")
        self.go_on(f"death at {kind} {n} of {self.words[:2]}", want)

    def one(self, kind, n, want):
        self.fresh()
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

    def kill(self, moment, threads):
        command = [self.winnow] + self.words + ["-q", "--threads", str(threads)]
        p = subprocess.Popen(command, env=self.base, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        met = p.poll() is None
        p.kill()
        p.wait()
        return met


def picks(rng, total, samples):
    every = range(1, total + 1)
    return sorted(rng.sample(every, samples)) if samples and total > samples else every


def campaign(t, args, name, top):
    t.words = COMMANDS[name]
    t.fresh()
    start = time.time()
    r = t.run()
    seconds = time.time() - start
    if r.returncode != 0:
        sys.exit(f"{name} fails by itself: {r.stderr}")
    want = prints("run")
    t.fresh()
    t.failing(WINNOW_FAIL_COUNT=top + "/counts")
    if difference(want, prints("run")):
        sys.exit(f"{name} differs from itself: {difference(want, prints('run'))}")
    counts = {k: int(v) for k, v in (line.split() for line in open(top + "/counts"))}
    if not counts["open"]:
        sys.exit(f"{args.lib} sees no call")
    rng = random.Random(args.seed)
    tried, kills, rounds = 0, 0, 0
    for kind in args.kinds.split(",") if args.kinds else []:
        for n in picks(rng, counts[kind], args.samples):
            t.one(kind, n, want)
            tried += 1
        print(f"{name}: {kind}: {args.samples or 'all'} of {counts[kind]}", flush=True)
    for kind in DEATHS if args.deaths else []:
        for n in picks(rng, counts[kind], args.deaths):
            t.die(kind, n, want)
            tried += 1
    t.fresh()
    while kills < args.kills and rounds < 10 * args.kills + 10:
        rounds += 1
        met = t.kill(rng.random() * seconds, 1 + rounds % 2)
        kills += met
        if not met or rng.random() < 0.4:  # several kills on one run, then let it end
            t.go_on(f"kill {kills}", want)
            t.fresh()
    t.go_on(f"kill {kills}", want)
    print(f"{name}: {tried} failures and deaths of {sum(counts.values())} calls, {kills} kills "
          f"(one run takes {seconds:.1f} s)", flush=True)
    return tried + kills


def main():
    a = argparse.ArgumentParser()
    a.add_argument("winnow"), a.add_argument("lib")
    a.add_argument("--samples", type=int, default=3)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--kinds", default=",".join(KINDS))
    a.add_argument("--kills", type=int, default=0)
    a.add_argument("--deaths", type=int, default=0)
    a.add_argument("--commands", default="run")
    args = a.parse_args()
    top = tempfile.mkdtemp()
    args.winnow, args.lib = os.path.abspath(args.winnow), os.path.abspath(args.lib)
    if not os.path.exists(args.lib):
        sys.exit(f"there is no {args.lib}: build the target fail")
    os.makedirs(top + "/work/tmp")
    os.chdir(top + "/work")
    try:
        t = Trial(args)
        make_input(t.winnow)
        tried = 0
        for name in args.commands.split(","):
            tried += campaign(t, args, name, top)
        print(f"{tried} trials: {len(t.faults)} faults")
        sys.exit(1 if t.faults else 0)
    finally:
        os.chdir("/")
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    main()
