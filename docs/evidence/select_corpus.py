#!/usr/bin/env python3
"""The pools and targets of select.sh, drawn anew for each seed.

    select_corpus.py DATA STATE SEED [COPIES]

Writes into STATE/seed-SEED/ (with COPIES, a share: STATE/seed-SEED-copies/, the same pool and as many
near-copies of some of its rows on top):
    pool.jsonl         what is selected from: rows of P3 with a response, each once
    warmup.jsonl       1,000 of them, which the trajectory is trained on
    TARGET-few.jsonl   32 examples of the target, which selection sees
    TARGET-tune.jsonl  those that choose the step of a training
    TARGET-test.jsonl  those that are measured
    oracle-TARGET.jsonl  rows of the pool that are of the target's own dataset, where there are any

Rows of the targets' few, tune and test are in no pool.  Of the targets in REMOVED no template of
their dataset is in the pool.  The same seed gives the same bytes.  Needs zstd on the path."""
import hashlib
import json
import os
import random
import subprocess
import sys

POOL = 4000
WARMUP = 1000
FEW, TUNE, TEST = 32, 40, 120
PROMPT, RESPONSE = 900, 300  # characters of each, at most
IN_POOL = ["rotten_tomatoes", "common_gen"]
REMOVED = ["quarel"]
OFF_POOL = ["arc-easy", "gsm8k", "openbookqa", "boolq"]
TARGETS = IN_POOL + REMOVED + OFF_POOL


def read(path):
    text = subprocess.run(["zstd", "-dc", path], check=True, capture_output=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def draw(seed, name):
    return hashlib.sha256(f"{seed} {name}".encode()).digest()


def short(row):
    """What a small context holds: the end of a prompt says what is asked for."""
    prompt, response = row["prompt"].strip(), row["response"].strip()
    if len(prompt) > PROMPT:
        prompt = prompt[: PROMPT // 3] + " ... " + prompt[-2 * PROMPT // 3 :]
    return {"id": row["id"], "task": row["task"], "prompt": prompt, "response": response[:RESPONSE]}


def rows_of(path):
    """Rows with a response, each once."""
    seen, out = set(), []
    for row in read(path):
        row.setdefault("task", row["source"])
        key = (row["prompt"].strip(), row["response"].strip())
        if key[1] and key not in seen:
            seen.add(key)
            out.append(short(row))
    return out


def write(path, rows):
    with open(path + ".part", "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    os.rename(path + ".part", path)


def near_copy(row, chance):
    """One word in twenty goes, or stands twice."""
    words = row["prompt"].split(" ")
    kept = [w for w in words if chance.random() > 0.05 or len(words) < 8]
    twice = [w for w in kept for _ in range(2 if chance.random() < 0.02 else 1)]
    return dict(row, prompt=" ".join(twice), copy_of=row["id"])


def main():
    data, state, seed = sys.argv[1], sys.argv[2], sys.argv[3]
    copies = float(sys.argv[4]) if len(sys.argv) > 4 else 0
    folder = os.path.join(state, f"seed-{seed}" + ("-copies" if copies else ""))
    os.makedirs(folder, exist_ok=True)
    p3 = rows_of(os.path.join(data, "instruct", "p3.jsonl.zst"))
    p3.sort(key=lambda row: draw(seed, "part " + row["id"]))
    taken, parts = set(), {}
    for target in TARGETS:
        if target in OFF_POOL:
            own = rows_of(os.path.join(data, "instruct", f"{target}_train.jsonl.zst"))
            own.sort(key=lambda row: draw(seed, row["id"]))
        else:
            own = [row for row in p3 if row["task"].startswith(target)]
        parts[target] = own[:FEW], own[FEW : FEW + TUNE], own[FEW + TUNE : FEW + TUNE + TEST]
        taken.update(row["id"] for part in parts[target] for row in part)
    p3.sort(key=lambda row: draw(seed, "pool " + row["id"]))
    pool = [
        row
        for row in p3
        if row["id"] not in taken and not any(row["task"].startswith(name) for name in REMOVED)
    ][:POOL]
    warmup = pool[:WARMUP]
    if copies:
        chance = random.Random(int.from_bytes(draw(seed, "copies")[:8], "big"))
        pool = pool + [
            dict(near_copy(row, chance), id=f"{row['id']}-copy-{n}")
            for n, row in enumerate(chance.choices(pool, k=int(copies * len(pool))))
        ]
    pool.sort(key=lambda row: draw(seed, "order " + row["id"]))
    write(os.path.join(folder, "pool.jsonl"), pool)
    write(os.path.join(folder, "warmup.jsonl"), warmup)
    for target in TARGETS:
        for name, rows in zip(("few", "tune", "test"), parts[target]):
            write(os.path.join(folder, f"{target}-{name}.jsonl"), rows)
        own = [row for row in pool if row["task"].startswith(target)]
        if own:
            write(os.path.join(folder, f"oracle-{target}.jsonl"), own)


if __name__ == "__main__":
    main()
