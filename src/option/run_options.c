/* run_options.c -- the tables of `run`, `verify` and `explain`. */
#include "winnow/run.h"

#include "option/tables.h"

static const struct option RUN_OPTIONS[] = {
    OPT_OUTPUT(struct winnow_run_options, output, "FOLDER", "run folder, instead of the recipe's"),
    OPT_COUNT(0, "limit", struct winnow_run_options, limit, 0, 1e18,
              "read the first N documents only; 0: as the recipe says"),
    OPT_FLAG(0, "dry-run", struct winnow_run_options, dry_run,
             "estimate time, memory, disk and what is kept from a sample"),
    OPT_HOW(OPTION_REAL, "checkpoint", struct winnow_run_options, checkpoint, -1, 3600, "X",
            "seconds between two checkpoints; below 0: as the recipe says"),
    OPT_END,
};

const struct option_table RUN_TABLE = {
    .command = "run",
    .summary = "the whole flow of a recipe, resumable; ends with the report",
    .usage = "[options] RECIPE.yaml",
    .example = "  winnow run recipes/debian-docs.yaml          # again after a kill: goes on where "
               "it stood\n"
               "  winnow run --dry-run recipes/debian-docs.yaml\n"
               "  sed s/7/8/ my.yaml | winnow run - -o runs/other\n"
               "  winnow run --limit 1000 -o runs/try recipes/debian-docs.yaml\n",
    .options = RUN_OPTIONS,
    .defaults = &WINNOW_RUN_OPTIONS_INIT,
    .size = sizeof(struct winnow_run_options),
};

struct no_options {
    bool unused;
};

static const struct option NO_OPTIONS[] = {
    OPT_END,
};

static const struct no_options NO_DEFAULTS = {false};

const struct option_table VERIFY_TABLE = {
    .command = "verify",
    .summary = "check counts, hashes, alignment and disjointness of a finished run",
    .usage = "RUN",
    .example = "  winnow verify runs/debian-docs\n",
    .options = NO_OPTIONS,
    .defaults = &NO_DEFAULTS,
    .size = sizeof NO_DEFAULTS,
};

static const struct option EXPLAIN_OPTIONS[] = {
    OPT_FLAG(0, "json", struct winnow_explain_options, json, "one JSON object a line"),
    OPT_FLAG(0, "no-text", struct winnow_explain_options, no_text,
             "leave out the text and the differences"),
    OPT_END,
};

const struct option_table EXPLAIN_TABLE = {
    .command = "explain",
    .summary = "everything that happened to one document, with a diff",
    .usage = "[options] RUN ID",
    .example = "  winnow explain runs/debian-docs git-doc/howto/rebase.html\n"
               "  winnow explain --json runs/debian-docs ID | jq .verdict\n",
    .options = EXPLAIN_OPTIONS,
    .defaults = &WINNOW_EXPLAIN_OPTIONS_INIT,
    .size = sizeof(struct winnow_explain_options),
};
