/* holdout_options.c -- the table of `holdout`. */
#include "winnow/prune.h"

#include "option/corpus_options.h"
#include "option/tables.h"

static const struct option OPTIONS[] = {
    OPT_SHARE(0, "share", struct winnow_holdout_options, share, 0, 0.9,
              "documents set aside, by hash of their text"),
    OPT_FLAG(0, "main", struct winnow_holdout_options, main,
             "of a page set aside only what extract --main ... --mark-main marked; pages without "
             "it stay"),
    OPT_END,
};

const struct option_table HOLDOUT_TABLE = {
    .command = "holdout",
    .summary = "set documents aside to measure with, before anything else has seen them",
    .usage = "[options] CORPUS... -o FOLDER",
    .example = "  winnow holdout corpus/ -o runs/split               # 5 % go to aside/\n"
               "  winnow holdout --share 10% corpus/ -o runs/split\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_HOLDOUT_OPTIONS_INIT,
    .size = sizeof(struct winnow_holdout_options),
};
