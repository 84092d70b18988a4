/* document_score.h -- the mean NLL of one document; winnow/score.h states the
 * rules for BOS, EOS, windows and length. */
#ifndef WINNOW_EVAL_DOCUMENT_SCORE_H
#define WINNOW_EVAL_DOCUMENT_SCORE_H

#include "engine/engine.h"
#include "token/tokenizer.h"

struct document_score_options {
    uint32_t start;        /* token before the document and each window; MODEL_NO_TOKEN: none */
    uint32_t window;       /* positions of a window, start token included; at least 2 */
    uint32_t stride;       /* 1 .. window - 1 */
    uint32_t fixed_length; /* score the first so many tokens only; 0: all */
};

/* A document as the sequences that are read of it, one behind the other: targets[i] is what
 * position i predicts (BATCH_NO_TARGET: nothing), starts where each begins, and the end. */
struct document_windows {
    struct u32_list tokens, targets, starts;
};
void document_windows_release(struct document_windows *w);

/* Lays out the tokens, cut to fixed_length; what was there goes. */
void document_windows_lay(struct document_windows *w, const struct document_score_options *opt,
                          const uint32_t *tokens, size_t count);

/* Memory of one thread. */
struct document_scorer;
struct document_scorer *document_scorer_new(const struct document_score_options *opt);
void document_scorer_free(struct document_scorer *s);

struct document_nll {
    double mean;       /* NaN where no token is scored */
    uint64_t tokens;   /* scored */
    uint64_t computed; /* positions that went through the model */
    double flops;
    const float *nll; /* of each scored token, valid until the next call */
};

winnow_status document_score(struct document_scorer *s, struct engine *engine,
                             const struct model_config *config, const uint32_t *tokens,
                             size_t count, struct document_nll *out, struct winnow_error *err);

/* The same of one sequence that says itself what it predicts (targets as in a batch). */
struct scored_sequence {
    const uint32_t *tokens, *targets;
    size_t count;
};
winnow_status document_score_targets(struct document_scorer *s, struct engine *engine,
                                     const struct model_config *config,
                                     const struct scored_sequence *sequence,
                                     struct document_nll *out, struct winnow_error *err);

/* What documents of a corpus lose on average at each of their first positions:
 * takes length out of a score. */
struct length_curve {
    double *sum; /* of NLL at position i */
    uint64_t *count;
    uint32_t length;
};

void length_curve_init(struct length_curve *c, uint32_t length);
void length_curve_release(struct length_curve *c);
void length_curve_add(struct length_curve *c, const float *nll, uint64_t tokens);

/* What to add to the mean NLL of a document of so many scored tokens to make it
 * comparable with one of `length`; 0 for those that have as many. */
double length_curve_correction(const struct length_curve *c, uint64_t tokens);

#endif /* WINNOW_EVAL_DOCUMENT_SCORE_H */
