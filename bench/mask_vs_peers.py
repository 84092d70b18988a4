#!/usr/bin/env python3
"""`winnow mask` beside datatrove's and dolma's definitions of personal data, on the same texts.

    python3 -m venv venv && venv/bin/pip install datatrove==0.10.1 zstandard
    venv/bin/pip download --no-deps dolma==1.2.1           # only its expressions are read, from the wheel
    venv/bin/python bench/mask_vs_peers.py build/release/winnow FILE.jsonl.zst... [--dolma dolma-1.2.1-*.whl] [--show N]

Spans are compared by the bytes that they cover: two agree where one lies within the other but for white space and
stops around it (dolma's take these in).  Speed: processor seconds of one thread; ours with reading and writing the run.
"""
import argparse, ast, collections, glob, io, ipaddress, json, os, re, resource, subprocess, tempfile, time, zipfile

import zstandard
from datatrove.pipeline.formatters.pii import PIIFormatter


def texts(paths):
    for path in paths:
        with open(path, "rb") as f:
            for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(f), encoding="utf-8"):
                d = json.loads(line)
                yield d["text"] if "text" in d else "\n".join(d["lines"])


def dolma_expressions(wheel):
    """The class attributes of FastPiiRegex, without importing dolma (which wants half a hundred packages)."""
    tree = ast.parse(zipfile.ZipFile(wheel).read("dolma/taggers/pii.py"))
    cls = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "FastPiiRegex")
    values = {n.targets[0].id: ast.literal_eval(n.value) for n in cls.body if isinstance(n, ast.Assign)}
    return {k: re.compile(values[f"{k.upper()}_REGEX"]) for k in ("email", "phone", "ip", "url")}


def dolma_spans(e, text):
    for m in e["email"].finditer(text):
        addressee, domain = m.group(1).split("@", 1)
        if addressee.strip() != "(" and "." in domain:
            yield "email", m.start(1), m.end(1)
    for m in e["phone"].finditer(text):
        yield "phone", m.start(), m.end()
    for m in e["ip"].finditer(text):
        if not e["url"].search(m.group(0)):
            yield "ip", m.start(), m.end()


def datatrove_spans(f, text):
    for m in f.emails_replacer.regex.finditer(text):
        yield "email", m.start(), m.end()
    for m in f.ip_replacer.regex.finditer(text):
        if f.ip_replacer.validator(m.group(0)):
            yield "ip", m.start(), m.end()


def ours(winnow, path, *more):
    with tempfile.TemporaryDirectory() as tmp:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([winnow, "mask", "-q", "-t", "1", *more, path, "-o", tmp + "/run"], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spans = []
        with open(tmp + "/run/stages/01-mask/attributes/mask/" + os.path.basename(path)) as f:
            for line in f:
                spans.append([(k[6:], a, b) for k, v in json.loads(line)["attributes"].items() for a, b, _ in v])
    return spans, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def trimmed(text, span):
    kind, a, b = span
    while a < b and not text[a].isalnum() and text[a] not in "+(":
        a += 1
    while b > a and not text[b - 1].isalnum() and text[b - 1] != "]":
        b -= 1
    return kind, a, b


def within(s, spans):
    return any(k == s[0] and (a <= s[1] and s[2] <= b or s[1] <= a and b <= s[2]) for k, a, b in spans)


def compare(name, kinds, all_texts, us, them, show):
    both, only_us, only_them, seen = (collections.Counter() for _ in range(4))
    shown = collections.defaultdict(list)
    for text, a, b in zip(all_texts, us, them):
        a = [trimmed(text, s) for s in a]
        b = [trimmed(text, s) for s in b]
        for s in a:
            if within(s, b):
                both[s[0]] += 1
            else:
                only_us[s[0]] += 1
                shown["ours", s[0]].append(text[max(0, s[1] - 12):s[2] + 8])
        for s in b:
            if not within(s, a):
                only_them[s[0]] += 1
                shown["theirs", s[0]].append(text[max(0, s[1] - 12):s[2] + 8])
    for k in kinds:
        print(f"| {name} | {k} | {both[k]} | {only_us[k]} | {only_them[k]} |")
    for (who, kind), examples in shown.items():
        if kind in kinds:
            for e in examples[::max(1, len(examples) // show)][:show] if show else []:
                print(f"    {who} {kind}: {e!r}")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("winnow")
    p.add_argument("files", nargs="+")
    p.add_argument("--dolma")
    p.add_argument("--show", type=int, default=0)
    args = p.parse_args()
    all_texts = list(texts(args.files))
    size = sum(len(t.encode()) for t in all_texts)
    print(f"{len(all_texts)} texts, {size / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as tmp:
        path = tmp + "/c.jsonl"
        with open(path, "w") as f:
            f.writelines(json.dumps({"id": str(i), "text": t}, ensure_ascii=False) + "\n" for i, t in enumerate(all_texts))
        us, seconds = min((ours(os.path.abspath(args.winnow), path) for _ in range(3)), key=lambda x: x[1])
        _, all_kinds = min((ours(os.path.abspath(args.winnow), path, "--kinds", "email,phone,card,ip,url") for _ in range(3)), key=lambda x: x[1])
    found = collections.Counter(k for s in us for k, _, _ in s)
    print("winnow finds", dict(found))
    print("| beside | kind | both | winnow alone | the other alone |\n| --- | --- | --- | --- | --- |")
    formatter = PIIFormatter()
    compare("datatrove", ("email", "ip"), all_texts, us, [list(datatrove_spans(formatter, t)) for t in all_texts], args.show)
    start = time.process_time()
    for t in all_texts:
        formatter.format(t)
    speed = {"datatrove": time.process_time() - start}
    if args.dolma:
        e = dolma_expressions(args.dolma)
        start = time.process_time()
        theirs = [list(dolma_spans(e, t)) for t in all_texts]
        speed["dolma's expressions"] = time.process_time() - start
        compare("dolma", ("email", "phone", "ip"), all_texts, us, theirs, args.show)
    speed |= {"winnow, four kinds": seconds, "winnow, and web addresses": all_kinds}
    for who, s in speed.items():
        print(f"{who}: {size / 1e6 / s:.1f} MB/s")


if __name__ == "__main__":
    main()
