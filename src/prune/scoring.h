/* scoring.h -- a pass that scores each document of a stage's input, for `score`
 * and `prune`.
 *
 * Documents are scored one by one, each worker with an engine of its own of one
 * thread, so the number of threads changes no score; the packed weights are there
 * once, for all of them.  With a fixed length, what
 * makes short documents comparable (winnow/score.h) is measured beforehand on a
 * random sample of the corpus, drawn by hash, which is the same in every pass. */
#ifndef WINNOW_PRUNE_SCORING_H
#define WINNOW_PRUNE_SCORING_H

#include "eval/document_score.h"
#include "prune/least_draws.h"
#include "run/stage.h"
#include "token/tokenizer.h"

#include <pthread.h>

#define SCORING_SAMPLE 500U /* documents that the length curve is measured on */

struct scoring {
    const struct model *model;
    const struct tokenizer *tokenizer;
    const struct winnow_env *env;
    struct document_score_options score;
    int compute;               /* enum winnow_compute */
    struct length_curve curve; /* used where score.fixed_length > 0 */
    struct engine *weights;    /* what the workers' engines compute with */
    pthread_mutex_t lock;
    double flops; /* of this process */
};

/* What an enum winnow_compute is to an engine. */
enum engine_compute scoring_compute(int compute);

/* In tokens; of the first two 0 is the default. */
struct scoring_shape {
    uint32_t window, stride, fixed_length;
};

/* Model and tokenizer are borrowed; the pool, which must live on, packs the weights
 * now.  env and compute are set.  Refuses a window or stride that makes no
 * sense for the model. */
/* Bytes that a worker of scoring takes for its engine, the weights not counted: they
 * are there once. */
uint64_t scoring_worker_bytes(const struct model_config *c, int compute);

/* Of a model's weights and an engine a thread. */
uint64_t scoring_memory(const struct model_config *c, int compute, uint32_t threads);

/* Refuses a --memory (0: none) that model, engines and a pass do not fit into. */
winnow_status scoring_need_memory(const struct model_config *c, int compute, uint32_t threads,
                                  uint64_t limit, const char *command, struct winnow_error *err);

winnow_status scoring_init(struct scoring *s, const struct model *m, const struct tokenizer *t,
                           struct pool *pool, struct scoring_shape shape, struct winnow_error *err);
void scoring_release(struct scoring *s);

/* What one thread needs; the engine is made at the first document. */
struct scoring_worker;
struct scoring_worker *scoring_worker_new(struct scoring *s);
void scoring_worker_free(struct scoring_worker *w);

/* The start of a text that its first so many tokens surely lie in (0: all of it). */
struct str scoring_prefix(struct str text, uint32_t fixed_length);

/* The score of a text: NaN where it has none.  correct: with the length curve. */
winnow_status scoring_text(struct scoring_worker *w, struct str text, bool correct,
                           struct document_nll *out, struct winnow_error *err);

/* The same of what a document's responses lose (train/example_text.h). */
winnow_status scoring_responses(struct scoring_worker *w, const struct document *d,
                                struct document_nll *out, struct winnow_error *err);

/* Appends winnow__nll, winnow__ppl and winnow__tokens of the text. */
void scoring_attributes(struct str text, const struct document_nll *nll, struct buf *out);

/* ---- the sample for the length curve ---- */

/* An empty sample of texts, cut to what a fixed length needs. */
struct least_draws scoring_sample(uint32_t fixed_length);

/* Scores the sample, in order of draws, into s->curve. */
winnow_status scoring_measure_curve(struct scoring *s, struct least_draws *sample,
                                    struct winnow_error *err);

#endif /* WINNOW_PRUNE_SCORING_H */
