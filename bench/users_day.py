#!/usr/bin/env python3
"""What a user's day looks like, run whole: crawl files to token files, near-copies in Wikipedia, a mixture of sources.

    bench/users_day.py build/release/winnow [crawl] [wikipedia] [instruct]

WINNOW_DATA has warc/, clean/wiki.jsonl.zst and instruct/.  Each part prints counts, seconds (of the wall, and processor seconds of the
program) and its commands.  Recipes are those of recipes/, run from the folder above them.
"""
import json, os, random, resource, shutil, subprocess, sys, tempfile, time

winnow = os.path.abspath(sys.argv[1])
root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
data = os.environ.get("WINNOW_DATA") or os.path.join(root, "../shared/data")
parts = sys.argv[2:] or ["crawl", "wikipedia", "instruct"]


def run(*args):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    out = subprocess.run([winnow, *args], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if out.returncode:
        sys.exit(f"winnow {' '.join(args)}: {out.stderr}")
    print("    winnow " + " ".join(args))
    for line in out.stderr.splitlines():
        if " documents in, " in line:
            print("        " + line.split(";")[0])
    print(f"        {time.time() - start:.1f} s, {after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime:.1f} processor seconds")


def read(path):
    with subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE) as p:
        for line in p.stdout:
            yield json.loads(line)


def crawl():
    os.makedirs("crawl")
    os.makedirs("blocklists/adult")
    os.makedirs("benchmarks")
    open("blocklists/adult/domains", "w").write("bad.example\n")
    for name in sorted(os.listdir(data + "/warc")):
        shutil.copy(f"{data}/warc/{name}", "crawl")
    for name in ("boolq", "arc_easy", "mmlu_test"):
        with open(f"benchmarks/{name}.jsonl", "wb") as f:
            subprocess.run(["zstd", "-dcq", f"{data}/eval/{name}.jsonl.zst"], stdout=f, check=True)
    run("tokenizer", "train", data + "/clean/wiki.jsonl.zst", "--limit", "500", "--vocab", "8192", "-o", "tokenizer.json")
    run("run", root + "/recipes/warc-to-tokens.yaml", "--threads", "1")
    print("       ", json.dumps(json.load(open("runs/warc-to-tokens/tokens/tokens.json"))))


def wikipedia():
    rng, size, planted, texts = random.Random(1), 0, {}, []
    with open("wiki.jsonl", "w") as f:
        for d in read(data + "/clean/wiki.jsonl.zst"):
            texts.append((d["id"], d["text"]))
            f.write(json.dumps({"id": d["id"], "text": d["text"], "source": "wiki"}) + "\n")
            size += len(d["text"].encode())
        for i, text in rng.sample(texts, len(texts)):
            if size >= 200e6:
                break
            words = text.split(" ")
            if len(words) < 100:
                continue
            for k in rng.sample(range(len(words)), len(words) // 100):  # one word in a hundred: a Jaccard index of about .9
                words[k] = "copied"
            planted[f"copy-{i}"] = i
            size += len(text.encode())
            f.write(json.dumps({"id": f"copy-{i}", "text": " ".join(words), "source": "copies"}) + "\n")
    print(f"    {size / 1e6:.0f} MB of text, {len(texts)} articles, {len(planted)} planted near-copies")
    run("dedup", "--method", "minhash", "wiki.jsonl", "--threads", "1", "-o", "runs/near")
    gone = set()
    with open("runs/near/stages/01-dedup/ledger/wiki.jsonl") as f:
        for line in f:
            row = json.loads(line)
            if row["verdict"] == "remove":
                gone.add(row["id"])
    found = sum(p in gone or o in gone for p, o in planted.items())
    print(f"        of {len(planted)} planted near-copies {found} went; beside them {len(gone) - found} articles of the original")


def instruct():
    os.makedirs("instruct")
    os.makedirs("benchmarks", exist_ok=True)
    for name in ("boolq", "arc_easy", "mmlu_test", "gsm8k", "openbook_qa"):
        with open(f"benchmarks/{name}.jsonl", "wb") as f:
            subprocess.run(["zstd", "-dcq", f"{data}/eval/{name}.jsonl.zst"], stdout=f, check=True)
    for name in sorted(os.listdir(data + "/instruct")):
        with open("instruct/" + name.removesuffix(".zst"), "w") as f:
            for d in read(f"{data}/instruct/{name}"):
                if d["response"]:
                    f.write(json.dumps({"id": d["id"], "text": d["prompt"] + "\n" + d["response"], "source": name.split(".")[0]}) + "\n")
    recipe = """winnow: 1
input: [instruct/]
output: runs/instruct
stages:
  - dedup: {spaces: true, fold-case: true}
  - dedup: {method: minhash}
  - decontaminate: {benchmark: [benchmarks/], rule: cluster}
  - mix: {cap: ["*=300k"], validation: 1%}
"""
    open("instruct.yaml", "w").write(recipe)
    run("run", "instruct.yaml", "--threads", "1")


with tempfile.TemporaryDirectory() as tmp:
    os.chdir(tmp)
    for part in parts:
        print(part)
        {"crawl": crawl, "wikipedia": wikipedia, "instruct": instruct}[part]()
