#!/usr/bin/env python3
"""MB/s and peak memory of each text stage, beside the peer named in the row.

    bench/text_vs_peers.py WINNOW CORPUS.jsonl PAGES_DIR [MB]

CORPUS: JSON lines with a "text"; its first MB megabytes (default 130) are used, plain
and as .gz and .zst.  PAGES: a folder of HTML files.  Peers are Python packages
(pip install
zstandard orjson xxhash trafilatura resiliparse jusText lxml_html_clean datatrove); a missing one is
left out, saying so.  Everything runs on one thread.  MB are of uncompressed
input.  The rate is by processor seconds (user and system), so that other work
on the machine disturbs it little; the median of three runs is shown.
"""
import os, statistics, subprocess, sys, tempfile

PEERS = {
    "python json + zstandard": """
import json, io, zstandard
n = 0
with open(P, 'rb') as f:
    for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(f), 'utf-8'):
        n += len(json.loads(line)['text'].split())
""",
    "python orjson + zstandard": """
import orjson, io, zstandard
n = 0
with open(P, 'rb') as f:
    for line in io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(f), 1 << 20):
        n += len(orjson.loads(line)['text'].split())
""",
    "python json + gzip": """
import json, gzip
n = 0
for line in gzip.open(P, 'rt', encoding='utf-8'):
    n += len(json.loads(line)['text'].split())
""",
    "datatrove JsonlReader": """
import os
from loguru import logger
logger.remove()
from datatrove.pipeline.readers import JsonlReader
n = 0
for d in JsonlReader(os.path.dirname(P), glob_pattern=os.path.basename(P), compression='infer')(None, 0, 1):
    n += len(d.text.split())
""",
    "zstd -dc": None,
    "gzip -dc": None,
    "python json + xxhash set": """
import json, io, zstandard, xxhash
seen = set()
with open(P, 'rb') as f, open('/dev/null', 'w') as out:
    for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(f), 'utf-8'):
        h = xxhash.xxh3_128_digest(json.loads(line)['text'].encode())
        if h not in seen:
            seen.add(h)
            out.write(line)
""",
    "resiliparse extract_plain_text": """
import glob
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import detect_encoding, bytes_to_str
for f in glob.glob(P + '/**/*.html', recursive=True):
    b = open(f, 'rb').read()
    extract_plain_text(bytes_to_str(b, detect_encoding(b)), main_content=False)
""",
    "trafilatura": """
import glob, trafilatura
for f in glob.glob(P + '/**/*.html', recursive=True):
    trafilatura.extract(open(f, 'rb').read(), favor_recall=True)
""",
    "jusText": """
import glob, justext
stop = justext.get_stoplist('English')
for f in glob.glob(P + '/**/*.html', recursive=True):
    try:
        justext.justext(open(f, 'rb').read(), stop)
    except Exception:
        pass
""",
}


def measure(argv):
    """Processor seconds and peak memory (MB) of a program, None if it fails.
    By time(1): a child of Python itself would begin with Python's memory."""
    with tempfile.NamedTemporaryFile("r") as figures:
        done = subprocess.run(["/usr/bin/time", "-o", figures.name, "-f", "%U %S %M", *argv],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode not in (0, 3):
            return None
        user, system, peak = figures.read().split("\n")[-2].split()
        return float(user) + float(system), float(peak) / 1024


def row(stage, name, megabytes, argv, times=3):
    runs = [measure(argv) for _ in range(times)]
    if any(r is None for r in runs):
        print(f"| {stage} | {name} | - | - | not installed, or failed |")
        return
    seconds = statistics.median(r[0] for r in runs)
    print(f"| {stage} | {name} | {megabytes / seconds:.0f} | {seconds:.2f} | {max(r[1] for r in runs):.0f} |", flush=True)


def peer(name, path):
    return [sys.executable, "-c", f"P = {path!r}\n" + PEERS[name]]


def main():
    winnow, corpus, pages = (os.path.abspath(p) for p in sys.argv[1:4])
    size = int(float(sys.argv[4]) * 1e6) if len(sys.argv) > 4 else 130_000_000
    with tempfile.TemporaryDirectory() as tmp:
        os.chdir(tmp)
        with open(corpus, "rb") as f:
            head = f.read(size)
        head = head[: head.rindex(b"\n") + 1]
        open("c.jsonl", "wb").write(head)
        subprocess.run("zstd -q -3 c.jsonl; gzip -k -6 c.jsonl", shell=True, check=True)
        mb = len(head) / 1e6
        html = sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(pages) for f in fs if f.endswith(".html")) / 1e6
        print(f"{mb:.0f} MB of JSON lines, {html:.0f} MB of HTML, one thread\n")
        print("| stage | program | MB/s | processor s | peak MB |\n| --- | --- | --- | --- | --- |")
        def w(command, *args):
            return [winnow, command, "-q", "-t", "1", *args]
        row("read plain", "winnow count", mb, w("count", "c.jsonl"))
        row("read .zst", "winnow count", mb, w("count", "c.jsonl.zst"))
        row("read .zst", "zstd -dc (nothing parsed)", mb, ["zstd", "-dcq", "c.jsonl.zst"])
        for name in ("python orjson + zstandard", "python json + zstandard", "datatrove JsonlReader"):
            row("read .zst", name, mb, peer(name, os.path.abspath("c.jsonl.zst")))
        row("read .gz", "winnow count", mb, w("count", "c.jsonl.gz"))
        row("read .gz", "gzip -dc (nothing parsed)", mb, ["gzip", "-dc", "c.jsonl.gz"])
        row("read .gz", "python json + gzip", mb, peer("python json + gzip", os.path.abspath("c.jsonl.gz")))
        row("extract HTML", "winnow extract", html, w("extract", pages, "-o", "-"))
        for name in ("resiliparse extract_plain_text", "trafilatura", "jusText"):
            row("extract HTML", name, html, peer(name, pages), times=1)
        row("dedup exact", "winnow dedup", mb, w("dedup", "c.jsonl.zst", "-o", "-"))
        row("dedup exact", "python json + xxhash set", mb, peer("python json + xxhash set", os.path.abspath("c.jsonl.zst")))
        row("rules (all four sets)", "winnow rules", mb, w("rules", "--sets", "gopher,gopher-repetition,c4,fineweb", "c.jsonl.zst", "-o", "-"))


main()
