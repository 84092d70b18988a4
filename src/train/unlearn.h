/* unlearn.h -- a model that says less of what some documents taught it, and else what it said
 * (after LANCET, Jia et al. 2024, 2412.16451, whose algorithm is not public; the losses here are
 * our choice).
 *
 *     rank     by pairs of an influential document u and one that is not, k:
 *              -ln sigma(sharpness * (d(k) - d(u))), d(z) being by how much z's mean log-likelihood
 *              has risen over the old model's; which ends of itself once u fell behind k
 *     keep     weight * KL(old model || new one) at each token of neutral text, the Bregman
 *              divergence of the negative entropy
 *
 * and as twins to compare with: the rise of u's loss alone (gradient ascent), and training on the
 * neutral text alone. */
#ifndef WINNOW_TRAIN_UNLEARN_H
#define WINNOW_TRAIN_UNLEARN_H

#include "train/sampler.h"
#include "train/trainer.h"

enum unlearn_loss {
    UNLEARN_RANK,   /* rank and keep */
    UNLEARN_ASCENT, /* the loss of u rises */
    UNLEARN_TUNE,   /* the loss of neutral text falls */
};

/* What a step is made of: sequences u, k, u, k ...; of ascent and tuning k may be empty. */
struct unlearn_batch {
    struct token_batch pairs, neutral;
};

struct unlearn_options {
    enum unlearn_loss loss;
    double sharpness, keep;
    /* The batch of a step, 0 for the first, valid until the next call. */
    winnow_status (*next)(void *ctx, uint64_t step, struct unlearn_batch *out,
                          struct winnow_error *err);
    void *ctx;
};

struct unlearner;

/* t and old, an engine of the model as it was, are borrowed. */
winnow_status unlearner_new(struct trainer *t, struct engine *old,
                            const struct unlearn_options *opt, struct unlearner **out,
                            struct winnow_error *err);
void unlearner_free(struct unlearner *u);

/* For the training loop; neither is freed by it. */
struct learner unlearner_learner(struct unlearner *u);
struct sampler unlearner_sampler(struct unlearner *u);

#endif /* WINNOW_TRAIN_UNLEARN_H */
