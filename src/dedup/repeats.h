/* repeats.h -- `dedup --unit paragraph|line`: what an earlier place says already goes. */
#ifndef WINNOW_DEDUP_REPEATS_H
#define WINNOW_DEDUP_REPEATS_H

#include "winnow/dedup.h"

#include "run/stage.h"

#define REPEATS_MEMORY ((uint64_t)16 << 20) /* beside the fewest blocks, at least */

winnow_status repeats_run(struct stage *stage, const struct winnow_dedup_options *opt,
                          struct winnow_error *err);

#endif /* WINNOW_DEDUP_REPEATS_H */
