/* near_name.h -- where somebody who asks for what is not there is sent.
 *
 * Two ways in which a name misses: it is mistyped (option_nearest knows), or it
 * is what other programs call the thing ("minhash", "--jobs").  The second is a
 * table here, the same for the command line, `winnow help` and recipes. */
#ifndef WINNOW_OPTION_NEAR_NAME_H
#define WINNOW_OPTION_NEAR_NAME_H

#include "option/option.h"

/* A clause on what does the work that word asks a command for ("`winnow dedup`
 * keeps one of each text"), or NULL. */
const char *near_command(struct str word);

/* The option of one of the n tables that is what others call name, or else the
 * one spelled most like it; NULL where none is near. */
const char *near_option(const struct option_set *sets, size_t n, struct str name);

#endif /* WINNOW_OPTION_NEAR_NAME_H */
