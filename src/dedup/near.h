/* near.h -- `dedup --method minhash`: near-copies by MinHash. */
#ifndef WINNOW_DEDUP_NEAR_H
#define WINNOW_DEDUP_NEAR_H

#include "winnow/dedup.h"

#include "run/stage.h"

winnow_status near_check(const struct winnow_dedup_options *opt, const struct stage_plan *plan,
                         struct winnow_error *err);
uint64_t near_memory(const struct winnow_dedup_options *opt, uint64_t documents);
winnow_status near_run(struct stage *stage, const struct winnow_dedup_options *opt,
                       struct winnow_error *err);

#endif /* WINNOW_DEDUP_NEAR_H */
