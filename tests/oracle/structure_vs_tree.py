#!/usr/bin/env python3
"""Rows of extract's structure against trees built by lxml (libxml2), on real pages.

    structure_vs_tree.py WINNOW [DATA]

Lines are matched by their letters, in order.  Of matched lines it compares the tags from the page
down to the element in which the line begins, and the share of the line within links.  Exit 1 where
fewer than AGREE of them are the same; 77: no lxml or no pages here.
"""
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile

try:
    import lxml.html
except ImportError:
    print("skipped: lxml is not installed")
    sys.exit(77)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/evidence"))
import structure_rows  # pylint: disable=wrong-import-position

AGREE = {"path": .93, "link": .97}
GONE = set("script style noscript template svg iframe head textarea title noembed noframes".split())
WORDS = set("a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr "
            "output picture q rb rp rt ruby s samp small span strike strong sub sup time tt u "
            "var".split())
INLINE = WORDS | set("img input wbr source area link meta param track embed object video audio map "
                     "canvas math base col object".split())
ROOT = {"html", "body", "tbody"}  # tbody: trees put it in where pages do not


def letters(text):
    return re.sub(r"[\W_]+", "", text.lower())


class Lines:
    """Walks a tree, a line for each piece of text between edges of blocks."""

    def __init__(self, tree):
        self.out, self.text, self.owner, self.link = [], [], None, 0
        body = tree.find("body")
        self.walk(body if body is not None else tree)
        self.flush()

    def flush(self):
        text = " ".join("".join(self.text).split())
        if letters(text):
            self.out.append((text, self.owner, self.link / max(1, len(text.replace(" ", "")))))
        self.text, self.owner, self.link = [], None, 0

    def add(self, text, element, linked, pre):
        for i, part in enumerate(text.split("\n") if pre else [text]):
            if i:
                self.flush()
            self.text.append(part)
            if part.strip():
                self.owner = element if self.owner is None else self.owner
                self.link += len("".join(part.split())) if linked else 0

    def walk(self, top):
        stack = [("open", top, False, False)]
        while stack:
            what, element, linked, pre = stack.pop()
            if what == "text":
                self.add(*element, linked, pre)
                continue
            if what == "flush":
                self.flush()
                continue
            if not isinstance(element.tag, str) or element.tag in GONE:
                continue
            block = element.tag not in INLINE
            if block:
                self.flush()
            linked, pre = linked or element.tag == "a", pre or element.tag == "pre"
            later = [("flush", None, False, False)] if block else []
            for child in reversed(element):
                if child.tail:
                    later.append(("text", (child.tail, element), linked, pre))
                later.append(("open", child, linked, pre))
            if element.text:
                later.append(("text", (element.text, element), linked, pre))
            stack += later


def tree_path(element):
    out = []
    while element is not None:
        if element.tag not in ROOT:
            out.append(element.tag)
        element = element.getparent()
    return out


def row_path(structure, nodes, node):
    out = []
    while node > 0:
        parent, kind, _ = nodes[node]
        tag = structure["kinds"][kind][0]
        if tag not in ROOT:
            out.append(tag)
        node = parent
    return out


def compare(document, data, sums):
    structure, texts = document["structure"], document["text"].split("\n")
    rows, nodes = structure_rows.rows_of(structure, texts)
    try:
        tree = lxml.html.document_fromstring(
            data, parser=lxml.html.HTMLParser(encoding=document["metadata"]["charset"]))
    except (ValueError, LookupError, lxml.etree.ParserError):
        return
    theirs = Lines(tree).out
    a, b = [letters(x) for x in texts], [letters(x[0]) for x in theirs]
    for i, j, n in difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        for k in range(n):
            row = rows[i + k]
            if not a[i + k] or row[2] < 0:
                continue
            _, owner, link = theirs[j + k]
            ours = sum(map(bool, texts[i + k].split())) and row[3] / max(1, row[1] - row[0])
            sums["lines"] += 1
            sums["path"] += row_path(structure, nodes, row[2]) == tree_path(owner)
            sums["link"] += abs(ours - link) < .15


def main():
    winnow = sys.argv[1]
    data = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("WINNOW_DATA", "../shared/data")
    archive = os.path.join(data, "html", "html.tar.zst")
    if not os.path.exists(archive):
        print(f"skipped: no {archive}")
        sys.exit(77)
    sums = {"lines": 0, "path": 0, "link": 0}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(f"zstd -dcq '{archive}' | tar xf - -C '{folder}'", shell=True, check=True)
        got = subprocess.run([winnow, "extract", "-q", folder, "-o", "-"], check=True,
                             stdout=subprocess.PIPE).stdout.decode()
        for line in got.split("\n"):
            document = json.loads(line) if line else None
            if document and "structure" in document:
                with open(os.path.join(folder, document["metadata"]["path"]), "rb") as page:
                    compare(document, page.read(), sums)
    shares = {what: sums[what] / max(1, sums["lines"]) for what in AGREE}
    print(f"{sums['lines']} lines: " + ", ".join(f"{k} {v:.4f}" for k, v in shares.items()))
    sys.exit(any(shares[what] < AGREE[what] for what in AGREE) or sums["lines"] == 0)


if __name__ == "__main__":
    main()
