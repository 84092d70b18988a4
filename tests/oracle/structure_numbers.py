#!/usr/bin/env python3
"""The slow twin of src/lines/structure_lines.c: what the line model sees of a line's tags, by
walking lists and dictionaries.

    structure_numbers.py WINNOW > structure_numbers.jsonl

Pages are below; WINNOW extracts them, and the numbers are derived here from the rows.
tests/unit/test_structure.c compares them with the C code's.
"""
import json
import math
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/evidence"))
import structure_rows  # pylint: disable=wrong-import-position

LONG = ("It rained all day in the hills above the town, and nobody who had come for the market "
        "stayed longer than it took to sell what they had brought. ")
PAGES = [
    "<body class=home><nav class='menu main'><ul><li><a href=x>Home</a><li><a>About us</a>"
    "<li><a>Contact</a></ul></nav><main><article><h1>Rain</h1><p>" + LONG + "<p>" + LONG +
    "More <a>here</a>.<blockquote>" + LONG + "</blockquote><table><tr><th>Name<td>Age<tr><td>Ada"
    "<td>36</table></article><aside role=complementary><p>Related <b>stories</b></p></aside></main>"
    "<footer><p>(c) nobody <a>Terms</a> <a>Privacy</a></footer>",
    "<div id=wrap><div class=top><span>Sign in</span> | <a>Register</a></div><div class='col-8'>"
    + "".join(f"<div class='post p-{i}'><h3><a>Post {i}</a></h3><div>{LONG * (i % 3)}</div>"
              f"<small>by <a>u{i}</a></small></div>" for i in range(7)) +
    "</div><div class='col-4 side'><h4>Tags</h4><ul><li><a>one</a></li><li><a>two</a></li></ul>"
    "<form><label>Search</label><button>Go</button><select><option>a<option>b</select></form>"
    "</div></div>",
    "plain<br>" + LONG + "<pre>int x;\n\nint y;</pre><p hidden>gone</p><dl><dt>term<dd>meaning"
    "</dl><section role=navigation><ol><li>1<li>2</ol></section>",
    "<p>short",
]
WORDS = set("a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr "
            "output picture q rb rp rt ruby s samp small span strike strong sub sup time tt u "
            "var".split())
SEMANTIC = ("nav header footer aside main article section form table ul ol dl figure blockquote pre "
            "button details dialog").split()
ROLES = dict(navigation="nav", banner="header", contentinfo="footer", complementary="aside",
             main="main", article="article", dialog="dialog", button="button", search="form",
             menu="nav")
TAGS = "p div li a span h1 h2 h3 h4 td th dt dd pre blockquote option".split()


def ratio(a, b):
    return a / b if b > 0 else 0


def log6(x):
    return math.log1p(x) / 6


class Page:
    def __init__(self, document):
        s = document["structure"]
        self.texts = document["text"].split("\n")
        self.lines, self.nodes = structure_rows.rows_of(s, self.texts)
        self.kinds = [k + [""] * (3 - len(k)) for k in s["kinds"]]
        self.rows = [i for i, l in enumerate(self.lines) if l[2] >= 0 and l[1] > l[0]]

    def tag(self, n):
        return self.kinds[self.nodes[n][1]][0]

    def role(self, n):
        return self.kinds[self.nodes[n][1]][2]

    def cls(self, n):
        return self.kinds[self.nodes[n][1]][1].split("#")[0]

    def up(self, n):
        """n and all around it, the page last."""
        out = [n]
        while out[-1] != 0:
            out.append(self.nodes[out[-1]][0])
        return out

    def depth(self, n):
        return len(self.up(n)) - 1

    def block(self, n):
        return next(x for x in self.up(n) if x == 0 or self.tag(x) not in WORDS)

    def semantic(self, n):
        role = ROLES.get(self.role(n))
        return role or (self.tag(n) if self.tag(n) in SEMANTIC else None)

    def chars(self, i):
        return self.lines[i][1] - self.lines[i][0]

    def is_long(self, i):
        return (self.chars(i) >= 80 and self.lines[i][3] < .4 * self.chars(i)
                and any(c in self.texts[i] for c in '.!?"”。！？…'))

    def inside(self, n):
        return [i for i in self.rows if n in self.up(self.lines[i][2])]

    def sums(self, n):
        rows = self.inside(n)
        return dict(text=sum(map(self.chars, rows)), link=sum(self.lines[i][3] for i in rows),
                    lines=len(rows), long=sum(self.chars(i) for i in rows if self.is_long(i)))

    def path(self, n, classes):
        return [(self.tag(x), self.cls(x) if classes else "") for x in self.up(n)]

    def join(self, a, b):
        around = self.up(b)
        return next(x for x in self.up(a) if x in around)

    def same_path(self, i, classes):
        mine = self.path(self.block(self.lines[i][2]), classes)
        return [k for k in self.rows if self.path(self.block(self.lines[k][2]), classes) == mine]

    def containers(self):
        sums = [self.sums(n) for n in range(len(self.nodes))]
        total = sums[0]["long"]
        most = [n for n in range(len(sums)) if total > 0 and sums[n]["long"] >= .6 * total]
        main = max(most, key=lambda n: (self.depth(n), -n)) if most else None
        dense = max(range(len(sums)),
                    key=lambda n: (sums[n]["long"] - sums[n]["link"]
                                   - .3 * (sums[n]["text"] - sums[n]["long"]), self.depth(n), -n))
        return main, dense


