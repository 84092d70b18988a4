#!/usr/bin/env python3
"""Curves of the line model from line_scores' output.

    refiner_curves.py PAGES.jsonl SCORES.jsonl      precision and recall by limit; calibration
    refiner_curves.py --lines DOCUMENTS.jsonl OUT   documents as pages of lines
    refiner_curves.py --quality QUALITY.jsonl SCORES.jsonl PAGES.jsonl PAGE-SCORES.jsonl
                                                    document scores against human votes, and
                                                    what the same limits do to labelled pages
"""
import json
import sys


def read(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def curves(pages, scores):
    pairs = []
    for page in pages:
        for line, label, p in zip(page["lines"], page["label"], scores[page["id"]]):
            if label in (0, 1):
                pairs.append((p if p is not None else 0.0, label, len(line)))
    print("| limit | precision | recall | kept F1 | gold characters lost |\n| --- | --- | --- | --- | --- |")
    for limit in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        right = sum(y for p, y, _ in pairs if p >= limit)
        kept = sum(p >= limit for p, _, _ in pairs)
        gold = sum(y for _, y, _ in pairs)
        lost = sum(n for p, y, n in pairs if y and p < limit) / sum(n for _, y, n in pairs if y)
        precision, recall = right / kept, right / gold
        f1 = 2 * precision * recall / (precision + recall)
        print(f"| {limit} | {precision:.3f} | {recall:.3f} | {f1:.3f} | {lost:.3f} |")
    print("\n| predicted | lines | mean predicted | share kept |\n| --- | --- | --- | --- |")
    error = 0
    for low in range(10):
        cell = [(p, y) for p, y, _ in pairs if low / 10 <= p < (low + 1) / 10 or (low == 9 and p == 1)]
        if cell:
            mean, share = sum(p for p, _ in cell) / len(cell), sum(y for _, y in cell) / len(cell)
            error += abs(mean - share) * len(cell) / len(pairs)
            print(f"| {low / 10:.1f}..{low / 10 + 0.1:.1f} | {len(cell)} | {mean:.3f} | {share:.3f} |")
    print(f"\nexpected calibration error {error:.3f} over {len(pairs)} lines")


def auc(values):
    good, bad = [v for v, y in values if y], [v for v, y in values if not y]
    wins = sum((g > b) + 0.5 * (g == b) for g in good for b in bad)
    return wins / (len(good) * len(bad))


def document_score(lines, scores):
    """As --drop-below has it: the mean of the lines' scores, by bytes."""
    judged = [(p, len(line.encode())) for p, line in zip(scores, lines) if p is not None]
    size = sum(n for _, n in judged)
    return sum(p * n for p, n in judged) / size if size else 1.0


def quality(documents, scores, pages, page_scores):
    values = [(document_score(d["text"].split("\n"), scores[d["id"]]), d["label"]) for d in documents]
    bad = sum(not y for _, y in values)
    print(f"{len(values)} documents, {bad} bad: area under the curve of the document score {auc(values):.3f}\n")
    articles = [document_score(p["lines"], page_scores[p["id"]]) for p in pages if p["type"] == "article"]
    print("| limit | dropped | of these bad | of the bad dropped | F1 of dropping | F1 at random | WCXB articles dropped |\n"
          "| --- | --- | --- | --- | --- | --- | --- |")
    for limit in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        dropped = [y for v, y in values if v < limit]
        right, lost = sum(not y for y in dropped), sum(a < limit for a in articles) / len(articles)
        chance = 2 * len(dropped) * bad / len(values) / (len(dropped) + bad)
        print(f"| {limit} | {len(dropped)} | {right / len(dropped):.3f} | {right / bad:.3f} | "
              f"{2 * right / (len(dropped) + bad):.3f} | {chance:.3f} | {lost:.3f} |")


if __name__ == "__main__":
    if sys.argv[1] == "--lines":
        with open(sys.argv[3], "w", encoding="utf-8") as out:
            for d in read(sys.argv[2]):
                out.write(json.dumps({"id": d["id"], "lines": d["text"].split("\n")}) + "\n")
        sys.exit()
    if sys.argv[1] == "--quality":
        by_id = [{s["id"]: s["scores"] for s in read(path)} for path in (sys.argv[3], sys.argv[5])]
        quality(read(sys.argv[2]), by_id[0], read(sys.argv[4]), by_id[1])
    else:
        curves(read(sys.argv[1]), {s["id"]: s["scores"] for s in read(sys.argv[2])})
