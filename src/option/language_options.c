/* language_options.c -- the table of `language`. */
#include "winnow/language.h"

#include "option/corpus_options.h"
#include "option/tables.h"

#define T struct winnow_language_options

static const struct option OPTIONS[] = {
    OPT_FILE(0, "model", T, model, "a fastText model of languages (lid.176.bin); default: CLD2"),
    OPT_LIST(0, "keep", T, keep, "CODE,...", "languages whose documents stay (default: all)"),
    OPT_SHARE(0, "score-min", T, score_min, 0, 1, "documents whose language has less go"),
    OPT_FLAG(0, "reliable", T, reliable, "documents that CLD2 is not sure of go"),
    OPT_FLAG(0, "annotate", T, annotate, "write codes and scores to attributes/language/"),
    OPT_FLAG(0, "lines", T, lines, "and those of each line"),
    OPT_END,
};

const struct option_table LANGUAGE_TABLE = {
    .command = "language",
    .summary = "say what language each document is in, and keep those that are wanted",
    .usage = "[options] CORPUS... -o FOLDER",
    .example =
        "  winnow language corpus/ -o runs/seen                  # noted only; shares are in "
        "stats.json\n"
        "  winnow language --keep en --score-min 0.65 corpus/ -o runs/english\n"
        "  winnow language --model lid.176.bin --keep de,fr corpus/ -o -\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_LANGUAGE_OPTIONS_INIT,
    .size = sizeof(T),
};
