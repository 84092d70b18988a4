#!/usr/bin/env python3
"""Labelled pages with what their tags say of each line, for structure.sh.

    structure_pages.py WINNOW DATA STATE FUNDUS BENCHMARK

FUNDUS and BENCHMARK are checkouts: news pages (structure_news.py), and article pages whose sites
stay out of all training.  `winnow extract` reads the HTML of the pages that have it; each labelled
line takes the row of the extracted line that holds its letters.  Writes to STATE:

    wcxb.jsonl train-wcxb.jsonl train-readability.jsonl train-newspaper.jsonl
        as refiner_pages.py splits them, with "structure" where there is HTML
    fold-K.train.jsonl fold-K.test.jsonl
        five folds by site: pages with HTML to measure with, all pages of other sites to learn from
    news-K.test.jsonl
        five folds of news pages by site
    some-K.train.jsonl some.train.jsonl some-templates.jsonl some-articles.jsonl
        of the folds, and of train-*, the pages with HTML and a few others, and news pages (not
        those of news-K): a training in a fifth of the time
    templates.jsonl articles.jsonl dragnet.jsonl cleaneval.jsonl cleanportal.jsonl
"""
import collections
import difflib
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import unicodedata
import urllib.parse

import structure_news
from refiner_pages import lines as read_lines
from refiner_pages import site, write
from structure_rows import columns_of, rows_of

FOLDS = 5
SOME = 150
HEADLINE_STEPS = 3  # from a line to the <h1> around it, at most
SPLIT_SEED = int(os.environ.get("SPLIT", "0"))
CANONICAL = [re.compile(p, re.I) for p in (
    r'<link[^>]*rel=["\']?canonical["\']?[^>]*href=["\']([^"\'>]+)',
    r'<link[^>]*href=["\']([^"\'>]+)["\'][^>]*rel=["\']?canonical',
    r'property=["\']og:url["\'][^>]*content=["\']([^"\'>]+)')]


def page_site(page, html):
    """Readability's pages have no address; many name it themselves."""
    if page.get("url"):
        return site(page)
    text = html.decode("utf-8", "replace") if html else ""
    for pattern in CANONICAL:
        match = pattern.search(text)
        host = match and urllib.parse.urlparse(match.group(1)).hostname
        if host and "." in host and "fakehost" not in host:
            return site({"url": match.group(1)})
    return re.sub(r"-\d+$", "", page["id"])


def letters(line):
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", line).lower())


def align(wanted, have):
    """For each wanted line the number of the line of have that holds it, or -1."""
    a, b = [letters(x) for x in wanted], [letters(x) for x in have]
    match = [-1] * len(a)
    for i, j, n in difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        for k in range(n):
            if a[i + k]:
                match[i + k] = j + k
    after, upper = [len(b)] * (len(a) + 1), len(b)
    for i in range(len(a) - 1, -1, -1):
        upper = match[i] if match[i] >= 0 else upper
        after[i] = upper
    before = 0
    for i, line in enumerate(a):
        if match[i] >= 0:
            before = match[i]
        elif line:
            for j in range(before, min(len(b), after[i] + 1)):
                if b[j] and (line in b[j] or (len(b[j]) > 3 and b[j] in line)):
                    match[i] = before = j
                    break
    where = collections.defaultdict(list)
    for j, line in enumerate(b):
        where[line].append(j)
    for i, line in enumerate(a):
        if match[i] < 0 and line and where.get(line):
            expected = i / len(a) * len(b)
            match[i] = min(where[line], key=lambda j: abs(j - expected))
    return match


def structure_of(page, document):
    have = document["text"].split("\n")
    rows, at = [], 0
    given, nodes = rows_of(document["structure"], have)
    for line, j in zip(page["lines"], align(page["lines"], have)):
        n = len(line)
        if j < 0:
            rows.append([at, at + n, -1, 0, 0, 0])
        else:
            row = given[j]
            share = n / max(1, row[1] - row[0])
            rows.append([at, at + n, row[2], min(n, round(row[3] * share)),
                         min(n, round(row[4] * share)), row[5]])
        at += n + 1
    return columns_of(rows, nodes, document["structure"]["kinds"])


def extract(winnow, folder):
    out = subprocess.run([winnow, "extract", "-q", folder, "-o", "-"], stdout=subprocess.PIPE,
                         check=True).stdout
    documents = (json.loads(x) for x in out.decode().split("\n") if x)
    return {os.path.splitext(os.path.basename(d["metadata"]["path"]))[0]: d for d in documents}


def dump(pages):
    return [json.dumps(p, ensure_ascii=False) for p in pages]


def write_some(path, pages, news):
    """Pages with a structure, and SOME of the others."""
    tagged = [p for p in pages if "structure" in p]
    others = [p for p in pages if "structure" not in p]
    random.Random(1).shuffle(others)
    write(path, dump(tagged + others[:SOME] + news))


def without_captions(page):
    """Readability's gold has captions and headlines, other golds have none: not judged there."""
    if page["source"] != "readability" or "structure" not in page:
        return page
    rows, nodes = rows_of(page["structure"], page["lines"])
    labels = list(page["label"])
    for i, row in enumerate(rows):
        node, steps = row[2], 0
        while node > 0 and labels[i] == 1:
            tag = page["structure"]["kinds"][nodes[node][1]][0]
            if tag == "figcaption" or (tag == "h1" and steps < HEADLINE_STEPS):
                labels[i] = 2
            node, steps = nodes[node][0], steps + 1
    return dict(page, label=labels)


