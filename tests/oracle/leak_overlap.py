#!/usr/bin/env python3
# What `decontaminate --rule gpt3` finds of BoolQ and MMLU in Wikipedia, item by item, against sets of 13 words
# made by Python's own means.  Needs WINNOW_DATA and zstd.
#   tests/oracle/leak_overlap.py WINNOW [ARTICLES]      (0: all of them; a minute)
import json
import os
import re
import subprocess
import sys
import tempfile
import unicodedata

N = 13
winnow, articles = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
data = os.environ.get("WINNOW_DATA") or os.path.join(os.path.dirname(__file__), "../../../shared/data")
BENCHMARKS = [os.path.join(data, "eval", name + ".jsonl.zst") for name in ("boolq", "mmlu_test")]
WIKI = os.path.join(data, "clean", "wiki.jsonl.zst")
if not all(map(os.path.exists, BENCHMARKS + [WIKI])):
    print("skipped: no wiki and eval under WINNOW_DATA")
    sys.exit(77)
ALONE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
WORD = re.compile(f"[{ALONE}]|(?:(?![{ALONE}])[^\\W_])+")


def plain(text):
    """Lower case, compatibility form, no marks, no apostrophes; what is no letter or digit first becomes a gap."""
    if text.isascii():
        return text.replace("'", "").lower()
    out = []
    for c in text:
        kind = unicodedata.category(c)
        if kind[0] in "LN":
            out.append("".join(x for x in unicodedata.normalize("NFKD", c) if unicodedata.category(x)[0] in "LN"))
        elif c not in "'\u2019" and kind[0] != "M" and kind != "Cf":
            out.append(" ")
    return "".join(out).casefold()


def words(text):
    return WORD.findall(plain(text))


def records(path):
    with subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE) as p:
        for line in p.stdout:
            yield json.loads(line)


def item_text(r):
    """Passage, question, right choice: the task records that these two files have."""
    context = r["context"]
    m = re.match(r"Passage:(.*?)\nQuestion:(.*)", context, re.S)
    parts = list(m.groups()) if m else [context]
    return "\n".join(parts + [r["choices"][r["gold"]]])


def main():
    grams, seen = {}, set()
    for path in BENCHMARKS:
        for r in records(path):
            w = tuple(words(item_text(r)))
            if w in seen:  # items with the same words are one
                continue
            seen.add(w)
            for i in range(len(w) - N + 1):
                grams.setdefault(hash(w[i:i + N]), set()).add((r["task"], r["id"]))
    want, documents = {}, 0
    with tempfile.TemporaryDirectory() as tmp:
        corpus = os.path.join(tmp, "wiki.jsonl")
        with open(corpus, "w", encoding="utf-8") as f:
            for d in records(WIKI):
                if articles and documents == articles:
                    break
                documents += 1
                f.write(json.dumps({"id": d["id"], "text": d["text"]}) + "\n")
                w = words(d["text"])
                found = set()
                for g in zip(*(w[k:] for k in range(N))):
                    found |= grams.get(hash(g), set())
                if found:
                    want[d["id"]] = found
        run = os.path.join(tmp, "run")
        subprocess.run([winnow, "decontaminate", "-q", "--rule", "gpt3", "--action", "label", "--benchmark",
                        ",".join(BENCHMARKS), corpus, "-o", run], check=True)
        wrong = 0
        with open(os.path.join(run, "stages/01-decontaminate/ledger/wiki.jsonl"), encoding="utf-8") as f:
            for line in f:
                e = json.loads(line)
                mine = want.get(e["id"], set())
                if e.get("found", 0) != len(mine) or (mine and (e["benchmark"], e["item"]) not in mine):
                    wrong += 1
                    print("differs:", e["id"], e.get("found", 0), sorted(mine)[:9])
        with open(os.path.join(run, "stages/01-decontaminate/leak.json"), encoding="utf-8") as f:
            leak = json.load(f)
    for b in leak["benchmarks"]:
        mine = {i for found in want.values() for t, i in found if t == b["name"]}
        wrong += len(mine) != b["found"]
        print(f"{b['name']}: {b['found']} of {b['looked_for']} items have {N} words in a row in {documents} articles, Python: {len(mine)}")
    if not any(b["found"] for b in leak["benchmarks"]):
        wrong += 1
        print("nothing was found: there is nothing to compare")
    sys.exit(wrong > 0)


main()
