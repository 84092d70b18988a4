#!/usr/bin/env python3
"""Compares winnow's rules with datatrove's own filters, page by page.

    python3 -m venv venv && venv/bin/pip install datatrove==0.10.1 spacy nltk zstandard
    venv/bin/python bench/rules_vs_datatrove.py --dump build/release/rules_dump DATA

DATA is the folder with noisy/crawl.jsonl.zst and pages/wcxb_dev.jsonl.zst, of which 1,000 pages each are
taken (every ninth of the crawl, the first of the others).

Two rounds.  First both as they come: which pages does each keep, and for what reason do they leave?  Then
datatrove's filters with our words and sentences in the place of spaCy's: whatever still differs is no matter
of the splitter.  In that round every measured value is compared too, computed by datatrove's helpers.
"""
import argparse
import collections
import io
import itertools
import json
import math
import os
import subprocess
import tempfile
import time

import numpy as np
import zstandard
from datatrove.data import Document
from datatrove.pipeline.filters import c4_filters, fineweb_quality_filter, gopher_quality_filter
from datatrove.pipeline.filters import gopher_repetition_filter as repetition
from datatrove.utils import text as dt_text

FILTERS = {
    "gopher": gopher_quality_filter.GopherQualityFilter,
    "gopher-repetition": repetition.GopherRepetitionFilter,
    "c4": c4_filters.C4QualityFilter,
    "fineweb": fineweb_quality_filter.FineWebQualityFilter,
}
# What datatrove calls our reasons.
REASONS = {
    "gopher.words_min": "gopher_short_doc",
    "gopher.words_max": "gopher_long_doc",
    "gopher.word_length_min": "gopher_below_avg_threshold",
    "gopher.word_length_max": "gopher_above_avg_threshold",
    "gopher.hash_ratio_max": "gopher_too_many_hashes",
    "gopher.ellipsis_ratio_max": "gopher_too_many_ellipsis",
    "gopher.bullet_lines_max": "gopher_too_many_bullets",
    "gopher.ellipsis_lines_max": "gopher_too_many_end_ellipsis",
    "gopher.alpha_words_min": "gopher_below_alpha_threshold",
    "gopher.stop_words_min": "gopher_enough_stop_words",
    "gopher-repetition.chars_min": "empty",
    "gopher-repetition.paragraphs_max": "dup_para_frac",
    "gopher-repetition.paragraph_chars_max": "dup_para_char_frac",
    "gopher-repetition.lines_max": "dup_line_frac",
    "gopher-repetition.line_chars_max": "dup_line_char_frac",
    "c4.lorem_ipsum_max": "lorem_ipsum",
    "c4.curly_bracket_max": "curly_bracket",
    "c4.sentences_min": "too_few_sentences",
    "fineweb.lines_min": "empty",
    "fineweb.terminal_lines_min": "line_punct_ratio",
    "fineweb.short_lines_max": "short_line_ratio",
    "fineweb.dup_line_chars_max": "char_dup_ratio",
    "fineweb.newlines_max": "list_ratio",
}
REASONS.update({f"gopher-repetition.top_{n}_gram_max": f"top_{n}_gram" for n in (2, 3, 4)})
REASONS.update({f"gopher-repetition.dup_{n}_gram_max": f"duplicated_{n}_n_grams" for n in range(5, 11)})


def read(path):
    with open(path, "rb") as f:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(f), encoding="utf-8"):
            yield json.loads(line)


def pages(folder):
    crawl = itertools.islice(read(os.path.join(folder, "noisy/crawl.jsonl.zst")), 0, 9000, 9)
    wcxb = itertools.islice(read(os.path.join(folder, "pages/wcxb_dev.jsonl.zst")), 1000)
    for d in itertools.chain(crawl, wcxb):
        text = d["text"] if "text" in d else "\n".join(d["lines"])
        yield {"id": str(d["id"]), "text": text}