def read_news(winnow, state, checkout):
    """News pages, and the fold of each site."""
    found = structure_news.unpack(checkout, f"{state}/html/news")
    pages = structure_news.news_pages(extract(winnow, f"{state}/html/news"), found)
    names = sorted({site(p) for p in pages})
    random.Random(0).shuffle(names)
    return pages, {name: i % FOLDS for i, name in enumerate(names)}


def benchmark_sites(checkout):
    with open(f"{checkout}/ground-truth.json", encoding="utf-8") as file:
        return {site(page) for page in json.load(file).values()}


def write_some_templates(state, lines):
    by_source = collections.defaultdict(list)
    for line in lines:
        if len(line) < 60000:
            by_source[json.loads(line)["source"]].append(line)
    rng = random.Random(2)
    for pages in by_source.values():
        rng.shuffle(pages)
    write(f"{state}/some-templates.jsonl", [x for pages in by_source.values() for x in pages[:15]])


def write_held_out(state, sets, sites, news):
    """The pages of one in four sites of wcxb to measure with, those of other sites to learn from."""
    held = {sites[p["id"]] for p in sets["wcxb"]
            if int(hashlib.sha256(sites[p["id"]].encode()).hexdigest(), 16) % 4 == 0}
    write(f"{state}/wcxb.jsonl", dump(p for p in sets["wcxb"] if sites[p["id"]] in held))
    learn = []
    for name, pages in sets.items():
        pages = [p for p in pages if sites[p["id"]] not in held]
        write(f"{state}/train-{name}.jsonl", dump(pages))
        learn += [without_captions(p) for p in pages]
    write_some(f"{state}/some.train.jsonl", learn, [p for p in news if site(p) not in held])


def main():
    winnow, data, state, fundus, benchmark = sys.argv[1:]
    os.makedirs(f"{state}/html", exist_ok=True)
    if not os.path.isdir(f"{state}/html/wcxb_dev"):
        subprocess.run(f"zstd -dcq '{data}/html/html.tar.zst' | tar xf - -C '{state}/html'",
                       shell=True, check=True)
    sets, sites, found, total = {}, {}, 0, 0
    for name, folder in (("wcxb", "wcxb_dev"), ("readability", "readability"), ("newspaper", None)):
        documents = extract(winnow, f"{state}/html/{folder}") if folder else {}
        pages = [json.loads(x) for x in
                 read_lines(f"{data}/pages/{folder or name}.jsonl.zst")]
        for page in pages:
            path = f"{state}/html/{folder}/{page['id']}.html"
            html = open(path, "rb").read() if os.path.exists(path) else None
            sites[page["id"]] = page_site(page, html)
            if html and page["id"] in documents and "structure" in documents[page["id"]]:
                page["structure"] = structure_of(page, documents[page["id"]])
                rows, _ = rows_of(page["structure"], page["lines"])
                judged = [r for r, x in zip(rows, page["label"]) if x in (0, 1)]
                total += len(judged)
                found += sum(r[2] >= 0 for r in judged)
        sets[name] = pages
    print(f"{sum('structure' in p for s in sets.values() for p in s)} pages with structure, "
          f"{found / total:.4f} of their {total} judged lines found")
    news, news_fold = read_news(winnow, state, fundus)
    off_limits = benchmark_sites(benchmark)
    to_learn = [p for p in news if site(p) not in off_limits]
    print(f"{len(news)} news pages, {len(to_learn)} to learn from")
    write_held_out(state, sets, sites, to_learn)
    everything = [p for s in sets.values() for p in s]
    names = sorted({sites[p["id"]] for p in everything if "structure" in p})
    random.Random(SPLIT_SEED).shuffle(names)
    fold = {name: i % FOLDS for i, name in enumerate(names)}
    for k in range(FOLDS):
        write(f"{state}/fold-{k}.test.jsonl",
              dump(p for p in everything if "structure" in p and fold[sites[p["id"]]] == k))
        write(f"{state}/news-{k}.test.jsonl", dump(p for p in news if news_fold[site(p)] == k))
        others = [p for p in everything if fold.get(sites[p["id"]]) != k]
        write(f"{state}/fold-{k}.train.jsonl", dump(others))
        write_some(f"{state}/some-{k}.train.jsonl", [without_captions(p) for p in others],
                   [p for p in to_learn if news_fold[site(p)] != k])
    for name in ("dragnet_train", "cleaneval_dev", "cleanportal"):
        write(f"{state}/{name.split('_')[0]}.jsonl", read_lines(f"{data}/pages/{name}.jsonl.zst"))
    articles = read_lines(f"{data}/clean/wiki.jsonl.zst")[:3000]
    write(f"{state}/articles.jsonl", articles)
    write(f"{state}/some-articles.jsonl", articles[:600])
    templates = read_lines(f"{data}/noisy/debian_html_labelled.jsonl.zst")
    write(f"{state}/templates.jsonl", templates)
    write_some_templates(state, templates)


if __name__ == "__main__":
    main()
