/* tables.c -- the list of all commands: the command line's help and dispatch, the library's
 * winnow_stage() and its description as JSON read it. */
#include "option/tables.h"

#include <string.h>

/* By what one wants to do, and there in the order of a corpus's way; cli/commands.c has the
 * headings.  clang-format off: a row each, so that two who add one do not meet */
const struct option_table *const OPTION_TABLES[] = {
    &RUN_TABLE,
    &REPORT_TABLE,
    &EXPLAIN_TABLE,
    &VERIFY_TABLE,
    &EXTRACT_TABLE,
    &HOLDOUT_TABLE,
    &COUNT_TABLE,
    &LANGUAGE_TABLE,
    &BLOCKLIST_TABLE,
    &MASK_TABLE,
    &RULES_TABLE,
    &REFINE_TABLE,
    &DEDUP_TABLE,
    &DECONTAMINATE_TABLE,
    &QUALITY_TABLE,
    &SCORE_TABLE,
    &PRUNE_TABLE,
    &FEATURES_TABLE,
    &SELECT_TABLE,
    &DIVERSIFY_TABLE,
    &MIX_TABLE,
    &SYNTHESIZE_TABLE,
    &PROVE_TABLE,
    &TRAIN_TABLE,
    &EVAL_TABLE,
    &CORRECT_TABLE,
    &STUDY_CAUSAL_TABLE,
    &QUALITY_TRAIN_TABLE,
    &QUALITY_JUDGE_TABLE,
    &REFINER_TRAIN_TABLE,
    &REFINER_LINES_TABLE,
    &REFINER_LABEL_TABLE,
    &REFINER_EVAL_TABLE,
    &TOKENIZER_TRAIN_TABLE,
    &TOKENIZER_ENCODE_TABLE,
    &TOKENIZER_DECODE_TABLE,
    NULL,
};
/* clang-format on */

const struct option_table *option_table_find(const char *command)
{
    for (size_t i = 0; OPTION_TABLES[i]; i++) {
        if (strcmp(OPTION_TABLES[i]->command, command) == 0) {
            return OPTION_TABLES[i];
        }
    }
    return NULL;
}
