/* help_completion.h -- what a shell needs to complete command lines, out of the tables. */
#ifndef WINNOW_CLI_HELP_COMPLETION_H
#define WINNOW_CLI_HELP_COMPLETION_H

#include <stdbool.h>
#include <stdio.h>

/* The script for "bash", "zsh" or "fish"; false: no such shell. */
bool help_completion(const char *shell, FILE *to);

#endif /* WINNOW_CLI_HELP_COMPLETION_H */
