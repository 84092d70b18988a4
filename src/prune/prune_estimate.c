/* prune_estimate.c -- tokens times speed, for the reference and for the pool.
 *
 * The sample of a dry run holds too little to train a reference on, and what a
 * reference costs does not grow with the pool.  So a model of its shape is timed
 * for a moment, and scaled by the tokens that training and scoring will take. */
#include "prune/prune_estimate.h"

#include "base/amount.h"
#include "prune/model_speed.h"
#include "prune/scoring.h"
#include "prune/server_scores.h"
#include "train/small_model.h"

#include <math.h>
#include <stdio.h>

#define REFUSED_PART 8   /* as prune_reference.c has it */
#define TOKEN_BYTES  3.0 /* of English with a vocabulary of a few thousand */

bool prune_is_dear(const void *options)
{
    const struct winnow_prune_options *o = options;
    return !o->score_attribute && !o->score_from;
}

static void expect_trained(const struct winnow_prune_options *o, const struct stage_plan *plan,
                           struct stage_estimate *out)
{
    const struct model_config c = small_model_shape(&o->model);
    uint64_t trained_in = small_model_memory(&o->model, &c, plan->threads);
    uint64_t scored_in = scoring_memory(&c, o->model.compute, plan->threads);
    out->memory = (trained_in > scored_in ? trained_in : scored_in) + plan->documents * 100;
    struct scoring_shape shape = {o->window ? o->window : c.context, o->stride, o->fixed_length};
    struct winnow_error err;
    double train = 0, score = 0;
    uint32_t sequence =
        o->fixed_length > 0 && o->fixed_length < c.context ? o->fixed_length : c.context;
    winnow_status st = model_speed_train(&o->model, plan->threads, &train, &err);
    st = st == WINNOW_OK
             ? model_speed_score(&c, o->model.compute, sequence, plan->threads, &score, &err)
             : st;
    if (st != WINNOW_OK || !(train > 0) || !(score > 0)) {
        (void)snprintf(out->note, sizeof out->note, "its speed is not known: %.300s",
                       st != WINNOW_OK ? err.text : "the trial was too short");
        return;
    }
    double text = (double)plan->text_bytes / TOKEN_BYTES;
    double trained = text; /* a document is cut for training */
    if (o->document_tokens > 0) {
        trained = fmin(text, (double)plan->documents * (double)o->document_tokens);
    }
    double most = o->cross_fit ? trained : trained * o->reference_share_max;
    double reference = fmin((double)o->reference_tokens * (o->cross_fit ? 2 : 1), most);
    double aside = o->cross_fit || !(trained > 0) ? 0 : reference / trained;
    out->keep = o->rate * (1 - aside);
    struct stage_plan pool = *plan;
    pool.documents = (uint64_t)((double)plan->documents * (1 - aside));
    pool.text_bytes = (uint64_t)((double)plan->text_bytes * (1 - aside));
    double tokens = model_speed_tokens(&pool, TOKEN_BYTES, shape);
    out->seconds = reference / train + tokens / score;
    (void)snprintf(out->note, sizeof out->note,
                   "a reference trains on about %s tokens (%.0f a second in a trial just now), "
                   "and reads about %s (%.0f a second)",
                   amount_count(reference).text, train, amount_count(tokens).text, score);
    if (reference * REFUSED_PART * 1.5 < (double)o->reference_tokens) {
        (void)snprintf(out->refusal, sizeof out->refusal,
                       "only about %s tokens may train the reference, too few of the %s of "
                       "--reference-tokens: lower that, raise --reference-share-max, or use "
                       "--cross-fit, which sets nothing aside",
                       amount_count(reference).text,
                       amount_count((double)o->reference_tokens).text);
    }
}

void prune_estimate(const void *options, const struct stage_plan *plan, struct stage_estimate *out)
{
    const struct winnow_prune_options *o = options;
    if (o->score_attribute || o->score_from) {
        return;
    }
    if (o->server.url) {
        (void)snprintf(out->note, sizeof out->note, "%s", SERVER_SCORES_SPEED);
        out->keep = o->rate;
        return;
    }
    if (o->reference_model) {
        const struct scoring_shape shape = {o->window, o->stride, o->fixed_length};
        model_speed_expect(o->reference_model, o->model.compute, shape, plan, out);
        out->keep = o->rate;
        return;
    }
    expect_trained(o, plan, out);
}
