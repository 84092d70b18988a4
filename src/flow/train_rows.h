/* train_rows.h -- training on prompts and responses, or conversations, each of them whole. */
#ifndef WINNOW_FLOW_TRAIN_ROWS_H
#define WINNOW_FLOW_TRAIN_ROWS_H

#include "flow/train_weights.h"
#include "train/sampler.h"
#include "vectors/feature_texts.h"

/* The rows, which of them can be trained on, and the steps they make.  All-zero is empty. */
struct train_rows {
    struct feature_texts texts;
    size_t *rows; /* that can be trained on */
    size_t count;
    struct train_factors factors; /* of those */
    struct tune_plan plan;
    struct tune_batch batch;
    float *weights; /* of the sequences of a step */
    size_t *chosen;
    uint64_t next; /* step */
};
void train_rows_release(struct train_rows *r);

winnow_status train_rows_read(const struct feature_reading *how, struct pool *pool,
                              const struct winnow_env *env, struct train_rows *out,
                              struct winnow_error *err);

/* After the reading: steps of at most batch_tokens for the tokens or epochs of the options. */
winnow_status train_rows_plan(struct train_rows *r, const struct winnow_train_options *opt,
                              uint64_t seed, struct winnow_error *err);

struct sampler train_rows_sampler(struct train_rows *r);

#endif /* WINNOW_FLOW_TRAIN_ROWS_H */
