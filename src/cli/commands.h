/* commands.h -- every command, in the order in which data meets them. */
#ifndef WINNOW_CLI_COMMANDS_H
#define WINNOW_CLI_COMMANDS_H

#include "cli/cmd.h"

/* Ends with a row whose table is NULL; `winnow help` prints it in this order. */
extern const struct cmd COMMANDS[];

#endif /* WINNOW_CLI_COMMANDS_H */
