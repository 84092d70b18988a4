#include "option/refiner_options.h"

static const char *const DIALECTS[] = {"winnow", "refinex", "ultrax", "prox", NULL};

#define E struct winnow_refiner_eval_options

static const struct option EVAL[] = {
    OPT_FILE('p', "programs", E, programs, "what came out: JSON lines of id and program"),
    OPT_LIST(0, "cleaned", E, cleaned, "CORPUS,...",
             "what came out: documents with the ids of the pages, from any tool"),
    OPT_ENUM(0, "dialect", E, dialect, DIALECTS, "the language that the programs are in"),
    OPT_TEXT(0, "name", E, name, "TEXT", "what is measured, for table and results"),
    OPT_TEXT(0, "by", E, by, "KEY", "scores for each value of this key, too"),
    OPT_TEXT(0, "tokenizer", E, tokenizer, "PATH",
             "count tokens with it (default: words and signs)"),
    OPT_U32(0, "bootstrap", E, bootstrap, 0, 100000, "draws of pages for the intervals; 0: none"),
    OPT_COUNT(0, "limit", E, limit, 0, 1e12, "read the first N pages; 0: all"),
    OPT_TEXT('o', "output", E, output, "FILE", "results as JSON (default: on standard output)"),
    OPT_END,
};

const struct option_table REFINER_EVAL_TABLE = {
    .command = "refiner eval",
    .summary = "measure what a refiner, or any other tool, made of labelled pages",
    .usage = "[options] PAGES... [--programs FILE | --cleaned CORPUS]",
    .example =
        "  # pages.jsonl: {\"id\", \"lines\" or \"text\", \"gold\" and/or \"label\", \"type\"}\n"
        "  winnow refiner eval pages.jsonl -o keep-all.json          # nothing removed\n"
        "  winnow refiner eval pages.jsonl --programs programs.jsonl -o scores.json\n"
        "  winnow refiner eval pages.jsonl --cleaned jusText.jsonl --name jusText\n",
    .options = EVAL,
    .defaults = &WINNOW_REFINER_EVAL_OPTIONS_INIT,
    .size = sizeof(E),
};
