/* subspace.h -- the directions that pursuit goes after gradients in, anew at each checkpoint.
 *
 * Of each checkpoint's part of the stacked rows: the principal directions of the target's examples
 * and of a sample of the pool together, each side counting as much as the other, whatever the
 * numbers of their rows.  Those of the target alone are no more than it has examples, and a pursuit
 * chooses no more rows than there are directions. */
#ifndef WINNOW_SELECT_SUBSPACE_H
#define WINNOW_SELECT_SUBSPACE_H

#include "select/choice.h"

struct subspace {
    uint32_t parts, dim, directions;
    float *bases; /* [parts][directions][dim], rows orthonormal, by falling share */
    double captured[STORE_PARTS_MAX]; /* of the squares of examples and sample, each part */
    uint16_t *data;
    float *scales;
    struct vector_rows rows; /* the pool in it: norm 1 again, parts of `directions` numbers */
};

/* examples: [count][width] of norm 1, those of all targets. */
winnow_status subspace_make(const struct choice_problem *p, const struct vector_rows *pool,
                            const float *examples, size_t count, struct subspace *out,
                            struct winnow_error *err);
void subspace_release(struct subspace *s);

/* Of what is held while it stands, and while it is made. */
uint64_t subspace_bytes(uint32_t directions, const struct store_head *h);

/* out[parts * directions] of a stacked row; not of norm 1. */
void subspace_project(const struct subspace *s, const struct kernels *k, const float *x,
                      float *out);

#endif /* WINNOW_SELECT_SUBSPACE_H */
