#include "cli/commands.h"

#include "option/count_options.h"
#include "option/dedup_options.h"
#include "option/eval_options.h"
#include "option/extract_options.h"
#include "option/holdout_options.h"
#include "option/prove_options.h"
#include "option/prune_options.h"
#include "option/refine_options.h"
#include "option/refiner_label_options.h"
#include "option/refiner_lines_options.h"
#include "option/refiner_options.h"
#include "option/report_options.h"
#include "option/rules_options.h"
#include "option/run_options.h"
#include "option/score_options.h"
#include "option/tokenizer_options.h"
#include "option/train_options.h"

/* By what one wants to do, and there in the order of a corpus's way. */
const struct cmd COMMANDS[] = {
    {&RUN_TABLE, cmd_run, "run a recipe and look at what came out"},
    {&REPORT_TABLE, cmd_report, NULL},
    {&EXPLAIN_TABLE, cmd_explain, NULL},
    {&VERIFY_TABLE, cmd_verify, NULL},

    {&EXTRACT_TABLE, cmd_extract, "get documents"},
    {&HOLDOUT_TABLE, cmd_holdout, NULL},
    {&COUNT_TABLE, cmd_count, NULL},

    {&RULES_TABLE, cmd_rules, "clean and choose them"},
    {&REFINE_TABLE, cmd_refine, NULL},
    {&DEDUP_TABLE, cmd_dedup, NULL},
    {&SCORE_TABLE, cmd_score, NULL},
    {&PRUNE_TABLE, cmd_prune, NULL},

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
