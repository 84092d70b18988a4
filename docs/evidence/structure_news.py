"""News pages with the text that a parser written for their site finds: fundus' tests, for
structure_pages.py and structure_articles.py.

A checkout of flairNLP/fundus (MIT) holds pages of some 180 publishers in twenty-odd languages and
the paragraphs that belong to the article.  What it calls no part of it is no part of a page's text
here either, except where its parsers do not look: lists, tables and quotations between the first
and the last paragraph are not judged.
"""
import difflib
import glob
import gzip
import json
import os
import re
import unicodedata

from structure_rows import rows_of

WORD = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]|\w+")
UNSURE = {"ul", "ol", "dl", "table", "blockquote", "pre"}
LEAST = .85  # of an article's runs of four words that its page must hold


def words(text):
    return WORD.findall(unicodedata.normalize("NFKC", text).lower())


def runs(tokens, n):
    return list(zip(*(tokens[i:] for i in range(n))))


def unpack(checkout, folder):
    """Writes the pages as FOLDER/ID.html; {id: (address, texts of all its site's test pages)}."""
    os.makedirs(folder, exist_ok=True)
    found = {}
    for path in sorted(glob.glob(f"{checkout}/tests/resources/parser/test_data/*/*.html.gz")):
        where, file = os.path.split(path)
        name = os.path.basename(where) + "-" + file[:-len(".html.gz")]
        with open(f"{where}/meta.info", encoding="utf-8") as meta:
            url = json.load(meta)[file]["url"]
        with open(f"{where}/{file.rsplit('_', 3)[0]}.json", encoding="utf-8") as texts:
            bodies = [v["body"] for v in json.load(texts).values() if v.get("body")]
        texts = [list(b["summary"]) + [x for s in b["sections"]
                                       for x in s["headline"] + s["paragraphs"]] for b in bodies]
        with gzip.open(path) as page, open(f"{folder}/{name}.html", "wb") as out:
            out.write(page.read())
        found[name] = (url, ["\n".join(x) for x in texts])
    return found


def article_of(text, candidates):
    """The candidate that the page holds, or None."""
    page = set(runs(words(text), 4))

    def share(gold):
        have = runs(words(gold), 4)
        return sum(x in page for x in have) / max(1, len(have))
    best = max(candidates, key=share, default="")
    return best if share(best) >= LEAST else None


def labels_of(lines, gold):
    """1: half of a line's words are matched in order; 2: the article has them elsewhere."""
    tokens, article = [words(x) for x in lines], words(gold)
    flat = [w for t in tokens for w in t]
    owner = [i for i, t in enumerate(tokens) for _ in t]
    hit = [0] * len(lines)
    matcher = difflib.SequenceMatcher(None, flat, article, autojunk=False)
    for i, _, n in matcher.get_matching_blocks():
        for k in range(i, i + n):
            hit[owner[k]] += n >= 3 or n == len(tokens[owner[k]])
    have, labels = set(runs(article, 3)), []
    for t, n in zip(tokens, hit):
        three = runs(t, 3)
        again = three and 2 * sum(x in have for x in three) >= len(three)
        labels.append(-1 if not t else 1 if 2 * n >= len(t) else 2 if again else 0)
    return labels


def unsure(page):
    """Labels with lists, tables and quotations of the article that it lacks as "not judged"."""
    lines, nodes = rows_of(page["structure"], page["lines"])
    inside = [i for i, x in enumerate(page["label"]) if x == 1]
    labels = list(page["label"])
    for i in range(inside[0], inside[-1] + 1) if inside else ():
        node, tags = lines[i][2], set()
        while node > 0:
            tags.add(page["structure"]["kinds"][nodes[node][1]][0])
            node = nodes[node][0]
        if labels[i] == 0 and tags & UNSURE and 2 * lines[i][3] < len(page["lines"][i]):
            labels[i] = 2
    return labels


def news_pages(documents, found):
    """Labelled pages; documents: what extract made of them, by id."""
    pages = []
    for name, (url, candidates) in found.items():
        document = documents.get(name, {})
        gold = article_of(document.get("text", ""), candidates)
        if gold is None or "structure" not in document:
            continue
        lines = document["text"].split("\n")
        structure = {k: v for k, v in document["structure"].items() if k != "text"}
        page = {"id": "fundus-" + name, "source": "fundus", "url": url, "split": "",
                "type": "article", "lines": lines, "label": labels_of(lines, gold), "gold": gold,
                "structure": structure}
        page["label"] = unsure(page)
        pages.append(page)
    return pages