def path_numbers(page, rows):
    n, chars = len(rows), sum(map(page.chars, rows))
    return [log6(n), log6(ratio(chars, n)), ratio(sum(page.lines[i][3] for i in rows), chars),
            ratio(sum(map(page.is_long, rows)), n)]


def container_numbers(page, block, container):
    if container is None:
        return [0, 0, 0]
    join = page.join(block, container)
    within = join == container
    return [within, (page.depth(container) - page.depth(join)) / 8,
            (page.depth(block) - page.depth(join)) / 8 if within else 0]


def neighbour(page, i, other):
    if not 0 <= other < len(page.lines) or page.lines[other][2] < 0:
        return [-1, 0]
    a, b = (page.block(page.lines[k][2]) for k in (i, other))
    return [(page.depth(a) - page.depth(page.join(a, b))) / 4,
            page.path(a, True) == page.path(b, True)]


def around_numbers(page, block):
    out, node, nodes = [], block, []
    root = page.sums(0)
    for _ in range(6):
        s = page.sums(node)
        out += [s["text"] / (root["text"] + 1), math.log1p(s["text"]) / 12,
                ratio(s["link"], s["text"]), log6(s["lines"]), s["long"] / (root["long"] + 1),
                log6(ratio(s["text"], s["lines"])), ratio(s["long"], s["text"])]
        nodes.append(node)
        node = page.block(page.nodes[node][0]) if node > 0 else 0
    for node in nodes[:3]:
        parent = page.nodes[node][0]
        children = [n for n in range(1, len(page.nodes)) if page.nodes[n][0] == parent]
        index = page.nodes[node][2]
        alike = sum((page.tag(n), page.cls(n)) == (page.tag(node), page.cls(node))
                    for n in children) if node > 0 else 1
        out += [index / (len(children) if len(children) > index else index + 1),
                log6(len(children)), log6(alike)]
    return out


def numbers(page, i):
    row, owner = page.lines[i], page.lines[i][2]
    if owner < 0:
        return []
    block = page.block(owner)
    out = [1, ratio(row[3], page.chars(i)), ratio(row[4], page.chars(i)), row[5],
           page.depth(block) / 16, (page.depth(owner) - page.depth(block)) / 4]
    out += [tag in (page.tag(owner), page.tag(block)) for tag in TAGS]
    found = [page.semantic(n) for n in page.up(owner)]
    out += [1 / (1 + found.index(s) / 2) if s in found else 0 for s in SEMANTIC]
    out += around_numbers(page, block)
    same = page.same_path(i, True)
    out += path_numbers(page, same) + [ratio(len(same), len(page.lines))]
    out += path_numbers(page, page.same_path(i, False))
    main, dense = page.containers()
    out += container_numbers(page, block, main) + container_numbers(page, block, dense)
    all_found = {page.semantic(n) for n in range(len(page.nodes))}
    out += [s in all_found for s in SEMANTIC[:6]]
    root = page.sums(0)
    out += [root["link"] / (root["text"] + 1), log6(len(page.lines))]
    return [float(x) for x in out + neighbour(page, i, i - 1) + neighbour(page, i, i + 1)]


def main():
    for html in PAGES:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "page.html")
            with open(path, "w", encoding="utf-8") as out:
                out.write(html)
            got = subprocess.run([sys.argv[1], "extract", "-q", path, "-o", "-"], check=True,
                                 stdout=subprocess.PIPE).stdout
        page = Page(json.loads(got))
        rows = [[round(x, 7) for x in numbers(page, i)] for i in range(len(page.lines))]
        print(json.dumps({"html": html, "numbers": rows}, ensure_ascii=False))


if __name__ == "__main__":
    main()
