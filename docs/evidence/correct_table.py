#!/usr/bin/env python3
"""Tables of what correct.sh has done: correct_table.py STATE."""
import glob
import json
import os
import sys


def rows(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


def recall_at(folder, recall):
    """Of the 40 planted documents, the share among the first 40, 80, 200 and 400 of 2,000."""
    planted = {row["id"] for row in rows(f"{folder}/corpus.jsonl") if row["planted"]}
    listed = rows(f"{folder}/recall-{recall}/influence.jsonl")
    found = [row["id"] in planted for row in listed]
    return [sum(found[: k * len(planted)]) / len(planted) for k in (1, 2, 5, 10)], listed[0]["height"]


def main():
    folders = sorted(glob.glob(f"{sys.argv[1]}/seed-*"))
    print("| seed | loss of the behaviour | recall | of the planted documents among the first 40 | 80 | 200 | 400 | first lies, in spreads |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for folder in folders:
        for recall in "ekfac", "gradient", "tfidf":
            if os.path.exists(f"{folder}/recall-{recall}/influence.jsonl"):
                shares, height = recall_at(folder, recall)
                learnt = rows(f"{folder}/before.json")[0]["unwanted"]
                print(f"| {folder.rsplit('-', 1)[1]} | {learnt:.2f} | {recall} | {' | '.join(f'{s:.2f}' for s in shares)} | {height:.1f} |")
    print("\n| seed | correction | loss of the behaviour | of neutral text | change |\n| --- | --- | --- | --- | --- |")
    for folder in folders:
        if not os.path.exists(f"{folder}/before.json"):
            continue
        before = rows(f"{folder}/before.json")[0]
        print(f"| {folder.rsplit('-', 1)[1]} | none | {before['unwanted']:.3f} | {before['neutral']:.4f} | |")
        for how in "rank", "ascent", "tune", "default":
            if os.path.exists(f"{folder}/after-{how}.json"):
                r = rows(f"{folder}/after-{how}.json")[0]
                change = 100 * (r["neutral"] / before["neutral"] - 1)
                print(f"| | {how} | {r['unwanted']:.3f} | {r['neutral']:.4f} | {change:+.2f} % |")


main()
