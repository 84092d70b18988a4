"""What commands take of memory beside their --memory: the table of docs/memory.md.

    python3 bench/memory.py build/release/winnow [--quick] [--keep FOLDER] [--threads 1,2,7] [--only REGEX]

Makes the inputs (documents of 12 MB on a line, one of them among usual ones, 200,000 of 25
bytes, 600,000 distinct words, 400,000 sources, a thousand shards, a window of 128 MiB, pages of 10 MB and one packed a thousandfold),
runs every command that reads documents over them under limits and thread counts, and prints a
line a run: limit, threads, largest resident size of the process (getrusage), and what came of
it: held; held, with lines set aside as bad; refused before anything was read; stopped where
a line or block has no room; or passed.  The last makes the exit code 1, as does a death by
a signal and an error that is none of memory.  A limit that was refused is tried again as the
sentence says, twice at most: how much a line takes is known when it has been read.  All of it
takes some ten minutes; --quick, the test fault.memory, some rows in less than one.
"""
import argparse, gzip, json, os, random, re, shutil, subprocess, sys, tempfile

p = argparse.ArgumentParser()
p.add_argument("winnow")
p.add_argument("--quick", action="store_true")
p.add_argument("--keep", help="folder for the inputs, made once")
p.add_argument("--threads", default="")
p.add_argument("--only", default="", help="commands that match")
args = p.parse_args()
winnow = os.path.abspath(args.winnow)
folder = args.keep or tempfile.mkdtemp(prefix="winnow-memory-",
                                       dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
os.makedirs(folder, exist_ok=True)
os.chdir(folder)
threads = [int(t) for t in args.threads.split(",") if t] or ([2, 7] if args.quick else [1, 2, 7])
random.seed(9)
words = ["".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(random.randint(2, 9)))
         for _ in range(8000)]


def text(size):
    t = " ".join(random.choices(words, k=size // 6))
    return ".\\n".join(t[k:k + 90] for k in range(0, len(t), 90))


def documents(name, sizes):
    with open(name, "w") as f:
        for i, size in enumerate(sizes):
            f.write('{"id":"%d","text":"%d %s."}\n' % (i, i, text(size)))


def tiny(name, count):
    with open(name, "w") as f:
        for i in range(count):
            f.write('{"id":"%d","text":"%s %d."}\n' % (i, words[i % 8000], i))


def distinct(name, count):
    with open(name, "w") as f:
        for i in range(count):
            unlike = " ".join("".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=12)) for _ in range(30000))
            f.write('{"id":"%d","text":"%s"}\n' % (i, unlike))


def sources(name, count):
    with open(name, "w") as f:
        for i in range(count):
            f.write('{"id":"%d","text":"a b","source":"%s%d"}\n' % (i, "a source of its own " * 5, i))


def shards(name, count):
    os.makedirs(name, exist_ok=True)
    for k in range(count):
        documents("%s/%04d.jsonl" % (name, k), [500] * 20)


def items(name, count):
    with open(name, "w") as f:
        for i in range(count):
            f.write(json.dumps({"id": str(i), "question": " ".join(random.choices(words, k=40)), "answer": words[i % 8000]}) + "\n")


def pages():
    os.makedirs("pages", exist_ok=True)
    with open("pages/large.html", "w") as f:
        f.write("<html><body>")
        for _ in range(45000):
            f.write("<div><p>%s</p></div>\n" % " ".join(random.choices(words, k=30)))
    with gzip.open("pages/bomb.html.gz", "wb") as f:
        f.write(b"<p>x" * 7_000_000)


def labelled(name, count, lines):
    with open(name, "w") as f:
        for i in range(count):
            page = [" ".join(random.choices(words, k=9)) + "." for _ in range(lines)]
            f.write(json.dumps({"id": str(i), "lines": page, "label": [i % 3 for i in range(lines)]})
                    .replace("2", "1") + "\n")


