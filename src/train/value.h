/* value.h -- what each document of a training is worth to a target: In-Run Data Shapley (Wang,
 * Mittal, Song, Jia 2024, 2406.11011, theorems 3 and 4), gathered step by step.
 *
 * A step's utility is by how much it lowers the target's loss; a document's value is the sum over
 * its steps of its Shapley value among the sequences of the batch:
 *
 *     first order    rate * <V, D g>               V: the target's gradient before the step
 *     second order   rate * <(V + V') / 2, D g>    V': after it, which is the Hessian's share
 *
 * g is the document's part of the batch's gradient, clipped as the batch is.  D is 1 for SGD, for
 * which the first is exact to first and the second to second order of the rate; for AdamW it is
 * 1 / (sqrt(v) + eps) with v as it stood before the step (which has none in the first: its value
 * is not counted), and the momentum of earlier steps is left where it came from.
 *
 * A positive value lowers the target's loss.  As learner and sampler it goes into the training
 * loop in the place of a trainer and what feeds it. */
#ifndef WINNOW_TRAIN_VALUE_H
#define WINNOW_TRAIN_VALUE_H

#include "train/sampler.h"
#include "train/trainer.h"

struct value_options {
    const struct token_batch *target; /* examples of what is wanted; borrowed */
    size_t documents;                 /* as the sampler numbers them */
    uint32_t order;                   /* 1 or 2 */
};

struct valuation;

/* t is borrowed. */
winnow_status valuation_new(struct trainer *t, const struct value_options *opt,
                            struct valuation **out, struct winnow_error *err);
void valuation_free(struct valuation *v);

/* Wraps the trainer, which it does not free, and a sampler, whose state must outlive it. */
struct learner valuation_learner(struct valuation *v);
struct sampler valuation_sampler(struct valuation *v, const struct sampler *inner);

/* By document. */
const double *valuation_values(const struct valuation *v);

/* FLOPs beside those of the training. */
double valuation_flops(const struct valuation *v);

/* Bytes that it takes for a model of so many numbers. */
uint64_t valuation_memory(const struct model_config *c, uint32_t order);

#endif /* WINNOW_TRAIN_VALUE_H */
