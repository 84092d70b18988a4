/* help_man.h -- manual pages, for man(1), out of the tables of options. */
#ifndef WINNOW_CLI_HELP_MAN_H
#define WINNOW_CLI_HELP_MAN_H

#include "option/option.h"

#include <stdio.h>

/* winnow(1): every command, the shared options, exit codes. */
void help_man_all(FILE *to);

/* winnow-prune(1), winnow-tokenizer-train(1). */
void help_man_command(const struct option_table *table, FILE *to);

#endif /* WINNOW_CLI_HELP_MAN_H */
