/* join.h -- whether this process is one of several that do one run. */
#ifndef WINNOW_CLI_JOIN_H
#define WINNOW_CLI_JOIN_H

#include "base/error.h"

struct winnow_ranks;

/* NULL where it was started alone.  Where mpirun or srun started several and they cannot
 * talk, WINNOW_E_USAGE: each for itself would do all of the work, into one folder. */
winnow_status cli_join(struct winnow_ranks **out, struct winnow_error *err);

/* How many processes a launcher started, as far as it says; 0 or 1: this one alone. */
unsigned long cli_started(void);

#endif /* WINNOW_CLI_JOIN_H */
