/* train_weights.h -- what each document counts for in a training: from attributes that an earlier
 * run wrote, or from a member of the document itself. */
#ifndef WINNOW_FLOW_TRAIN_WEIGHTS_H
#define WINNOW_FLOW_TRAIN_WEIGHTS_H

#include "winnow/train.h"

#include "base/map.h"
#include "corpus/document.h"

struct train_weights {
    const struct winnow_train_options *opt;
    struct map of;  /* hash of an id -> its number */
    double *values; /* by number */
    size_t cap;
};

/* Whether the options ask for any. */
bool train_weights_wanted(const struct winnow_train_options *opt);

/* Reads the attributes, where they are asked for. */
winnow_status train_weights_open(struct train_weights *w, const struct winnow_train_options *opt,
                                 struct winnow_error *err);
void train_weights_release(struct train_weights *w);

/* A document_weigh of a struct train_weights, for any thread: WINNOW_E_FORMAT for a document
 * without a weight, or with one that is none. */
winnow_status train_weigh(void *weights, const struct document *d, float *out,
                          struct winnow_error *err);

/* What weights mean to a training.  Only their proportions count: they are scaled to a mean of 1
 * over what can be trained on. */
struct train_factors {
    float *loss;    /* by which each document's gradient is multiplied; NULL: 1 */
    float *repeats; /* how often it comes in an epoch; NULL: once */
    float *odds;    /* what a sampler draws by; NULL: none does */
};
/* weights may be NULL; targets[i]: how many tokens of document i have a loss, 0 of one that
 * cannot be trained on. */
winnow_status train_factors_make(const struct winnow_train_options *opt, const float *weights,
                                 const uint32_t *targets, size_t count, struct train_factors *out,
                                 struct winnow_error *err);
void train_factors_release(struct train_factors *f);

#endif /* WINNOW_FLOW_TRAIN_WEIGHTS_H */
