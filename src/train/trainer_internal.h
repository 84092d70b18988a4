/* trainer_internal.h -- a trainer's state, for trainer.c and checkpoint.c. */
#ifndef WINNOW_TRAIN_TRAINER_INTERNAL_H
#define WINNOW_TRAIN_TRAINER_INTERNAL_H

#include "math/kernels.h"
#include "train/muon.h"
#include "train/step.h"
#include "train/trainer.h"

struct trainer {
    struct model *model;
    struct pool *pool;
    struct engine *engine;
    struct trainer_options opt;
    const struct kernels *k;
    uint64_t steps;
    double flops;

    size_t count; /* numbers in each of: weights, m, v, gradient, average */
    void *memory;
    size_t memory_bytes;
    double *squares;         /* of the gradient, a piece each */
    float *m, *v, *gradient; /* m: Muon's momentum too, where v stays 0 */
    float *average;          /* of the weights; NULL where none is asked for */
    struct muon *muon;       /* NULL: AdamW alone */

    struct step_sums pending; /* added since the last update */
    struct adamw_step step_now;
};

#endif /* WINNOW_TRAIN_TRAINER_INTERNAL_H */
