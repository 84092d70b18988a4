#!/usr/bin/env python3
"""Real mixed text plus planted noise, for docs/evidence/pruning.sh.

    pruning_corpus.py DATA OUT.jsonl

Documents are pieces of at most 4,000 characters, cut between lines, so that a
band by documents is about a band by tokens.  The same input gives the same
bytes.  Needs zstd on the path."""
import base64, json, random, subprocess, sys

DATA, OUT = sys.argv[1:3]
PIECE = 4000


def lines(name):
    with subprocess.Popen(["zstd", "-dc", f"{DATA}/{name}.jsonl.zst"], stdout=subprocess.PIPE) as p:
        for line in p.stdout:
            yield json.loads(line)
        p.stdout.close()


def pieces(text):
    """Runs of whole lines of at most PIECE characters; a longer line is cut at spaces."""
    part, size = [], 0
    for line in text.split("\n"):
        while len(line) > PIECE:
            cut = line.rfind(" ", 0, PIECE)
            cut = cut if cut > 0 else PIECE
            if part:
                yield "\n".join(part)
                part, size = [], 0
            yield line[:cut]
            line = line[cut:].lstrip()
        if size + len(line) + 1 > PIECE and part:
            yield "\n".join(part)
            part, size = [], 0
        part.append(line)
        size += len(line) + 1
    if part:
        yield "\n".join(part)


def novels():
    for d in lines("clean/novels"):
        yield d["id"], d["text"]


def debian():
    for d in lines("noisy/debian_html_labelled"):
        yield d["id"], "\n".join(l for l, k in zip(d["lines"], d["label"]) if k == 1)


def instruct():
    for name in ("p3", "gsm8k_train", "dolly_hhrlhf_small", "boolq_train", "arc-easy_train",
                 "openbookqa_train"):
        for d in lines("instruct/" + name):
            yield d["id"], d["prompt"] + "\n" + d["response"]


def noise(words):
    """Four kinds: random characters, shuffled words, base64, one line over and over."""
    r = random.Random(7)
    for i in range(1000):
        kind = i % 4
        if kind == 0:
            text = "".join(r.choice("abcdefghijklmnopqrstuvwxyz0123456789 .,;:-_/()[]{}#@\n")
                           for _ in range(3000))
        elif kind == 1:
            text = " ".join(r.choice(words) for _ in range(500))
        elif kind == 2:
            text = base64.encodebytes(r.randbytes(2400)).decode()
        else:
            text = (" ".join(r.choice(words) for _ in range(8)) + "\n") * 60
        yield f"noise-{i}", text


def main():
    words = []
    for d in lines("clean/wiki"):
        words += d["text"].split()
        if len(words) > 50000:
            break
    plain = lambda name: ((d["id"], d["text"]) for d in lines(name))
    parts = [("wiki", plain("clean/wiki"), 26e6), ("novels", novels(), 14e6),
             ("debian-docs", debian(), 20e6), ("web-crawl", plain("noisy/crawl"), 14e6),
             ("web-samples", plain("noisy/small_samples"), 3e6), ("instruct", instruct(), 12e6),
             ("noise", noise(words), 1e9)]
    with open(OUT + ".part", "w", encoding="utf-8") as out:
        for source, documents, most in parts:
            size = 0
            for name, text in documents:
                for i, piece in enumerate(pieces(text)):
                    if len(piece) < 200:
                        continue
                    out.write(json.dumps({"id": f"{name}#{i}", "source": source, "text": piece},
                                         ensure_ascii=False) + "\n")
                    size += len(piece)
                if size > most:
                    break
            print(f"{source}: {size / 1e6:.1f} MB", file=sys.stderr)
    import os
    os.rename(OUT + ".part", OUT)


main()
