#!/usr/bin/env python3
"""refiner_lora_table.py NAME...: what NAME.json (winnow refiner eval) say, as a table."""
import json
import sys


def number(value):
    if value is None:
        return ""
    return f"{value:.3f}".lstrip("0") if value < 1 else f"{value:.1f}"


def cell(scores, key):
    value, low, high = scores[key]
    interval = "" if low is None or low == high else f" [{number(low)}, {number(high)}]"
    return number(value) + interval


COLUMNS = {
    "kept_line_f1": "kept-line F1",
    "kept_line_f1_page": "by page",
    "removed_line_f1": "removed-line F1",
    "removed_line_f1_page": "by page",
    "char_f1": "character F1",
    "gold_chars_lost": "gold characters lost",
    "documents_dropped": "emptied",
    "tokens_removed": "tokens removed",
    "calls_per_program": "calls a program",
}
CALLS = ["calls_ill_formed", "calls_rejected", "calls_silent"]
print("| |", " | ".join(COLUMNS.values()), "| ill-formed, rejected, silent |")
print("|" + " --- |" * (len(COLUMNS) + 2))
for name in sys.argv[1:]:
    with open(f"{name}.json", encoding="utf-8") as f:
        scores = json.load(f)["groups"][0]["scores"]
    cells = [cell(scores, key) for key in COLUMNS]
    calls = ", ".join(number(scores[key][0]) for key in CALLS)
    print("|", name, "|", " | ".join(cells), "|", calls, "|")