def window(name, copies, long):
    with open("usual.jsonl", "rb") as f:
        usual = f.read()
    packer = subprocess.Popen(["zstd", "-q", "--long=%d" % long, "-1", "-o", name], stdin=subprocess.PIPE)
    for _ in range(copies):
        packer.stdin.write(usual)
    packer.stdin.close()
    if packer.wait() != 0:
        sys.exit("zstd failed")


def make_inputs():
    if os.path.exists("made"):
        return
    documents("usual.jsonl", [5000] * 4000)
    documents("large.jsonl", [12_000_000] * 2)
    documents("mixed.jsonl", [5000] * 400 + [12_000_000] + [5000] * 400)
    tiny("tiny.jsonl", 200_000)
    distinct("words.jsonl", 20)
    sources("sources.jsonl", 400_000)
    shards("shards", 300 if args.quick else 1000)
    pages()
    items("items.jsonl", 10000)
    labelled("pages.jsonl", 800, 30)
    labelled("long.jsonl", 3, 60000)
    window("window.jsonl.zst", 8, 27)
    subprocess.run([winnow, "train", "usual.jsonl", "-o", "model", "-q"] + SMALL.split(), check=True)
    subprocess.run([winnow, "features", "tiny.jsonl", "--model", "model", "--vectors", "states", "-o", "vectors", "-q"],
                   check=True)
    subprocess.run([winnow, "quality", "train", "usual.jsonl", "--against", "tiny.jsonl", "-o", "hq.bin", "-q"] + CLASSES.split(),
                   check=True, stdout=subprocess.DEVNULL)
    open("made", "w").close()


