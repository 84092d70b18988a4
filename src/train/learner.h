/* learner.h -- what a training moves: all weights of a model (trainer.h), or adapters on
 * them (lora.h).  The loop (loop.h) knows no more of either.
 */
#ifndef WINNOW_TRAIN_LEARNER_H
#define WINNOW_TRAIN_LEARNER_H

#include "engine/engine.h"

struct trainer_result {
    uint64_t step;    /* 1 for the first */
    double loss;      /* mean NLL of the batch's targets, before the update */
    double grad_norm; /* before clipping */
    double lr;
    uint64_t targets, tokens;
    double flops; /* of forward, backward and the optimizer's matrix products */
};

struct learner_kind {
    /* Adds the gradient of a batch, of which several may make an update of
     * targets_total targets; nll[s] becomes what sequence s lost, NULL: nobody asks. */
    winnow_status (*add)(void *of, const struct token_batch *b, uint64_t targets_total, double *nll,
                         struct winnow_error *err);
    winnow_status (*update)(void *of, struct trainer_result *out, struct winnow_error *err);
    uint64_t (*steps)(const void *of);
    double (*flops)(const void *of);
    struct engine *(*engine)(void *of);
    float *(*values)(void *of, size_t *count); /* the numbers that are moved */
    void (*changed)(void *of);                 /* to be called when they were written to */
    winnow_status (*save)(const void *of, const char *path, struct winnow_error *err);
    winnow_status (*load)(void *of, const char *path, struct winnow_error *err);
    void (*free)(void *of);
};

/* All-zero is none. */
struct learner {
    void *of;
    const struct learner_kind *kind;
};

static inline void learner_free(struct learner *l)
{
    if (l->of) {
        l->kind->free(l->of);
        l->of = NULL;
    }
}

#endif /* WINNOW_TRAIN_LEARNER_H */
