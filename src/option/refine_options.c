#include "option/refine_options.h"

#include "option/corpus_options.h"

static const char *const DIALECTS[] = {"winnow", "refinex", "ultrax", "prox", NULL};

static const struct option OPTIONS[] = {
    OPT_FILE('p', "programs", struct winnow_refine_options, programs,
             "programs written elsewhere: JSON lines of id and program"),
    OPT_ENUM(0, "dialect", struct winnow_refine_options, dialect, DIALECTS,
             "the language that the programs are in"),
    OPT_END,
};

const struct option_table REFINE_TABLE = {
    .command = "refine",
    .summary = "execute each document's own program: drop it, remove lines, mend strings",
    .usage = "--programs FILE [options] CORPUS... -o FOLDER",
    .example = "  # programs.jsonl: {\"id\": \"a\", \"program\": \"remove_lines(0, 2)\"}\n"
               "  winnow refine --programs programs.jsonl corpus/ -o runs/refined\n"
               "  # what a released ProX model wrote, executed as GAIR's code does\n"
               "  winnow refine --dialect prox --programs prox.jsonl.gz corpus/ -o runs/prox\n"
               "  winnow explain runs/refined a       # each call, accepted or rejected and why\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_REFINE_OPTIONS_INIT,
    .size = sizeof(struct winnow_refine_options),
};
