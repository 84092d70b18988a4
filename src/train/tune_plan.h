/* tune_plan.h -- which examples go into which step, known before the first. */
#ifndef WINNOW_TRAIN_TUNE_PLAN_H
#define WINNOW_TRAIN_TUNE_PLAN_H

#include "train/tune.h"

struct tune_plan {
    uint32_t *order; /* examples, epoch behind epoch */
    size_t *ends;    /* step i is order[i ? ends[i - 1] : 0 .. ends[i]) */
    uint64_t steps;
    uint64_t tokens; /* of all steps */
    double epochs;
};

/* Whole examples in the order of `seed`, a step being full where the next one would
 * pass batch_tokens, until tokens (or the epochs) are spent. */
struct tune_planning {
    const uint32_t *lengths; /* of the examples, in tokens */
    size_t count;
    uint64_t seed, batch_tokens;
    uint64_t tokens; /* 0: epochs */
    double epochs;
    /* How often each comes in an epoch; what is no whole number is rounded by chance, anew in
     * every epoch.  NULL: once. */
    const float *repeats;
};
void tune_plan_of(const struct tune_planning *p, struct tune_plan *out);

/* The same for a tuning. */
void tune_plan_make(const struct tune_examples *e, const struct tune_options *opt,
                    struct tune_plan *out);
void tune_plan_release(struct tune_plan *p);

/* A batch of examples, valid until the next one. */
struct tune_batch {
    struct u32_list tokens, targets, starts;
    struct token_batch batch;
};
void tune_batch_release(struct tune_batch *b);
void tune_batch_fill(struct tune_batch *b, const struct tune_examples *e, const uint32_t *which,
                     size_t count);

#endif /* WINNOW_TRAIN_TUNE_PLAN_H */