def measure(command):
    """Exit code (negative: a signal), peak in MiB, the first line of stderr."""
    for name in ("out", "out.json", "out.npy", "out.bin", "out.bin.checkpoint"):
        shutil.rmtree(name, ignore_errors=True)
        if os.path.exists(name):
            os.remove(name)
    with open("stderr", "w+") as err, open(os.devnull, "w") as null:
        child = subprocess.Popen([winnow] + command, stdout=null, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        said = err.read().strip().split("\n")
    return child.returncode, usage.ru_maxrss / 1024, said


failed = 0


def bad_lines():
    """Lines that the run set aside."""
    n = 0
    for at, _, names in os.walk("out/stages"):
        if "stats.json" in names:
            with open(at + "/stats.json") as f:
                n += json.load(f)["documents"].get("bad", 0)
    return n


def row(command, limit, count, again=2):
    """again: how often a limit that was refused is tried once more as the sentence says."""
    global failed
    if args.only and not re.search(args.only, command):
        return
    code, peak, said = measure(command.split() + ["-q", "--threads", str(count), "--memory", "%dM" % limit])
    last = [s for s in said if s.startswith("winnow: ")]
    short = last[-1][len("winnow: "):] if last else ""
    least = re.search(r"(?:needs?|takes?|give) --memory (\d+)M", short)
    more = re.search(r"give (\d+) MiB more", short)
    bad, next_limit = False, 0
    if code < 0:
        verdict, bad = "SIGNAL %d" % -code, True
    elif peak > limit:
        verdict, bad = "PASSED, %.2f times" % (peak / limit), True
    elif code in (0, 3):
        aside = bad_lines()
        verdict = "held" + (", %d lines set aside as bad" % aside if aside else "")
    elif least or more:
        next_limit = int(least.group(1)) if least else limit + int(more.group(1))
        where = re.match(r"\S+:\d+: |[^:]*the first \d+ documents|pages of ", short)
        verdict = "%s: %dM at least" % ("stopped" if where else "refused", next_limit)
    else:
        verdict, bad = "FAILED: " + short, True
    failed += bad
    print("| %s | %d | %d | %.0f | %s |" % (re.sub(r" --(?!model|fixed|cloze |share 0|tok|method|unit|verify|lines|benchmark).*? (-o)", r" ... \1", command), count, limit, peak, verdict), flush=True)
    if again > 0 and next_limit > 0:
        row(command, next_limit, count, again - 1)


SMALL = "--dim 32 --heads 2 --layers 1 --vocab 1000 --tokens 20000"
PRUNE = SMALL.replace("--tokens 20000", "--reference-tokens 20000 --reference-share-max 0.5 --fixed-length 16")
PROVE = SMALL + " --seeds 2 --eval-tokens 5000 --cloze-items 20"
REFINER = "--tokens 50000 --context 512 --chunk-tokens 200 --answer-tokens 100 --batch-tokens 1024 --dim 32 --layers 1 --heads 2 --vocab 400 --points 2"
LINES = "--rows 1024 --embed 16 --hidden 16 --dim 32 --layers 1 --ffn 32 --epochs 1"
CLASSES = "--limit 2000 --epochs 1 --bucket 100000 --min-count 1"
ALL = ["large.jsonl", "tiny.jsonl", "shards"]
PLAN = [("rules -o out", {"large.jsonl": (80, 400), "tiny.jsonl": (100, 300), "shards": (80,), "window.jsonl.zst": (100, 400)}),
        ("dedup --method minhash -o out", {"large.jsonl": (100, 400), "tiny.jsonl": (100, 300), "sources.jsonl": (100, 300)}),
        ("dedup --method minhash --verify exact -o out", {"mixed.jsonl": (100, 400), "tiny.jsonl": (120,)}),
        ("dedup --unit line -o out", {"large.jsonl": (100, 400), "tiny.jsonl": (100, 300), "sources.jsonl": (100,)}),
        ("dedup -o out", {"large.jsonl": (80, 400), "tiny.jsonl": (100, 300), "shards": (80,), "window.jsonl.zst": (100, 400)}),
        ("decontaminate --benchmark items.jsonl -o out", {"large.jsonl": (100, 400), "tiny.jsonl": (100, 300), "shards": (120,), "window.jsonl.zst": (100,)}),
        ("language -o out", {"large.jsonl": (80, 400), "tiny.jsonl": (100, 300), "shards": (80,), "window.jsonl.zst": (100,)}),
        ("language --lines -o out", {"large.jsonl": (400,), "tiny.jsonl": (300,)}),
        ("quality --model hq.bin -o out", {"large.jsonl": (80, 400), "tiny.jsonl": (100, 300), "shards": (80,), "window.jsonl.zst": (100,)}),
        ("quality train %s --against tiny.jsonl -o out.bin" % CLASSES, {"usual.jsonl": (64, 100), "large.jsonl": (80, 400)}),
        ("mix --weights *=1 --shard-size 8M -o out", {"large.jsonl": (100, 400), "tiny.jsonl": (100, 300), "shards": (100,), "sources.jsonl": (100, 300), "window.jsonl.zst": (100,)}),
        ("holdout --share 0.1 -o out", {"large.jsonl": (80, 400), "tiny.jsonl": (100,), "shards": (80,), "window.jsonl.zst": (100,)}),
        ("refine -o out", {"tiny.jsonl": (300,), "mixed.jsonl": (400,), "shards": (100,)}),
        ("extract -o out", {"pages": (100, 400)}),
        ("count", {"large.jsonl": (80, 400), "tiny.jsonl": (300,), "shards": (80,), "window.jsonl.zst": (100,)}),
        ("count --ids", {"tiny.jsonl": (64,), "sources.jsonl": (64,)}),
        ("count --by source", {"sources.jsonl": (64,)}),
        ("score --model model --fixed-length 8 -o out", {"mixed.jsonl": (100, 400), "tiny.jsonl": (100,), "shards": (100,)}),
        ("prune %s -o out" % PRUNE, {"mixed.jsonl": (100, 400), "tiny.jsonl": (100,), "shards": (100,)}),
        ("eval --model model --documents 2000 -o out.json", {"large.jsonl": (100,), "tiny.jsonl": (64,), "shards": (64,)}),
        ("eval --model model --documents 2000 --cloze -o out.json", {"tiny.jsonl": (64,)}),
        ("train %s -o out" % SMALL, {"mixed.jsonl": (80, 300), "tiny.jsonl": (64,), "shards": (80,)}),
        ("prove %s -o out" % PROVE, {"mixed.jsonl": (80, 300), "tiny.jsonl": (100,), "shards": (80,)}),
        ("tokenizer train --vocab 1000 -o out.json", {"large.jsonl": (80, 400), "tiny.jsonl": (100,), "shards": (80,), "words.jsonl": (64,)}),
        ("tokenizer encode --tokenizer model/tokenizer.json -o out.npy", {"large.jsonl": (80, 400), "tiny.jsonl": (100,), "shards": (80,)}),
        ("refiner train %s -o out" % REFINER, {"pages.jsonl": (64, 150), "long.jsonl": (100,)}),
        ("refiner train-lines %s -o out" % LINES, {"pages.jsonl": (64,), "long.jsonl": (80, 200)}),
        ("features --model model -o out", {"shards": (100,), "tiny.jsonl": (120,)}),
        ("features --model model --vectors states -o out", {"usual.jsonl": (64,), "tiny.jsonl": (100,)}),
        ("select --features vectors --method projection --budget 2% -o out", {"tiny.jsonl": (100,)}),
        ("select --features vectors --method facility --budget 2% -o out", {"tiny.jsonl": (100,)}),
        ("refiner eval -o out.json", {"pages.jsonl": (64,), "long.jsonl": (80, 200)})]
QUICK = [("rules -o out", {"large.jsonl": (80, 400), "tiny.jsonl": (300,), "shards": (80,), "window.jsonl.zst": (100,)}),
         ("dedup -o out", {"large.jsonl": (80,), "tiny.jsonl": (300,)}),
         ("decontaminate --benchmark items.jsonl -o out", {"large.jsonl": (100,)}),
         ("language -o out", {"large.jsonl": (80,)}),
         ("quality --model hq.bin -o out", {"large.jsonl": (80,)}),
         ("extract -o out", {"pages": (100,)}),
         ("score --model model --fixed-length 8 -o out", {"mixed.jsonl": (100,)}),
         ("prune %s -o out" % PRUNE, {"shards": (100,)}),
         ("train %s -o out" % SMALL, {"mixed.jsonl": (80,)}),
         ("prove %s -o out" % PROVE, {"tiny.jsonl": (100,)}),
         ("tokenizer train --vocab 1000 -o out.json", {"words.jsonl": (64,)}),
         ("refiner train %s -o out" % REFINER, {"long.jsonl": (114,)}),
         ("features --model model --vectors states -o out", {"usual.jsonl": (64,)}),
         ("count --by source", {"sources.jsonl": (64,)}),
         ("tokenizer encode --tokenizer model/tokenizer.json -o out.npy", {"large.jsonl": (80,)})]

maker = os.fork()  # a process of its own: what a child was before exec counts as its peak
if maker == 0:
    make_inputs()
    os._exit(0)
if os.waitpid(maker, 0)[1] != 0:
    sys.exit("the inputs could not be made")
print("| command | threads | --memory, MiB | peak, MiB | |\n| --- | ---: | ---: | ---: | --- |")
for command, inputs in QUICK if args.quick else PLAN:
    for data, limits in inputs.items():
        for limit in limits:
            for count in threads:
                row("%s %s" % (command, data), limit, count)
# Who reads a run: one of many shards, and one whose lines are long.
for run, data, number in () if args.quick else (("run", "shards", 17), ("long", "large.jsonl", 1)):
    subprocess.run([winnow, "rules", "--no-filter", "-q", data, "-o", run], check=not os.path.exists(run))
    for command in "verify %s" % run, "explain %s %d" % (run, number), "report %s -o out.html" % run:
        for limit in (64,) if run == "run" else (64, 200):
            row(command, limit, 2)
    shutil.rmtree(run, ignore_errors=True)
if not args.keep:
    os.chdir("/")
    shutil.rmtree(folder)
sys.exit(1 if failed else 0)