def dump(program, docs):
    with tempfile.TemporaryFile() as f:
        for d in docs:
            f.write((json.dumps(d, ensure_ascii=False) + "\n").encode())
        f.seek(0)
        out = subprocess.run([program], stdin=f, capture_output=True, check=True).stdout
        speeds = {}
        for name in list(FILTERS) + ["all"]:
            f.seek(0)
            line = subprocess.run([program, "-s", name], stdin=f, capture_output=True, check=True).stdout
            speeds[name] = line.decode().split(",")[-1].strip()
    return [json.loads(line) for line in out.splitlines()], speeds


def judge(docs):
    """{filter: [(reason or "", text left)]}, {filter: seconds}"""
    outcomes, seconds = {}, {}
    for name, kind in FILTERS.items():
        f = kind()
        outcomes[name] = []
        start = time.process_time()
        for d in docs:
            doc = Document(text=d["text"], id=d["id"])
            dt_text.split_into_parts.cache_clear()  # each filter pays for its own words
            try:
                result = f.filter(doc)
            except ZeroDivisionError:
                result = False, "ZeroDivisionError"
            reason = "" if result is True else result[1]
            outcomes[name].append((reason, doc.text))
        seconds[name] = time.process_time() - start
    return outcomes, seconds


def compare(title, ours, theirs, docs, show):
    print(f"\n{title}\n| filter | pages kept (datatrove) | kept (winnow) | same outcome | same reason | C4 texts the same |")
    print("| --- | --- | --- | --- | --- | --- |")
    different = {}
    for name in FILTERS:
        kept_ours = kept_theirs = same = reason = texts = both = 0
        pairs = collections.Counter()
        for a, (b, text), d in zip(ours, theirs[name], docs):
            mine = a["verdicts"][name]
            kept_ours += not mine
            kept_theirs += not b
            same += (not mine) == (not b)
            agree = (REASONS[mine] if mine else "") == b
            reason += agree
            if not agree:
                pairs[(b or "kept", REASONS[mine] if mine else "kept")] += 1
            if name == "c4" and not mine and not b:
                both += 1
                texts += a["c4_text"] == text
        n = len(docs)
        different[name] = pairs
        note = f"{texts} of {both}" if name == "c4" else ""
        print(f"| {name} | {kept_theirs} | {kept_ours} | {100 * same / n:.2f} % | {100 * reason / n:.2f} % | {note} |")
    for name, pairs in different.items():
        for (b, a), count in pairs.most_common(show):
            print(f"    {name}: datatrove {b}, winnow {a}: {count}")


def share(part, whole):
    return part / whole if whole else math.nan


def values_of(text, words):
    """Every value by datatrove's own helpers, with the definitions of its filters."""
    f = FILTERS["gopher-repetition"]()
    plain = [w for w in words if any(ch not in dt_text.PUNCTUATION_SET for ch in w)]
    lines = text.splitlines()
    stops = set(gopher_quality_filter.STOP_WORDS)
    v = {
        "gopher__words": len(plain),
        "gopher__word_length": float(np.mean([len(w) for w in plain])) if plain else math.nan,
        "gopher__hash_ratio": share(text.count("#"), len(words)),
        "gopher__ellipsis_ratio": share(text.count("...") + text.count("…"), len(words)),
        "gopher__bullet_lines": share(sum(s.lstrip().startswith(("•", "-")) for s in lines), len(lines)),
        "gopher__ellipsis_lines": share(sum(s.rstrip().endswith(("...", "…")) for s in lines), len(lines)),
        "gopher__alpha_words": share(sum(any(c.isalpha() for c in w) for w in words), len(words)),
        "gopher__stop_words": len(stops & set(words)),
        "gopher_repetition__chars": len(text),
    }
    paragraphs = f.paragraph_exp.split(text.strip())
    pieces = f._line_splitter.split(text)
    for key, items in (("paragraph", paragraphs), ("line", pieces)):
        count, chars = repetition.find_duplicates(items)
        v[f"gopher_repetition__{key}s"] = count / len(items) if text else 0
        v[f"gopher_repetition__{key}_chars"] = chars / len(text) if text else 0
    for n in (2, 3, 4):
        grams = repetition.get_n_grams(words, n)
        v[f"gopher_repetition__top_{n}_gram"] = repetition.find_top_duplicate(grams) / len(text) if grams else 0
    for n in range(5, 11):
        v[f"gopher_repetition__dup_{n}_gram"] = repetition.find_all_duplicate(words, n) / len(text) if text else 0
    full = [line for line in text.split("\n") if line.strip()]
    v["fineweb__lines"] = len(full)
    v["fineweb__terminal_lines"] = share(sum(s.endswith(tuple(dt_text.TERMINAL_PUNCTUATION)) for s in full), len(full))
    v["fineweb__short_lines"] = share(sum(len(s) <= 30 for s in full), len(full))
    v["fineweb__dup_line_chars"] = (
        repetition.find_duplicates(full)[1] / len(text.replace("\n", "")) if full else math.nan
    )
    v["fineweb__newlines"] = share(text.count("\n"), len(words))
    return v


