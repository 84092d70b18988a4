"""What commands take of memory beside their --memory: the table of docs/memory.md.

    python3 bench/memory.py build/release/winnow [--quick] [--keep FOLDER] [--threads 1,2,7]

Makes the inputs (documents of 60 MB on one line, one of 300 MB, two million documents of
30 bytes, 5,000 shards, a page of 20 MB and one packed a thousandfold, zstd with a window of
2 GiB), runs every command that reads documents over them under limits and thread counts, and
prints one line a run: limit, threads, largest resident size of the process (getrusage), and
whether the limit was held, the command refused with a sentence, or passed the limit.  The last
makes the exit code 1, as does any death by a signal.  --quick: smaller inputs, fewer runs, a
minute (the test fault.memory).
"""
import argparse, gzip, os, random, re, shutil, subprocess, sys, tempfile

p = argparse.ArgumentParser()
p.add_argument("winnow")
p.add_argument("--quick", action="store_true")
p.add_argument("--keep", help="folder for the inputs, made once")
p.add_argument("--threads", default="")
p.add_argument("--only", default="", help="commands that match")
args = p.parse_args()
winnow = os.path.abspath(args.winnow)
folder = args.keep or tempfile.mkdtemp(prefix="winnow-memory-")
os.makedirs(folder, exist_ok=True)
os.chdir(folder)
threads = [int(t) for t in args.threads.split(",") if t] or ([2, 7] if args.quick else [1, 2, 7])
random.seed(9)
words = ["".join(random.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(random.randint(2, 9)))
         for _ in range(8000)]


def write_text(f, size):
    n = 0
    while n < size:
        text = " ".join(random.choices(words, k=min(20000, 1 + int(size - n) // 6)))
        lines = ".\\n".join(text[k:k + 90] for k in range(0, len(text), 90)) + ".\\n"
        f.write(lines)
        n += len(lines)


def documents(name, count, size):
    with open(name, "w") as f:
        for i in range(count):
            f.write('{"id":"%d","text":"%d ' % (i, i))
            write_text(f, size)
            f.write('"}\n')


def tiny(name, count):
    with open(name, "w") as f:
        for i in range(count):
            f.write('{"id":"%d","text":"%s %d."}\n' % (i, words[i % 8000], i))


def shards(name, count):
    os.makedirs(name, exist_ok=True)
    for k in range(count):
        with open("%s/%04d.jsonl" % (name, k), "w") as f:
            for i in range(20):
                f.write('{"id":"%d-%d","text":"%s"}\n' % (k, i, " ".join(random.choices(words, k=80))))


def pages():
    os.makedirs("pages", exist_ok=True)
    with open("pages/large.html", "w") as f:
        f.write("<html><body>")
        for _ in range(90000):
            f.write("<div><p>%s</p></div>\n" % " ".join(random.choices(words, k=30)))
    with gzip.open("pages/bomb.html.gz", "wb") as f:
        f.write(b"<p>x" * 7_000_000)


def window(name, megabytes, long):
    zeros = subprocess.Popen(["head", "-c", str(megabytes * 1_000_000), "/dev/zero"], stdout=subprocess.PIPE)
    subprocess.run(["zstd", "-q", "--long=%d" % long, "--ultra", "-1", "-o", name], stdin=zeros.stdout, check=True)
    zeros.wait()


def make_inputs():
    if os.path.exists("made"):
        return
    q = args.quick
    documents("large.jsonl", 3, 12e6 if q else 60e6)
    if not q:
        documents("huge.jsonl", 1, 300e6)
        documents("usual.jsonl", 20000, 5000)
    tiny("tiny.jsonl", 200_000 if q else 2_000_000)
    shards("shards", 300 if q else 5000)
    pages()
    window("window.jsonl.zst", 600 if q else 3000, 29 if q else 31)
    open("made", "w").close()


def measure(words):
    """Exit code (negative: a signal), peak in MiB, the first line of stderr."""
    shutil.rmtree("out", ignore_errors=True)
    with open("stderr", "w+") as err, open(os.devnull, "w") as null:
        child = subprocess.Popen([winnow] + words, stdout=null, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        said = err.read().strip().split("\n")[0]
    return child.returncode, usage.ru_maxrss / 1024, said


failed = 0


def row(command, limit, count):
    global failed
    if args.only and not re.search(args.only, command):
        return
    words = command.split() + ["-q", "-t", str(count), "--memory", "%dM" % limit]
    code, peak, said = measure(words)
    short = said[len("winnow: "):]
    bad = code < 0 or peak > limit
    failed += bad
    if code < 0:
        verdict = "SIGNAL %d" % -code
    elif peak > limit:
        verdict = "PASSED, %.2f times" % (peak / limit)
    elif code in (0, 3):
        verdict = "held"
    else:
        verdict = "refused: " + short
    print("| %s | %d | %d | %.0f | %s |" % (command, count, limit, peak, verdict), flush=True)


maker = os.fork()  # a process of its own: what a child was before exec counts as its peak
if maker == 0:
    make_inputs()
    os._exit(0)
if os.waitpid(maker, 0)[1] != 0:
    sys.exit("the inputs could not be made")
print("| command | threads | --memory, MiB | peak, MiB | |\n| --- | ---: | ---: | ---: | --- |")
STAGES = ["rules", "dedup", "refine", "holdout --share 0.1"]
PLANS = {
    True: [("large.jsonl", (80, 400)), ("tiny.jsonl", (300,)), ("shards", (80,)), ("window.jsonl.zst", (100,))],
    False: [("large.jsonl", (100, 400, 1500)), ("huge.jsonl", (400, 1500)), ("usual.jsonl", (80, 150)),
            ("tiny.jsonl", (150, 300)), ("shards", (80, 150)), ("window.jsonl.zst", (100, 2300))],
}
for count in threads:
    for stage in STAGES:
        for data, limits in PLANS[args.quick]:
            if args.quick and stage == "refine" and data != "tiny.jsonl":
                continue
            for limit in limits:
                row("%s %s -o out" % (stage, data), limit, count)
    for limit in (100, 400):
        row("extract pages -o out", limit, count)
    for data, limits in PLANS[args.quick]:
        for limit in limits:
            row("count %s" % data, limit, count)
    if not args.quick:
        for data in ("usual.jsonl", "tiny.jsonl", "large.jsonl"):
            row("tokenizer train %s -o tokenizer.json --vocab 2000" % data, 400, count)
        row("tokenizer train usual.jsonl -o tokenizer.json --vocab 2000", 1000, count)
        for data in ("usual.jsonl", "tiny.jsonl", "large.jsonl"):
            row("tokenizer encode --tokenizer tokenizer.json %s -o out.npy" % data, 400, count)
    subprocess.run([winnow, "dedup", "-q", "tiny.jsonl", "-o", "run"], check=not os.path.exists("run"))
    for command in ("verify run", "explain run 17", "report run -o out.html"):
        row(command, 100, count)
    shutil.rmtree("run", ignore_errors=True)
if not args.keep:
    os.chdir("/")
    shutil.rmtree(folder)
sys.exit(1 if failed else 0)
