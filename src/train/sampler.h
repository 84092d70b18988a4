/* sampler.h -- what a training reads next, and with what weight.
 *
 * The seam at which ways to train differ: a sampler gives the batch of each step, and
 * one that listens is told what each of its sequences lost.
 */
#ifndef WINNOW_TRAIN_SAMPLER_H
#define WINNOW_TRAIN_SAMPLER_H

#include "base/error.h"
#include "engine/batch.h"

/* The batch of one step, valid until the next call. */
struct sampler_batch {
    struct token_batch batch;  /* with a weight a sequence, or all 1 */
    const uint32_t *documents; /* whose each sequence is: numbers of the sampler's own */
};

struct sampler {
    void *state;
    /* *more false: there is no further batch. */
    winnow_status (*next)(void *state, struct sampler_batch *out, bool *more,
                          struct winnow_error *err);
    /* nll[s]: the sum over the targets of sequence s of the batch, before the update.
     * NULL: it does not listen.  After a resume the first batches are asked for again, and
     * told() is called with the same numbers again, so that a sampler keeps no file. */
    winnow_status (*told)(void *state, const struct sampler_batch *b, const double *nll,
                          struct winnow_error *err);
};

#endif /* WINNOW_TRAIN_SAMPLER_H */