def repeated_word_sequences(text, words, n):
    """find_all_duplicate() with n-grams compared word by word, not by their letters in a row: "a bc" is not "ab c"."""
    seen, chars, at = set(), 0, 0
    while at < len(words) - n + 1:
        gram = tuple(words[at : at + n])
        if gram in seen:
            chars += len("".join(gram))
            at += n
        else:
            seen.add(gram)
            at += 1
    return chars / len(text)


def compare_values(ours, docs):
    wrong, cuts = collections.Counter(), collections.Counter()
    compared = 0
    for a, d in zip(ours, docs):
        for key, want in values_of(d["text"], a["words"]).items():
            got = a["values"][key]
            got = math.nan if got is None else got
            compared += 1
            if got != want and "__dup_" in key and key.endswith("_gram"):
                n = int(key.split("_")[-2])
                if got == repeated_word_sequences(d["text"], a["words"], n):
                    cuts[key] += 1
                    continue
            if not (got == want or (math.isnan(got) and math.isnan(want)) or abs(got - want) <= 1e-12 * abs(want)):
                if wrong[key] == 0:
                    print(f"    first difference of {key}: {d['id']}: {got} against {want}")
                wrong[key] += 1
    print(f"\nvalues with the same words: {compared} compared, {sum(wrong.values())} different {dict(wrong)}")
    print(f"    besides, different since datatrove joins the words of an n-gram without a mark: {dict(cuts)}")


def feed_our_splits(ours, docs):
    words = {d["text"]: a["words"] for a, d in zip(ours, docs)}
    sentences = {}
    for a in ours:
        for line, n in zip(a["c4_text"].splitlines(), a["c4_sentences"]):
            sentences[line.strip()] = n
    for module in (gopher_quality_filter, repetition, fineweb_quality_filter):
        module.split_into_words = lambda text, language: words[text]
    c4_filters.split_into_sentences = lambda line, language: [None] * sentences[line.strip()]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--dump", default="build/release/rules_dump")
    p.add_argument("--show", type=int, default=6, help="kinds of difference shown a filter")
    p.add_argument("data")
    args = p.parse_args()
    docs = list(pages(args.data))
    megabytes = sum(len(d["text"].encode()) for d in docs) / 1e6
    print(f"{len(docs)} pages, {megabytes:.1f} MB of text")
    ours, speeds = dump(args.dump, docs)
    theirs, seconds = judge(docs)
    compare("As they come:", ours, theirs, docs, args.show)
    feed_our_splits(ours, docs)
    again, _ = judge(docs)
    compare("datatrove's filters fed with winnow's words and sentences:", ours, again, docs, args.show)
    compare_values(ours, docs)
    print("\n| filter (MB of text a processor second) | winnow | datatrove |\n| --- | --- | --- |")
    for name in FILTERS:
        print(f"| {name} | {speeds[name]} | {megabytes / seconds[name]:.2f} MB/s |")
    print(f"| all four | {speeds['all']} | {megabytes / sum(seconds.values()):.2f} MB/s (each splits words anew) |")


if __name__ == "__main__":
    main()
