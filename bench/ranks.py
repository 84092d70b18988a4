#!/usr/bin/env python3
"""ranks.py -- one recipe by 1, 2 and 4 ranks of one thread each: seconds, processor time and
bytes exchanged, a stage a row; and that all of them left the same bytes.

    WINNOW_DATA=... bench/ranks.py build/release/winnow [--mb 100] [--ranks 1 2 4] [--shards 16]

The corpus is real text of WINNOW_DATA (noisy pages, an encyclopedia), repeated under other ids where
it is too small, in shards of one size."""
import argparse
import hashlib
import json
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
import time

RECIPE = """winnow: 1
input: [in]
output: run
stages:
  - language:
  - rules: {filter: false}
  - mask: {edit: true}
  - dedup:
  - holdout: {share: 1%}
"""
MAY_DIFFER = {"timings.json", "input.json", "report.html", ".lock"}


def make_corpus(folder, megabytes, shards):
    data = pathlib.Path(os.environ["WINNOW_DATA"])
    texts = []
    for name in ("noisy/crawl.jsonl.zst", "clean/wiki.jsonl.zst"):
        raw = subprocess.run(["zstd", "-dc", data / name], check=True, capture_output=True).stdout
        texts += [json.loads(line)["text"] for line in raw.splitlines()]
    size, number = 0, 0
    files = [open(folder / f"{i:03}.jsonl", "w") for i in range(shards)]
    while size < megabytes * 1e6:
        # every other round says the same again: something for dedup
        text = texts[number % len(texts)] + f" {number // len(texts) // 2}"
        line = json.dumps({"id": f"d{number}", "text": text}) + "\n"
        files[number % shards].write(line)
        size += len(line)
        number += 1
    for f in files:
        f.close()
    return size, number


def prints(folder):
    out = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in MAY_DIFFER):
        out.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return out.hexdigest()


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    args = argparse.ArgumentParser()
    args.add_argument("winnow")
    args.add_argument("--mb", type=float, default=100)
    args.add_argument("--shards", type=int, default=16)
    args.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4])
    args = args.parse_args()
    winnow = os.path.abspath(args.winnow)
    env = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    with tempfile.TemporaryDirectory() as place:
        root = pathlib.Path(place)
        (root / "in").mkdir()
        (root / "recipe.yaml").write_text(RECIPE)
        size, documents = make_corpus(root / "in", args.mb, args.shards)
        print(f"{size / 1e6:.0f} MB, {documents} documents, {args.shards} shards; a thread a rank")
        print("ranks  stage             seconds  bytes exchanged")
        first = None
        for ranks in args.ranks:
            shutil.rmtree(root / "run", ignore_errors=True)
            launch = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
            used, start = processor_seconds(), time.monotonic()
            subprocess.run(launch + [winnow, "run", "-q", "--threads", "1", "recipe.yaml"], cwd=root, env=env,
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wall, used = time.monotonic() - start, processor_seconds() - used
            for stage, t in json.loads((root / "run/timings.json").read_text())["stages"].items():
                print(f"{ranks:5}  {stage:16} {t['seconds']:8.2f}  {int(t.get('bytes_exchanged', 0)):12}")
            print(f"{ranks:5}  {'all':16} {wall:8.2f}  (processor time {used:.2f} s)", flush=True)
            now = prints(root / "run")
            first = first or now
            if now != first:
                raise SystemExit(f"{ranks} ranks left other bytes than {args.ranks[0]}")
        print("the same bytes on all of them")


main()
