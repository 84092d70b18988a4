#!/usr/bin/env python3
"""Decontamination beside AI2's decon: processor seconds a document, peak memory, and what is found of planted items.

    bench/decontaminate.py WINNOW [DECON] [MB]

DECON: the binary of github.com/allenai/decon (cargo build --release), built elsewhere; without it winnow stands alone.
WINNOW_DATA has eval/ (BoolQ and MMLU are the items) and clean/wiki; its first MB megabytes (default 100) are the
long documents, their paragraphs the short ones.  Everything runs on one thread; seconds are processor seconds (user
and system) of the whole program; a document's are those that all take more than the first ten (which the index takes).
"""
import gzip, json, os, random, re, subprocess, sys, tempfile

winnow = os.path.abspath(sys.argv[1])
rest = sys.argv[2:]
decon = os.path.abspath(rest.pop(0)) if rest and not rest[0].isdigit() else None
megabytes = int(rest[0]) if rest else 100
data = os.environ.get("WINNOW_DATA") or os.path.join(os.path.dirname(__file__), "../../shared/data")
RULES = ["llama3", "cluster", "gpt3", "llama2", "hare"]
RATES = [0, 0.02, 0.05, 0.10, 0.20]


def records(path):
    with subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE) as p:
        for line in p.stdout:
            yield json.loads(line)


def measure(command, out=subprocess.DEVNULL):
    """Processor seconds and peak MB of one command."""
    child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
    _, status, use = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: ends with {status}")
    return use.ru_utime + use.ru_stime, use.ru_maxrss / 1024


def item_parts(r):
    m = re.match(r"Passage:(.*?)\nQuestion:(.*)", r["context"], re.S)
    passage, question = (s.strip() for s in m.groups()) if m else ("", r["context"])
    return passage, question, r["choices"][r["gold"]]


def items():
    out = []
    for name in ("boolq", "mmlu_test"):
        for r in records(os.path.join(data, "eval", name + ".jsonl.zst")):
            out.append((name, r["id"]) + item_parts(r))
    return out


def write_corpora(tmp):
    """long: articles; short: their paragraphs; of both all, and the first ten for what the index costs."""
    sizes = {}
    articles, taken = [], 0
    for d in records(os.path.join(data, "clean/wiki.jsonl.zst")):
        taken += len(d["text"].encode())
        if taken > megabytes * 1000000:
            break
        articles.append(d["text"])
    paragraphs = [p for a in articles for p in a.split("\n") if len(p) > 200]
    for name, texts in (("long", articles), ("short", paragraphs)):
        for part, some in (("all", texts), ("start", texts[:10])):
            folder = os.path.join(tmp, f"{name}-{part}")
            os.mkdir(folder)
            with open(os.path.join(folder, "c.jsonl"), "w") as f:
                f.writelines(json.dumps({"id": str(i), "text": t}) + "\n" for i, t in enumerate(some))
        sizes[name] = (len(texts), sum(len(t.encode()) for t in texts))
    return articles, sizes


def edited(text, rate, rng, vocabulary):
    out = []
    for word in text.split():
        how = rng.randrange(3) if rng.random() < rate else None
        out += [word] if how is None else [[], [rng.choice(vocabulary)], [word, rng.choice(vocabulary)]][how]
    return " ".join(out)


