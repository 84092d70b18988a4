/* commands.h -- every command, in the order in which data meets them. */
#ifndef WINNOW_CLI_COMMANDS_H
#define WINNOW_CLI_COMMANDS_H

#include "cli/cmd.h"

/* Ends with a row whose table is NULL; `winnow help` prints it in this order. */
extern const struct cmd COMMANDS[];

command_run cmd_run, cmd_verify, cmd_explain, cmd_refiner_label, cmd_refiner_lines, cmd_count,
    cmd_prove, cmd_eval, cmd_features, cmd_train, cmd_report, cmd_refiner_train, cmd_refiner_eval,
    cmd_tokenizer_train, cmd_tokenizer_encode, cmd_tokenizer_decode;

#endif /* WINNOW_CLI_COMMANDS_H */
