/* help.h -- `winnow help`, `winnow help COMMAND` and `winnow help options`. */
#ifndef WINNOW_CLI_HELP_H
#define WINNOW_CLI_HELP_H

#include "option/option.h"

#include <stdio.h>

/* Every command once, by what one wants to do. */
void help_all(FILE *to);

/* One command: what it is for, examples, its own options; those that it shares with
 * others by name only. */
void help_command(const struct option_table *table);

/* The shared options in full. */
void help_shared(void);

/* The commands whose first word is word ("tokenizer"); how many there are. */
size_t help_family(const char *word, FILE *to);

/* The option tables of all commands, or of the one that is named in one or two words,
 * as JSON; false where there is no such command. */
bool help_json(int argc, const char *const *argv);

#endif /* WINNOW_CLI_HELP_H */
