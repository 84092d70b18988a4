/* commands.c -- which function is a command, and under which heading it stands. */
#include "cli/commands.h"

#include "option/tables.h"

static const struct {
    const struct option_table *table;
    command_run *run;
} FUNCTIONS[] = {
    {&RUN_TABLE, cmd_run},
    {&REPORT_TABLE, cmd_report},
    {&EXPLAIN_TABLE, cmd_explain},
    {&VERIFY_TABLE, cmd_verify},
    {&COUNT_TABLE, cmd_count},
    {&DECONTAMINATE_TABLE, cmd_decontaminate},
    {&FEATURES_TABLE, cmd_features},
    {&PROVE_TABLE, cmd_prove},
    {&TRAIN_TABLE, cmd_train},
    {&EVAL_TABLE, cmd_eval},
    {&CORRECT_TABLE, cmd_correct},
    {&STUDY_CAUSAL_TABLE, cmd_study_causal},
    {&QUALITY_TRAIN_TABLE, cmd_quality_train},
    {&QUALITY_JUDGE_TABLE, cmd_quality_judge},
    {&REFINER_TRAIN_TABLE, cmd_refiner_train},
    {&REFINER_LINES_TABLE, cmd_refiner_lines},
    {&REFINER_LABEL_TABLE, cmd_refiner_label},
    {&REFINER_EVAL_TABLE, cmd_refiner_eval},
    {&TOKENIZER_TRAIN_TABLE, cmd_tokenizer_train},
    {&TOKENIZER_ENCODE_TABLE, cmd_tokenizer_encode},
    {&TOKENIZER_DECODE_TABLE, cmd_tokenizer_decode},
};

/* By what one wants to do: a heading stands over its first command. */
static const struct {
    const struct option_table *first;
    const char *text;
} HEADINGS[] = {
    {&RUN_TABLE, "run a recipe and look at what came out"},
    {&EXTRACT_TABLE, "get documents"},
    {&LANGUAGE_TABLE, "clean and choose them"},
    {&PROVE_TABLE, "train and measure models"},
    {&REFINER_TRAIN_TABLE, "make a refiner of one's own"},
    {&TOKENIZER_TRAIN_TABLE, "make tokens"},
};

command_run *command_function(const struct option_table *table)
{
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++) {
        if (FUNCTIONS[i].table == table) {
            return FUNCTIONS[i].run;
        }
    }
    return NULL;
}

const char *command_heading(const struct option_table *table)
{
    for (size_t i = 0; i < sizeof HEADINGS / sizeof *HEADINGS; i++) {
        if (HEADINGS[i].first == table) {
            return HEADINGS[i].text;
        }
    }
    return NULL;
}
