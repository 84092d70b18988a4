/* tables.h -- the table of every command, and names that several of them take.
 *
 * A table is over the options struct of its command's public header and lies in
 * option/<command>_options.c. */
#ifndef WINNOW_OPTION_TABLES_H
#define WINNOW_OPTION_TABLES_H

#include "option/option.h"

extern const struct option_table RUN_TABLE, REPORT_TABLE, EXPLAIN_TABLE, VERIFY_TABLE;
extern const struct option_table EXTRACT_TABLE, HOLDOUT_TABLE, COUNT_TABLE;
extern const struct option_table RULES_TABLE, REFINE_TABLE, DEDUP_TABLE, SCORE_TABLE, PRUNE_TABLE;
extern const struct option_table DECONTAMINATE_TABLE, LANGUAGE_TABLE, MIX_TABLE;
extern const struct option_table BLOCKLIST_TABLE, MASK_TABLE;
extern const struct option_table QUALITY_TABLE, QUALITY_TRAIN_TABLE, QUALITY_JUDGE_TABLE;
extern const struct option_table FEATURES_TABLE, SELECT_TABLE, DIVERSIFY_TABLE, SYNTHESIZE_TABLE;
extern const struct option_table PROVE_TABLE, TRAIN_TABLE, EVAL_TABLE, CORRECT_TABLE,
    STUDY_CAUSAL_TABLE;
extern const struct option_table REFINER_TRAIN_TABLE, REFINER_LINES_TABLE, REFINER_LABEL_TABLE;
extern const struct option_table REFINER_EVAL_TABLE;
extern const struct option_table TOKENIZER_TRAIN_TABLE, TOKENIZER_ENCODE_TABLE;
extern const struct option_table TOKENIZER_DECODE_TABLE;

/* Values by name, in the order of their enum; NULL ends them. */
extern const char *const CRITERION_NAMES[]; /* enum winnow_criterion */
extern const char *const LONG_LINE_NAMES[]; /* enum winnow_long_lines */
extern const char *const TEMPLATE_NAMES[];  /* enum winnow_refine_template */
extern const char *const DIALECT_NAMES[];   /* enum winnow_refine_dialect */

/* Ends with NULL. */
extern const struct option_table *const OPTION_TABLES[];

/* The table of a command ("prune", "tokenizer train"), or NULL. */
const struct option_table *option_table_find(const char *command);

#endif /* WINNOW_OPTION_TABLES_H */
