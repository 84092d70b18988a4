/* loss_drop.h -- scores by how much of a document's loss goes when a model is warmed on a target:
 * after TACS, with neither gradients nor vectors of documents. */
#ifndef WINNOW_SELECT_LOSS_DROP_H
#define WINNOW_SELECT_LOSS_DROP_H

#include "winnow/select.h"

#include "run/stage.h"

/* scores[row_of[ordinal]] of each document: (before - after) / before of the mean loss of its
 * responses (train/example_text.h), NaN where it has none.  flops: of both passes and the
 * training. */
struct loss_drop {
    struct stage *stage;
    const struct winnow_select_options *opt;
    const uint32_t *row_of;
    double *scores;
    size_t rows;
    double flops; /* out */
};
winnow_status loss_drop_run(struct loss_drop *d, struct winnow_error *err);

/* Bytes that it takes. */
winnow_status loss_drop_memory(const struct winnow_select_options *opt, uint32_t threads,
                               uint64_t *bytes, struct winnow_error *err);

#endif /* WINNOW_SELECT_LOSS_DROP_H */
