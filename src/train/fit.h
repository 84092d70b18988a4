/* fit.h -- trains a model on documents to a budget, with checkpoints and a
 * learning curve.
 *
 * One call is one experiment: it goes on from the checkpoint in its folder
 * where there is one, and ends with the same weights, losses and curve as a
 * call that was never interrupted.
 */
#ifndef WINNOW_TRAIN_FIT_H
#define WINNOW_TRAIN_FIT_H

#include "train/loop.h"
#include "train/lora.h"
#include "train/packer.h"
#include "train/sampling.h"
#include "train/trainer.h"
#include "train/value.h"

#define FIT_VALUES LOOP_VALUES

struct fit_point {
    uint64_t step, tokens;
    double values[FIT_VALUES];
};

struct fit_options {
    struct trainer_options trainer; /* steps is the budget */
    struct packer_options packer;
    const struct winnow_sampling *sampling; /* NULL: uniform */
    uint32_t lora_rank; /* adapters instead of the weights, which they are merged into; 0: none */
    double lora_alpha;
    uint64_t seed;                     /* of the adapters, and of what the sampling draws */
    const char *folder;                /* of the checkpoint, which exists; NULL: none is kept */
    double save_seconds;               /* between two checkpoints; 0: 30 */
    const float *odds;                 /* of samplings that draw by them; NULL: all alike */
    const struct token_batch *toward;  /* of samplings that choose by a target; NULL: none */
    const struct value_options *value; /* NULL: documents are not valued; not of adapters */
    const char *stage;                 /* name for progress; NULL: silent */

    /* Points at which the curve is measured: after 0 steps, after equal numbers
     * of steps, after the last; 0: no curve. */
    uint32_t points;
    winnow_status (*measure)(void *ctx, struct engine *engine, double *values,
                             struct winnow_error *err);
    /* Called at the points, too, with all that a checkpoint is made of; may be NULL, as
     * measure may then.  Not of adapters. */
    winnow_status (*keep)(void *ctx, const struct trainer *t, struct winnow_error *err);
    void *ctx;
};

struct fit_result {
    float *losses; /* of each step */
    uint64_t steps;
    struct fit_point *curve; /* points + 1 */
    size_t curve_count;
    double loss; /* mean over the last tenth of the steps */
    double flops;
    double *values;                      /* by document, where they are valued */
    uint64_t used;                       /* stream tokens, packer.h; 0 where a sampler was given */
    struct sampling_document *documents; /* by document, where the sampling knows of them */
    struct buf told; /* JSON members: what the way to train has to say (sampling.h) */
};
void fit_result_release(struct fit_result *r);

/* Trains m (initialised by the caller; a checkpoint overwrites it).  order must
 * hold documents for all steps: WINNOW_E_FORMAT otherwise. */
struct fit_data {
    const struct token_docs *docs;
    const uint32_t *order;
    size_t order_count;
    const struct sampler *sampler; /* gives the batches instead of a packer; NULL: none does */
};
winnow_status fit(struct model *m, struct pool *pool, const struct fit_data *data,
                  const struct fit_options *opt, const struct winnow_env *env,
                  struct fit_result *out, struct winnow_error *err);

#endif /* WINNOW_TRAIN_FIT_H */
