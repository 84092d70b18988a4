/* commands.h -- what belongs to each command of OPTION_TABLES on the command line. */
#ifndef WINNOW_CLI_COMMANDS_H
#define WINNOW_CLI_COMMANDS_H

#include "cli/cmd.h"

/* The function of a command; NULL: a stage, run by cli_corpus_command(). */
command_run *command_function(const struct option_table *table);

/* The heading under which `winnow help` lists this command and those behind it; NULL: as the
 * one before. */
const char *command_heading(const struct option_table *table);

command_run cmd_study_causal, cmd_quality_train, cmd_quality_judge, cmd_run, cmd_verify,
    cmd_explain, cmd_refiner_label, cmd_refiner_lines, cmd_count, cmd_decontaminate, cmd_prove,
    cmd_eval, cmd_features, cmd_train, cmd_report, cmd_refiner_train, cmd_refiner_eval,
    cmd_tokenizer_train, cmd_tokenizer_encode, cmd_tokenizer_decode, cmd_correct;

#endif /* WINNOW_CLI_COMMANDS_H */
