#!/usr/bin/env python3
"""What the commands of human priors cost on a gigabyte: rate, growth when the input doubles, peak memory, two threads.

    bench/priors.py WINNOW [--megabytes 1000] [--keep FOLDER] [--only NAME,...]

dedup (equal documents; MinHash; lines), decontaminate (BoolQ and MMLU), language, quality (a model of Wikipedia against a crawl,
16 numbers a row, trained first), rules, and mix (weights: some documents twice and more, others not at all).  Each runs over half of the text and all of it with one thread, and over
all of it with two.  `bench/peers.md` says how peers are measured; those of these commands have benches of their own on less
text, since they would take hours on this: dedup_minhash.py, decontaminate.py, language_vs_peers.py, quality_vs_fasttext.py.

The text is that of WINNOW_DATA (clean/, noisy/, instruct/, quality/: some 250 MB), as documents that have a source, then all of it again as often as it
takes, each time with another word in every third place, so that a copy shares no 5 words in a row with another.

Rates are megabytes of JSON lines by processor seconds (user and system), so that other work on the machine disturbs
them little; wall seconds stand beside them.  Peak is the largest resident size (getrusage).  No --memory is given.
"""
import argparse, json, os, random, shutil, subprocess, sys, tempfile, time

p = argparse.ArgumentParser()
p.add_argument("winnow")
p.add_argument("--megabytes", type=int, default=1000)
p.add_argument("--keep", help="folder for text and model, made once")
p.add_argument("--only", default="")
args = p.parse_args()
winnow = os.path.abspath(args.winnow)
data = os.environ.get("WINNOW_DATA") or os.path.join(os.path.dirname(__file__), "../../shared/data")
FILES = ("clean/wiki", "clean/novels", "noisy/crawl", "noisy/small_samples", "noisy/debian_html_labelled",
         "instruct/p3", "instruct/dolly_hhrlhf_small", "quality/dclm_majority_data")
LONGEST = 20000  # characters of a document; a book is many


def distinct():
    """(source, text) of all files, the sources mixed: one of each in turn, until each has ended."""
    def read(name):
        with subprocess.Popen(["zstd", "-dcq", f"{data}/{name}.jsonl.zst"], stdout=subprocess.PIPE) as pipe:
            for line in pipe.stdout:
                d = json.loads(line)
                text = "\n".join(d["lines"]) if "lines" in d else d.get("text") or d["prompt"] + "\n" + d["response"]
                for at in range(0, len(text), LONGEST):
                    yield name.split("/")[1], text[at:at + LONGEST]
    readers = [read(name) for name in FILES]
    while readers:
        for r in list(readers):
            found = next(r, None)
            if found:
                yield found
            else:
                readers.remove(r)


def edited(text, pool, rng):
    """Another word in every third place; lines stay."""
    words = text.split(" ")
    for i in range(rng.randrange(3), len(words), 3):
        words[i] = rng.choice(pool) + ("\n" if "\n" in words[i] else "")
    return " ".join(words)


def make_text(half, whole):
    rng, pool, once, size, turn, number = random.Random(3), [], 0, 0, 0, 0
    with open(half, "w", encoding="utf-8") as h, open(whole, "w", encoding="utf-8") as w:
        while size < args.megabytes * 1e6:
            for source, text in distinct():
                if turn > 0:
                    text = edited(text, pool, rng)
                elif len(pool) < 50000 and source == "wiki":
                    pool += text.split()
                line = json.dumps({"id": f"{turn}-{number}", "source": source, "text": text}, ensure_ascii=False) + "\n"
                number += 1
                size += len(line.encode())
                w.write(line)
                if size <= args.megabytes * 5e5:
                    h.write(line)
                if size >= args.megabytes * 1e6:
                    break
            once = once or size
            turn += 1
    print(f"{number} documents, {size / 1e6:.0f} MB of JSON lines, {once / 1e6:.0f} MB of them distinct, the rest edited copies", file=sys.stderr)


def measure(command):
    """Processor seconds, wall seconds, peak MB."""
    # From a small process: a child's peak begins with that of who forked it.
    code = ("import os, sys; p = os.fork() or os.execvp(sys.argv[1], sys.argv[1:]); _, s, u = os.wait4(p, 0);"
            "print(u.ru_utime + u.ru_stime, u.ru_maxrss, s, file=sys.stderr)")
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-S", "-c", code] + command, capture_output=True, text=True)
    wall = time.monotonic() - start
    seconds, peak, status = done.stderr.splitlines()[-1].split()
    if status != "0":
        sys.exit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return float(seconds), wall, int(peak) * 1024 / 1e6


def commands():
    items = f"{data}/eval/boolq.jsonl.zst,{data}/eval/mmlu_test.jsonl.zst"
    return {"dedup": ["dedup"], "dedup-lines": ["dedup", "--unit", "line"], "dedup-minhash": ["dedup", "--method", "minhash"],
            "decontaminate": ["decontaminate", "--benchmark", items], "language": ["language"],
            "quality": ["quality", "--model", "hq.bin"], "rules": ["rules"], "mix": ["mix", "--weights", "wiki=2,*=1"]}


def make_inputs():
    if not os.path.exists("hq.bin"):
        make_text("half.jsonl", "whole.jsonl")
        subprocess.run([winnow, "quality", "train", "-q", "-t", "2", "--limit", "4000", "--epochs", "2", f"{data}/clean/wiki.jsonl.zst",
                        "--against", f"{data}/noisy/crawl.jsonl.zst", "-o", "hq.bin"], check=True)


def row(name, words):
    found = []
    for text, threads in (("half.jsonl", 1), ("whole.jsonl", 1), ("whole.jsonl", 2)):
        shutil.rmtree("run", ignore_errors=True)
        found.append(measure([winnow, *words, "-q", "-t", str(threads), "--no-keep-removed", text, "-o", "run"]))
        print(f"  {name}, {text}, {threads}: {found[-1]}", file=sys.stderr)
    shutil.rmtree("run", ignore_errors=True)
    half, one, two = found
    size = os.path.getsize("whole.jsonl") / 1e6
    print(f"| {name} | {size / one[0]:.0f} | {one[1]:.0f} | {one[0] / half[0]:.2f} | {one[2]:.0f} | {one[2] / half[2]:.2f} | "
          f"{two[1]:.0f} | {two[0] / one[0]:.2f} | {two[2]:.0f} |", flush=True)


def main():
    only = [n for n in args.only.split(",") if n]
    folder = os.path.abspath(args.keep) if args.keep else tempfile.mkdtemp(prefix="winnow-priors-")
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    make_inputs()
    print(f"{os.path.getsize('whole.jsonl') / 1e6:.0f} MB, and half of it\n")
    print("| | MB/s of a core | seconds, one thread | processor seconds, twice the text | peak MB, one thread | twice the text | "
          "seconds, two threads | processor seconds, times one thread's | peak MB, two threads |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, words in commands().items():
        if not only or name in only:
            row(name, words)
    if not args.keep:
        os.chdir("/")
        shutil.rmtree(folder)


main()
