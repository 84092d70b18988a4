#!/usr/bin/env python3
"""What others keep of the pages, as programs for `winnow refiner eval`.

    refiner_rivals.py STATE SET [LOGISTIC.jsonl]    rules and the logistic classifier
    refiner_rivals.py --html STATE SET HTML-FOLDER  trafilatura and jusText, which must be
                                                    installed; for pages with raw HTML
    refiner_rivals.py --only PAGES PROGRAMS OUT     the programs of these pages

Writes STATE/SET.{c4like,fineweb,logistic,trafilatura,justext}.jsonl.  An HTML extractor's
output counts as a page's line when its words are in it: short lines whole, of longer
ones at least half of the runs of four words.  --html also writes STATE/SET.html.jsonl,
the pages that have HTML.
"""
import json
import os
import re
import sys

WORD = re.compile(r"\w+")
POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies",
          "use cookies")


def c4_like(line):
    return len(line.split()) >= 5 and line.rstrip().endswith((".", "!", "?", '"'))


def fineweb(line):
    """C4's line rules as FineWeb runs them: without the one on end punctuation."""
    lower = line.lower()
    return (len(line.split()) >= 3 and "javascript" not in lower
            and not any(phrase in lower for phrase in POLICY))


def program(keep):
    calls, at = [], 0
    while at < len(keep):
        end = at
        while end + 1 < len(keep) and keep[end + 1] == keep[at]:
            end += 1
        if not keep[at]:
            calls.append(f"remove_lines(line_start={at}, line_end={end})")
        at = end + 1
    return "\n".join(calls) or "keep_doc()"


def write(path, pages, keeps):
    with open(path, "w", encoding="utf-8") as out:
        for page, keep in zip(pages, keeps):
            out.write(json.dumps({"id": page["id"], "program": program(keep)}) + "\n")


def has_words(line):
    """As line_has_words(): a letter or digit, or a byte past ASCII that is no punctuation."""
    data, at = line.encode(), 0
    while at < len(data):
        c, d = data[at], data[at + 1] if at + 1 < len(data) else 0
        if c < 128:
            if chr(c).isalnum():
                return True
            at += 1
        elif c == 0xC2 and 0x80 <= d < 0xC0:
            at += 2
        elif at + 2 < len(data) and c == 0xE2 and d in (0x80, 0x81):
            at += 3
        else:
            return True
    return False


def logistic_keeps(pages, path, limit):
    """line_logistic gives scores of the lines with words, page after page."""
    scores = [json.loads(line)["scores"] for line in open(path, encoding="utf-8")]
    keeps, at = [], 0
    for page in pages:
        shown = [has_words(line) for line in page["lines"]]
        if not any(shown):
            keeps.append([False] * len(shown))
            continue
        numbers = iter(scores[at])
        at += 1
        keeps.append([is_shown and next(numbers, 0) >= limit for is_shown in shown])
    assert at == len(scores), "scores and pages are not of one set"
    return keeps


def covered(lines, output):
    words = [w.lower() for w in WORD.findall(output)]
    runs = {tuple(words[i:i + n]) for n in (3, 4) for i in range(len(words) - n + 1)}
    whole = {" ".join(w.lower() for w in WORD.findall(line)) for line in output.split("\n")}
    keep = []
    for line in lines:
        w = [x.lower() for x in WORD.findall(line)]
        if len(w) <= 4:
            keep.append(bool(w) and (" ".join(w) in whole or (len(w) >= 3 and tuple(w) in runs)))
        else:
            hits = [tuple(w[i:i + 4]) in runs for i in range(len(w) - 3)]
            keep.append(sum(hits) >= len(hits) / 2)
    return keep


def html(state, name, folder, pages):
    import justext
    import trafilatura
    stop = justext.get_stoplist("English")
    pages = [p for p in pages if os.path.exists(f"{folder}/{p['id']}.html")]
    keeps = {"trafilatura": [], "justext": []}
    for page in pages:
        data = open(f"{folder}/{page['id']}.html", "rb").read()
        text = trafilatura.extract(data) or ""
        keeps["trafilatura"].append(covered(page["lines"], text))
        text = "\n".join(p.text for p in justext.justext(data, stop) if not p.is_boilerplate)
        keeps["justext"].append(covered(page["lines"], text))
    with open(f"{state}/{name}.html.jsonl", "w", encoding="utf-8") as out:
        out.write("".join(json.dumps(page) + "\n" for page in pages))
    for tool, keep in keeps.items():
        write(f"{state}/{name}.{tool}.jsonl", pages, keep)


def main():
    args = sys.argv[1:]
    if args[0] == "--only":
        ids = {json.loads(line)["id"] for line in open(args[1], encoding="utf-8")}
        with open(args[3], "w", encoding="utf-8") as out:
            out.write("".join(x for x in open(args[2], encoding="utf-8") if json.loads(x)["id"] in ids))
        return
    is_html = args[0] == "--html"
    state, name = args[is_html:is_html + 2]
    pages = [json.loads(line) for line in open(f"{state}/{name}.jsonl", encoding="utf-8")]
    if is_html:
        html(state, name, args[3], pages)
        return
    for rule, test in (("c4like", c4_like), ("fineweb", fineweb)):
        write(f"{state}/{name}.{rule}.jsonl", pages, [[test(x) for x in p["lines"]] for p in pages])
    if len(args) > 2:
        write(f"{state}/{name}.logistic.jsonl", pages, logistic_keeps(pages, args[2], 0.3))


if __name__ == "__main__":
    main()
