/* dedup_options.c -- the table of `dedup`. */
#include "winnow/dedup.h"

#include "option/corpus_options.h"
#include "option/tables.h"

static const char *const METHODS[] = {"exact", NULL};

static const struct option OPTIONS[] = {
    OPT_ENUM(0, "method", struct winnow_dedup_options, method, METHODS, "what counts as the same"),
    OPT_FLAG(0, "spaces", struct winnow_dedup_options, spaces,
             "runs of white space count as one space, at the ends as none"),
    OPT_FLAG(0, "fold-case", struct winnow_dedup_options, fold_case, "letters count without case"),
    OPT_END,
};

const struct option_table DEDUP_TABLE = {
    .command = "dedup",
    .summary = "keep one of each: the first in the order of the input",
    .usage = "[options] CORPUS... -o FOLDER",
    .example =
        "  winnow dedup corpus/ -o runs/once                  # the same text, byte for byte\n"
        "  winnow dedup --spaces --fold-case corpus/ -o runs/once\n"
        "  winnow rules corpus/ -o - | winnow dedup - -o runs/once\n"
        "  sqlite3 runs/once/ledger.db \"SELECT id, detail FROM ledger WHERE rule='duplicate'\"\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_DEDUP_OPTIONS_INIT,
    .size = sizeof(struct winnow_dedup_options),
};
