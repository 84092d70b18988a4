/* prune_estimate.h -- what `prune` expects of itself, for --dry-run. */
#ifndef WINNOW_PRUNE_PRUNE_ESTIMATE_H
#define WINNOW_PRUNE_PRUNE_ESTIMATE_H

#include "winnow/prune.h"

#include "run/stage.h"

/* Whether it trains or scores: with given scores a sample can be run. */
bool prune_is_dear(const void *options);

void prune_estimate(const void *options, const struct stage_plan *plan, struct stage_estimate *out);

#endif /* WINNOW_PRUNE_PRUNE_ESTIMATE_H */
