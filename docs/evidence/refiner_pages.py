#!/usr/bin/env python3
"""Splits the labelled pages for refiner.sh.

    refiner_pages.py DATA STATE

One site in four of wcxb_dev is held out (all its pages): STATE/wcxb.jsonl.  The others,
readability and newspaper are STATE/train-*.jsonl.  Never trained on: dragnet, cleaneval,
cleanportal.  templates.jsonl (Debian's documentation) and articles.jsonl (Wikipedia) are
the --templates and --articles of the training.
"""
import hashlib
import json
import os
import subprocess
import sys
import urllib.parse

FOLDS = 4
ARTICLES = 3000


def raw(path):
    return subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout


def lines(path):
    return [line for line in raw(path).decode().split("\n") if line]


def site(page):
    """The registered domain, near enough: two labels, or three under co.uk and the like."""
    host = urllib.parse.urlparse(page["url"]).hostname or page["url"]
    parts = host.split(".")
    country = len(parts) > 2 and len(parts[-1]) == 2 and len(parts[-2]) <= 3
    return ".".join(parts[-3:] if country else parts[-2:])


def write(path, items):
    with open(path, "w", encoding="utf-8") as out:
        out.write("".join(item + "\n" for item in items))


def main():
    data, state = sys.argv[1:]
    os.makedirs(state, exist_ok=True)
    folds = [[] for _ in range(FOLDS)]
    for line in lines(f"{data}/pages/wcxb_dev.jsonl.zst"):
        digest = hashlib.sha256(site(json.loads(line)).encode()).hexdigest()
        folds[int(digest, 16) % FOLDS].append(line)
    write(f"{state}/wcxb.jsonl", folds[0])
    write(f"{state}/train-wcxb.jsonl", [line for fold in folds[1:] for line in fold])
    for name in ("readability", "newspaper"):
        write(f"{state}/train-{name}.jsonl", lines(f"{data}/pages/{name}.jsonl.zst"))
    for name in ("dragnet_train", "cleaneval_dev", "cleanportal"):
        write(f"{state}/{name.split('_')[0]}.jsonl", lines(f"{data}/pages/{name}.jsonl.zst"))
    write(f"{state}/articles.jsonl", lines(f"{data}/clean/wiki.jsonl.zst")[:ARTICLES])
    write(f"{state}/templates.jsonl", lines(f"{data}/noisy/debian_html_labelled.jsonl.zst"))


if __name__ == "__main__":
    main()
