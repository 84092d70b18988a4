/* quality_train.h -- trains a classifier of good and bad texts.
 *
 * The same examples, options and seed give the same weights bit for bit, whatever the number
 * of threads and interruptions: a step is a few texts, each of which some thread reads, and
 * rows are then moved by SHARDS pieces of work, each of which owns its rows and goes through
 * the texts in order.
 */
#ifndef WINNOW_QUALITY_QUALITY_TRAIN_H
#define WINNOW_QUALITY_QUALITY_TRAIN_H

#include "quality/quality_lessons.h"

struct quality_train_options {
    struct fasttext_args args; /* dim, bucket, word_ngrams, minn, maxn count */
    double epochs, rate;
    double rate_end;        /* what share of it is left at the end */
    uint32_t batch;         /* texts a step */
    const char *checkpoint; /* a file to go on from and to leave behind; NULL: none */
    double save_seconds;
    struct pool *pool;
    bool silent; /* no progress: one of many trainings */
};

struct quality_train_result {
    uint64_t steps;
    double loss; /* mean of the last tenth of the steps */
};

/* Bytes of the weights, and of a step. */
uint64_t quality_train_bytes(const struct quality_train_options *opt, uint64_t rows);

/* First weights.  quality_net_release() frees them. */
winnow_status quality_net_start(const struct quality_train_options *opt, uint64_t rows,
                                uint64_t seed, struct quality_net *net, struct winnow_error *err);

/* Goes through the lessons, moving a net that has been started (a checkpoint that is there
 * replaces its weights) and of judgements also the labels.  The checkpoint stays, for the caller to
 * remove once the model is stored; WINNOW_E_FORMAT where it is of another training. */
winnow_status quality_train_lessons(const struct quality_examples *e, struct quality_lessons *l,
                                    const struct quality_train_options *opt,
                                    const struct winnow_env *env, struct quality_net *net,
                                    struct quality_train_result *result, struct winnow_error *err);

/* Both, with a lesson of each example that is not held out. */
winnow_status quality_train(const struct quality_examples *e,
                            const struct quality_train_options *opt, const struct winnow_env *env,
                            struct quality_net *net, struct quality_train_result *result,
                            struct winnow_error *err);
void quality_net_release(struct quality_net *net);

#endif /* WINNOW_QUALITY_QUALITY_TRAIN_H */