def write_plants(tmp, articles, all_items):
    rng = random.Random(1)
    vocabulary = " ".join(articles[:50]).split()
    chosen = [i for i in rng.sample(all_items, 400) if len(" ".join(i[2:]).split()) >= 20][:200]
    folder = os.path.join(tmp, "plants")
    os.mkdir(folder)
    with open(os.path.join(folder, "c.jsonl"), "w") as f:
        for n, item in enumerate(chosen):
            for rate in RATES:
                host = rng.choice(articles)
                at = host.find(" ", len(host) // 2)
                text = "\n".join(p for p in item[2:] if p)
                planted = host[:at] + "\n\n" + edited(text, rate, rng, vocabulary) + "\n\n" + host[at:]
                f.write(json.dumps({"id": f"{n}/{rate}", "text": planted}) + "\n")
    return len(chosen)


def winnow_command(rule, folder, run):
    return [winnow, "decontaminate", "-q", "-t", "1", "--rule", rule, "--no-keep-removed", "--benchmark",
            ",".join(os.path.join(data, "eval", n + ".jsonl.zst") for n in ("boolq", "mmlu_test")), folder, "-o", "-",
            "--run", run]


def decon_command(folder, tmp, run):
    return [decon, "detect", "--training-dir", folder, "--evals-dir", os.path.join(tmp, "evals"), "--report-output-dir", run,
            "--worker-threads", "1", "--purify", "--cleaned-output-dir", run + "-clean"]


def write_evals(tmp, all_items):
    os.mkdir(os.path.join(tmp, "evals"))
    for name in ("boolq", "mmlu_test"):
        with open(os.path.join(tmp, "evals", name + ".jsonl"), "w") as f:
            for n, (bench, _, passage, question, answer) in enumerate(all_items):
                if bench == name:
                    row = {"doc_id": n, "eval_key": name, "eval_instance_index": n, "split": "test", "question": question, "answer": answer}
                    f.write(json.dumps(row | ({"passage": passage} if passage else {})) + "\n")


def lines_found(run):
    """Lines of the corpus that decon reports, from 0."""
    found = set()
    for where, _, names in os.walk(run):
        for name in names:
            opener = gzip.open if name.endswith(".gz") else open
            with opener(os.path.join(where, name), "rt") as f:
                for line in f:
                    r = json.loads(line)
                    found.add(r.get("training_line", r.get("line")))
    return found


def ids_found(run):
    with open(os.path.join(run, "stages/01-decontaminate/ledger/c.jsonl")) as f:
        return {e["id"] for e in map(json.loads, f) if e["verdict"] == "remove"}


def main():
    with tempfile.TemporaryDirectory() as tmp:
        all_items = items()
        articles, sizes = write_corpora(tmp)
        planted = write_plants(tmp, articles, all_items)
        write_evals(tmp, all_items)
        who = [(f"winnow {r}", lambda folder, run, r=r: winnow_command(r, folder, run)) for r in RULES]
        if decon:
            who.append(("decon", lambda folder, run: decon_command(folder, tmp, run)))
        print(f"{len(all_items)} items; " + "; ".join(f"{k}: {n} documents of {b / n:.0f} bytes" for k, (n, b) in sizes.items()))
        print(f"{'':16}" + "".join(f"{k + ': whole s':>14}{'us/document':>13}{'MB/s':>8}" for k in sizes) + f"{'peak MB':>9}")
        for name, command in who:
            row, peak = f"{name:16}", 0
            for kind, (count, size) in sizes.items():
                whole, start = [], []
                for turn in range(3):
                    for part, times in (("all", whole), ("start", start)):
                        run = os.path.join(tmp, f"run-{name.replace(' ', '-')}-{kind}-{part}-{turn}")
                        seconds, memory = measure(command(os.path.join(tmp, f"{kind}-{part}"), run))
                        times.append(seconds)
                        peak = max(peak, memory)
                more = min(whole) - min(start)
                row += f"{min(whole):>14.2f}{1e6 * more / count:>13.1f}{size / 1e6 / more:>8.0f}"
            print(row + f"{peak:>9.0f}", flush=True)
        print(f"\nshare of {planted} items found in the middle of articles, by the share of their words that was edited")
        print(f"{'':16}" + "".join(f"{100 * r:>7.0f} %" for r in RATES))
        for name, command in who:
            run = os.path.join(tmp, "plants-" + name.replace(" ", "-"))
            measure(command(os.path.join(tmp, "plants"), run))
            if name == "decon":
                found = {f"{line // len(RATES)}/{RATES[line % len(RATES)]}" for line in lines_found(run)}
            else:
                found = ids_found(run)
            row = "".join(f"{sum(f'{n}/{r}' in found for n in range(planted)) / planted:>9.2f}" for r in RATES)
            print(f"{name:16}{row}", flush=True)


main()
