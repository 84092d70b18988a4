#!/usr/bin/env python3
"""A corpus with planted benchmark items, for docs/evidence/leakage.sh.

    leakage_corpus.py items DATA FOLDER   planted.jsonl, control.jsonl, benchmark.jsonl; text.jsonl: Wikipedia, tasks' training parts
    leakage_corpus.py leak  FOLDER        background.jsonl (text.jsonl, decontaminated) + planted items -> leaked.jsonl

Items are drawn evenly into two halves; one is planted, the other measures what training does to like items that were never
seen.  Each planted item stands COPIES times in the corpus: half of them on pages of quiz items, half in the middle of a Wikipedia
article between two paragraphs; half of the copies of either kind are verbatim, in the others one word in twenty is
changed for one of another item.  The same input gives the same bytes.  Needs zstd on the path."""
import json, random, subprocess, sys

COPIES = 8
DRAWN = {"arc_easy": 200, "openbook_qa": 88, "boolq": 12}  # half of them planted
DELIMITER = {"arc_easy": "\nAnswer: ", "openbook_qa": " ", "boolq": "\nAnswer: "}


def records(path):
    with subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE) as p:
        return [json.loads(line) for line in p.stdout]


def write(path, rows):
    with open(path, "w", encoding="utf-8") as f:
        for r in rows:
            f.write(json.dumps(r, ensure_ascii=False) + "\n")


def read(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def background(data):
    """1.7 MB of the beginnings of articles and .3 MB of questions with answers, so that the form of an item is known."""
    size, out = 0, []
    for d in records(f"{data}/clean/wiki.jsonl.zst"):
        text = d["text"][:3000].rsplit("\n", 1)[0]
        if "\n" in text.strip() and size < 1.7e6:
            out.append({"id": d["id"], "source": "wiki", "text": text})
            size += len(text)
    for name in ("arc-easy_train", "openbookqa_train"):
        size = 0
        for d in records(f"{data}/instruct/{name}.jsonl.zst"):
            if size < .15e6:
                out.append({"id": d["id"], "source": "tasks", "text": d["prompt"] + "\n" + d["response"]})
                size += len(d["prompt"]) + len(d["response"])
    return out


def items(data, folder):
    r = random.Random(11)
    halves = {"planted": [], "control": []}
    for name, count in DRAWN.items():
        drawn = r.sample([x for x in records(f"{data}/eval/{name}.jsonl.zst") if len(x["context"]) < 1200], count)
        for i, x in enumerate(drawn):
            half = "planted" if i % 2 else "control"
            halves[half].append({**x, "task": half, "subtask": name, "delimiter": DELIMITER[name]})
    for half, rows in halves.items():
        write(f"{folder}/{half}.jsonl", rows)
    write(f"{folder}/benchmark.jsonl", [x for rows in halves.values() for x in rows])
    write(f"{folder}/text.jsonl", background(data))


def edited(text, pool, r):
    """Each word with probability 1/20 another one."""
    return " ".join(r.choice(pool) if r.random() < .05 else w for w in text.split(" "))


def leak(folder):
    r = random.Random(12)
    planted = [x["context"] + x["delimiter"] + x["choices"][x["gold"]] for x in read(f"{folder}/planted.jsonl")]
    pool = [w for t in planted for w in t.split()]
    documents = read(f"{folder}/background.jsonl")
    wiki = [d for d in documents if d["source"] == "wiki"]
    quiz, inside = [], []
    for k in range(COPIES):
        texts = [t if k % 4 < 2 else edited(t, pool, r) for t in planted]
        (quiz if k % 2 else inside).extend(r.sample(texts, len(texts)))
    for n, at in enumerate(range(0, len(quiz), 8)):
        documents.append({"id": f"quiz-{n}", "source": "quiz", "text": "\n\n".join(quiz[at:at + 8])})
    hosts = r.sample(wiki, len(inside) // 6)
    for n, t in enumerate(inside):
        d = hosts[n % len(hosts)]
        paragraphs = d["text"].split("\n")
        paragraphs.insert(r.randrange(1, len(paragraphs)), t)
        d["text"] = "\n".join(paragraphs)
    write(f"{folder}/leaked.jsonl", documents)
    print(f"{len(planted)} items, {len(quiz)} copies on pages of their own, {len(inside)} in {len(hosts)} articles", file=sys.stderr)


{"items": lambda: items(sys.argv[2], sys.argv[3]), "leak": lambda: leak(sys.argv[2])}[sys.argv[1]]()
