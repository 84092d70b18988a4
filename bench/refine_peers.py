#!/usr/bin/env python3
"""refine_peers.py TOOL PAGES [HTML_FOLDER] > cleaned.jsonl: what other tools leave of pages
(docs/formats/refiner.md), for `winnow refiner eval --cleaned`.

TOOL  c4like       lines of at least five words that end in . ! ? or a closing quote
      fineweb      FineWeb's line rules as a page filter (lines that end in punctuation,
                   short lines, repeated lines), then nothing is changed in the page
      justext      justext, English stop words
      trafilatura  trafilatura, its defaults

jusText and trafilatura read HTML: HTML_FOLDER/ID.html where there is one; otherwise, and
this is said on stderr, every line as a paragraph, which takes from them what they go by.
"""
import json
import os
import subprocess
import sys


def read(path):
    if path.endswith(".zst"):
        text = subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout
    else:
        with open(path, "rb") as f:
            text = f.read()
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def lines_of(page):
    return page["lines"] if "lines" in page else page.get("text", page.get("raw", "")).split("\n")


def c4like(lines):
    return "\n".join(x for x in lines if len(x.split()) >= 5 and x.rstrip()[-1:] in ".!?\"'\u201d\u2019")


def fineweb(lines):
    full = [x for x in lines if x.strip()]
    if not full:
        return ""
    ends = sum(x.rstrip()[-1] in ".'\"!?\u201d\u2019" for x in full) / len(full)
    short = sum(len(x) <= 30 for x in full) / len(full)
    chars = sum(map(len, full))
    seen, repeated = set(), 0
    for x in full:
        repeated += len(x) if x in seen else 0
        seen.add(x)
    words = sum(len(x.split()) for x in full)
    keep = ends > 0.12 and short < 0.67 and repeated / chars < 0.01 and len(full) / words <= 0.3
    return "\n".join(lines) if keep else ""


def html_of(page, folder, missing):
    path = os.path.join(folder, page["id"] + ".html") if folder else ""
    if path and os.path.exists(path):
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    missing.append(page["id"])
    escape = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
    body = "".join("<p>" + "".join(escape.get(c, c) for c in x) + "</p>\n" for x in lines_of(page))
    return "<html><body>\n" + body + "</body></html>"


def main():
    tool, pages = sys.argv[1], read(sys.argv[2])
    folder = sys.argv[3] if len(sys.argv) > 3 else None
    missing = []
    if tool == "justext":
        import justext
        stop = justext.get_stoplist("English")
    elif tool == "trafilatura":
        import trafilatura
    for p in pages:
        if tool == "c4like":
            text = c4like(lines_of(p))
        elif tool == "fineweb":
            text = fineweb(lines_of(p))
        elif tool == "justext":
            found = justext.justext(html_of(p, folder, missing).encode(), stop)
            text = "\n".join(x.text for x in found if not x.is_boilerplate)
        elif tool == "trafilatura":
            text = trafilatura.extract(html_of(p, folder, missing)) or ""
        else:
            sys.exit(f"no tool {tool}")
        if text.strip():
            print(json.dumps({"id": p["id"], "text": text}, ensure_ascii=False))
    if missing:
        print(f"{tool}: {len(missing)} of {len(pages)} pages have no HTML: lines as paragraphs",
              file=sys.stderr)


main()
