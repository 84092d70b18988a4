/* model_speed.h -- how fast a model of a shape computes here, for estimates.
 *
 * Weights are random, so nothing is read.  A large shape is measured with a few of
 * its layers, and scaled by the operations that it needs: each call takes some
 * two seconds, whatever the model. */
#ifndef WINNOW_PRUNE_MODEL_SPEED_H
#define WINNOW_PRUNE_MODEL_SPEED_H

#include "winnow/train.h"

#include "model/config.h"
#include "prune/scoring.h"
#include "run/stage.h"

/* Tokens a second that all threads together score, in sequences of so many. */
winnow_status model_speed_score(const struct model_config *c, int compute, uint32_t sequence,
                                uint32_t threads, double *out, struct winnow_error *err);

/* Tokens a second that one model trains with so many threads. */
winnow_status model_speed_train(const struct winnow_small_model *s, uint32_t threads, double *out,
                                struct winnow_error *err);

/* Tokens that scoring so much text computes, where a token has token_bytes: whole
 * documents, or the first so many tokens of each, in windows. */
double model_speed_tokens(const struct stage_plan *plan, double token_bytes,
                          struct scoring_shape shape);

/* Seconds and a note of scoring the plan's text with the model at path. */
void model_speed_expect(const char *path, int compute, struct scoring_shape shape,
                        const struct stage_plan *plan, struct stage_estimate *out);

#endif /* WINNOW_PRUNE_MODEL_SPEED_H */
