/* loop.h -- the training loop: steps, a curve, checkpoints.
 *
 * One call is one training: it goes on from the checkpoint in its folder where there is
 * one, and ends with the same weights, losses and curve as a call that was never
 * interrupted.
 */
#ifndef WINNOW_TRAIN_LOOP_H
#define WINNOW_TRAIN_LOOP_H

#include "train/learner.h"
#include "train/sampler.h"

#define LOOP_VALUES 8 /* numbers measured at a point of the curve */

struct loop_point {
    uint64_t step;
    double values[LOOP_VALUES]; /* NaN: none */
};

struct loop_result {
    float *losses; /* of each step */
    uint64_t steps;
    struct loop_point *curve; /* points + 1 */
    size_t curve_count;
};
void loop_result_release(struct loop_result *r);

struct loop_options {
    uint64_t steps;
    const char *folder;     /* of the checkpoint, which exists; NULL: none is kept */
    double save_seconds;    /* between two checkpoints; 0: 30 */
    const char *stage;      /* name for progress; NULL: silent */
    uint64_t tokens_a_step; /* progress counts tokens; 0: steps */

    /* Points at which the curve is measured: after 0 steps, after equal numbers of
     * steps, after the last; 0: no curve.  curve[curve_count] of the result is filled. */
    uint32_t points;
    winnow_status (*measure)(void *ctx, struct loop_point *point, struct winnow_error *err);
    void *ctx;
};

/* The steps after which point i of points + 1 is measured. */
uint64_t loop_point_step(uint64_t steps, uint32_t points, size_t i);

/* out is released by the caller, in any case; it is filled as the training goes on, and
 * holds the points before this one when measure() is called. */
winnow_status train_loop(const struct learner *learner, const struct sampler *sampler,
                         const struct loop_options *opt, const struct winnow_env *env,
                         struct loop_result *out, struct winnow_error *err);

#endif /* WINNOW_TRAIN_LOOP_H */
