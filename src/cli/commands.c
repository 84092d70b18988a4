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

/* In the order of a corpus's way, as `winnow help` shows them. */
const struct cmd COMMANDS[] = {
    {&RUN_TABLE, cmd_run},
    {&EXTRACT_TABLE, cmd_extract},
    {&HOLDOUT_TABLE, cmd_holdout},
    {&RULES_TABLE, cmd_rules},
    {&REFINE_TABLE, cmd_refine},
    {&DEDUP_TABLE, cmd_dedup},
    {&SCORE_TABLE, cmd_score},
    {&PRUNE_TABLE, cmd_prune},
    {&TRAIN_TABLE, cmd_train},
    {&EVAL_TABLE, cmd_eval},
    {&PROVE_TABLE, cmd_prove},
    {&REFINER_TRAIN_TABLE, cmd_refiner_train},
    {&REFINER_LINES_TABLE, cmd_refiner_lines},
    {&REFINER_LABEL_TABLE, cmd_refiner_label},
    {&REFINER_EVAL_TABLE, cmd_refiner_eval},
    {&TOKENIZER_TRAIN_TABLE, cmd_tokenizer_train},
    {&TOKENIZER_ENCODE_TABLE, cmd_tokenizer_encode},
    {&TOKENIZER_DECODE_TABLE, cmd_tokenizer_decode},
    {&COUNT_TABLE, cmd_count},
    {&EXPLAIN_TABLE, cmd_explain},
    {&VERIFY_TABLE, cmd_verify},
    {&REPORT_TABLE, cmd_report},
    {NULL, NULL},
};
