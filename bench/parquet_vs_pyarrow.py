#!/usr/bin/env python3
"""Parquet beside pyarrow, in one run on this machine: parquet_vs_pyarrow.py WINNOW [DOCUMENTS]

Processor seconds and wall time of one thread each, the least of three rounds in turn: reading (winnow:
`count`, which also parses the rows and counts words; pyarrow: every column into memory, and rows as
Python objects, which is what a filter in Python sees) and reading and writing (winnow: `dedup`, exact,
with its ledger; pyarrow: read_table and write_table with zstd).
"""
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

READ = "import sys, pyarrow.parquet as pq; pq.read_table(sys.argv[1], use_threads=False)"
ROWS = "import sys, pyarrow.parquet as pq\nfor b in pq.ParquetFile(sys.argv[1]).iter_batches(use_threads=False):\n    b.to_pylist()"
WRITE = "import sys, pyarrow.parquet as pq; pq.write_table(pq.read_table(sys.argv[1], use_threads=False), sys.argv[2], compression='zstd')"


def make(path, n):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(20000)]
    text = [" ".join(rng.choices(words, k=rng.randint(50, 800))) + ".\n" for _ in range(n)]
    columns = {"id": [f"doc-{i}" for i in range(n)], "text": text, "url": [f"https://example.org/{i}" for i in range(n)],
               "score": [rng.random() for _ in range(n)], "tokens": [rng.randint(1, 10**6) for _ in range(n)],
               "date": pa.array([rng.randint(0, 1700000000) for _ in range(n)], pa.timestamp("s")),
               "tags": [rng.choices(words, k=i % 4) for i in range(n)]}
    pq.write_table(pa.table(columns), path, compression="zstd")
    return sum(len(t) for t in text)


def cost(command):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall


def main():
    winnow, n = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 60000
    with tempfile.TemporaryDirectory() as folder:
        path, out = os.path.join(folder, "in.parquet"), os.path.join(folder, "out")
        size = make(path, n)
        arms = {
            "winnow count": lambda i: [winnow, "count", "-q", "--threads", "1", path],
            "pyarrow, columns": lambda i: [sys.executable, "-c", READ, path],
            "pyarrow, rows": lambda i: [sys.executable, "-c", ROWS, path],
            "winnow dedup": lambda i: [winnow, "dedup", "-q", "--unit", "document", "--threads", "1", path, "-o", f"{out}{i}"],
            "pyarrow, read and write": lambda i: [sys.executable, "-c", WRITE, path, f"{out}.parquet"],
        }
        least = {name: (1e9, 1e9) for name in arms}
        for i in range(3):
            for name, command in arms.items():
                cpu, wall = cost(command(i))
                least[name] = (min(cpu, least[name][0]), min(wall, least[name][1]))
        print(f"{n} documents, {size / 1e6:.0f} MB of text, {os.path.getsize(path) / 1e6:.0f} MB of Parquet")
        for name, (cpu, wall) in least.items():
            print(f"{name:26} {cpu:7.2f} s of processor  {wall:7.2f} s  {size / 1e6 / cpu:7.0f} MB of text a second of processor")


main()
