/* preparation.h -- what it cost to make a corpus. */
#ifndef WINNOW_PROVE_PREPARATION_H
#define WINNOW_PROVE_PREPARATION_H

#include "base/error.h"

/* The FLOPs of the stages behind path, from their stats.json: 0 for a corpus
 * that no run made.  path is RUN/stages/NN-NAME/documents (that stage and those
 * before it), RUN/documents or RUN (all).  Runs that the run's own input came
 * from are not looked for. */
winnow_status preparation_flops(const char *path, double *flops, struct winnow_error *err);

#endif /* WINNOW_PROVE_PREPARATION_H */
