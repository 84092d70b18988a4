/* eval_scorer.h -- sequences queued, packed and given to the engine. */
#ifndef WINNOW_EVAL_EVAL_SCORER_H
#define WINNOW_EVAL_EVAL_SCORER_H

#include "eval/eval.h"
#include "token/tokenizer.h"

/* Appends the ids of text to ids. */
void eval_encode(struct eval_scorer *s, struct str text, struct u32_list *ids);

/* The bytes that one token stands for. */
uint64_t eval_token_bytes(struct eval_scorer *s, uint32_t id);

/* The token before each text, or MODEL_NO_TOKEN, and the longest sequence. */
uint32_t eval_start_token(const struct eval_scorer *s);
uint32_t eval_window(const struct eval_scorer *s);
struct engine *eval_engine(struct eval_scorer *s);

/* What a queued sequence is to give, once eval_flush() returned. */
struct eval_sum {
    double *nll;     /* the sequence's sum is added to it */
    float *nll_each; /* NULL, or one number for each position with a target, in order */
};

/* Queues a sequence: position i holds inputs[i] and predicts targets[i]
 * (BATCH_NO_TARGET: nothing).  count is at most the window. */
winnow_status eval_queue(struct eval_scorer *s, const uint32_t *inputs, const uint32_t *targets,
                         size_t count, struct eval_sum sum, struct winnow_error *err);
winnow_status eval_flush(struct eval_scorer *s, struct winnow_error *err);

#endif /* WINNOW_EVAL_EVAL_SCORER_H */
