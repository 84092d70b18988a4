/* commands.c -- the list of all commands; help, dispatch and "did you mean" read it. */
#include "cli/commands.h"

#include "option/tables.h"

/* By what one wants to do, and there in the order of a corpus's way. */
const struct cmd COMMANDS[] = {
    {&RUN_TABLE, cmd_run, "run a recipe and look at what came out"},
    {&REPORT_TABLE, cmd_report, NULL},
    {&EXPLAIN_TABLE, cmd_explain, NULL},
    {&VERIFY_TABLE, cmd_verify, NULL},

    {&EXTRACT_TABLE, NULL, "get documents"},
    {&HOLDOUT_TABLE, NULL, NULL},
    {&COUNT_TABLE, cmd_count, NULL},

    {&RULES_TABLE, NULL, "clean and choose them"},
    {&REFINE_TABLE, NULL, NULL},
    {&DEDUP_TABLE, NULL, NULL},
    {&SCORE_TABLE, NULL, NULL},
    {&PRUNE_TABLE, NULL, NULL},
    {&FEATURES_TABLE, cmd_features, NULL},
    {&SELECT_TABLE, NULL, NULL},

    {&PROVE_TABLE, cmd_prove, "train and measure models"},
    {&TRAIN_TABLE, cmd_train, NULL},
    {&EVAL_TABLE, cmd_eval, NULL},

    {&REFINER_TRAIN_TABLE, cmd_refiner_train, "make a refiner of one's own"},
    {&REFINER_LINES_TABLE, cmd_refiner_lines, NULL},
    {&REFINER_LABEL_TABLE, cmd_refiner_label, NULL},
    {&REFINER_EVAL_TABLE, cmd_refiner_eval, NULL},

    {&TOKENIZER_TRAIN_TABLE, cmd_tokenizer_train, "make tokens"},
    {&TOKENIZER_ENCODE_TABLE, cmd_tokenizer_encode, NULL},
    {&TOKENIZER_DECODE_TABLE, cmd_tokenizer_decode, NULL},
    {NULL, NULL, NULL},
};
