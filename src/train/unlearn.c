/* unlearn.c -- the losses of a step as weights of sequences, which is all that a gradient needs.
 *
 * A pair's loss depends on its two sequences through their mean log-likelihoods alone, so its
 * gradient is theirs, each times a number that a forward pass tells beforehand.  What the old
 * model says is computed beside it in every step: that costs a forward pass and keeps no state, so
 * a checkpoint is a trainer's. */
#include "train/unlearn.h"

#include "base/mem.h"

#include <math.h>

struct unlearner {
    struct trainer *trainer;
    struct engine *old;
    struct learner inner;
    struct unlearn_options opt;
    struct unlearn_batch batch;
    uint64_t step;
    float *nll, *old_nll, *weights, *logits;
    size_t tokens_cap, sequences_cap, logits_cap;
    double loss, flops;
};

winnow_status unlearner_new(struct trainer *t, struct engine *old,
                            const struct unlearn_options *opt, struct unlearner **out,
                            struct winnow_error *err)
{
    (void)err;
    *out = mem_zalloc(sizeof **out);
    **out = (struct unlearner){.trainer = t, .old = old, .inner = trainer_learner(t), .opt = *opt};
    return WINNOW_OK;
}

void unlearner_free(struct unlearner *u)
{
    if (!u) {
        return;
    }
    mem_free(u->nll);
    mem_free(u->old_nll);
    mem_free(u->weights);
    mem_free(u->logits);
    mem_free(u);
}

static double forward_flops(const struct unlearner *u, const struct token_batch *b)
{
    double sum = 0;
    for (size_t i = 0; i < b->sequences; i++) {
        sum += model_config_flops(model_config(trainer_model(u->trainer)),
                                  b->starts[i + 1] - b->starts[i]);
    }
    return sum;
}

static void make_room(struct unlearner *u, const struct token_batch *b)
{
    size_t tokens = batch_tokens(b);
    if (tokens > u->tokens_cap) {
        mem_free(u->nll);
        mem_free(u->old_nll);
        u->tokens_cap = tokens;
        u->nll = mem_alloc(tokens * sizeof *u->nll);
        u->old_nll = mem_alloc(tokens * sizeof *u->old_nll);
    }
    if (b->sequences > u->sequences_cap) {
        mem_free(u->weights);
        u->sequences_cap = b->sequences;
        u->weights = mem_alloc(b->sequences * sizeof *u->weights);
    }
}

/* ---- the pairs ---- */

struct sequence {
    double nll, old; /* sums */
    uint64_t targets;
};

static struct sequence look_at(const struct unlearner *u, size_t s)
{
    const struct token_batch *b = &u->batch.pairs;
    struct sequence q = {0};
    for (size_t i = b->starts[s]; i < b->starts[s + 1]; i++) {
        if (batch_target(b, i, b->starts[s + 1]) != BATCH_NO_TARGET) {
            q.targets++;
            q.nll += (double)u->nll[i];
            q.old += u->opt.loss == UNLEARN_RANK ? (double)u->old_nll[i] : 0;
        }
    }
    return q;
}

/* Weights that make the gradient of the sum of losses / all targets that of the mean over pairs. */
static void weigh_pairs(struct unlearner *u, uint64_t targets)
{
    size_t pairs = u->batch.pairs.sequences / 2;
    double each = (double)targets / (double)pairs;
    for (size_t p = 0; p < pairs; p++) {
        struct sequence bad = look_at(u, 2 * p), good = look_at(u, 2 * p + 1);
        float *w = u->weights + 2 * p;
        w[0] = w[1] = 0;
        if (u->opt.loss == UNLEARN_ASCENT) {
            w[0] = bad.targets > 0 ? (float)(-each / (double)bad.targets) : 0;
            u->loss -= bad.targets > 0 ? bad.nll / (double)bad.targets / (double)pairs : 0;
        } else if (bad.targets > 0 && good.targets > 0) {
            double ahead = (good.old - good.nll) / (double)good.targets -
                           (bad.old - bad.nll) / (double)bad.targets;
            double x = u->opt.sharpness * ahead, push = u->opt.sharpness / (1 + exp(x));
            w[0] = (float)(-push * each / (double)bad.targets);
            w[1] = (float)(push * each / (double)good.targets);
            u->loss += (x > 0 ? log1p(exp(-x)) : log1p(exp(x)) - x) / (double)pairs;
        }
    }
}

static winnow_status add_pairs(struct unlearner *u, struct winnow_error *err)
{
    struct token_batch b = u->batch.pairs;
    uint64_t targets = batch_targets(&b);
    make_room(u, &b);
    TRY(engine_nll(trainer_engine(u->trainer), &b, u->nll, err));
    u->flops += forward_flops(u, &b);
    if (u->opt.loss == UNLEARN_RANK) {
        TRY(engine_nll(u->old, &b, u->old_nll, err));
        u->flops += forward_flops(u, &b);
    }
    weigh_pairs(u, targets);
    b.weights = u->weights;
    return trainer_add(u->trainer, &b, targets, err);
}

/* ---- neutral text ---- */

static winnow_status add_divergence(struct unlearner *u, struct winnow_error *err)
{
    const struct token_batch *b = &u->batch.neutral;
    size_t need = batch_tokens(b) * model_config(trainer_model(u->trainer))->vocab;
    if (need > u->logits_cap) {
        mem_free(u->logits);
        u->logits = mem_try_alloc(need * sizeof *u->logits);
        u->logits_cap = u->logits ? need : 0;
    }
    if (!u->logits) {
        return error_set(err, WINNOW_E_NOMEM,
                         "no memory for the old model's logits of %zu tokens: lower --batch-tokens",
                         batch_tokens(b));
    }
    double sum, targets = (double)batch_targets(b);
    TRY(engine_logits(u->old, b, u->logits, err));
    u->flops += forward_flops(u, b);
    TRY(trainer_add_divergence(u->trainer, b, (float)(u->opt.keep / targets), u->logits, &sum,
                               err));
    u->loss += u->opt.keep * sum / targets;
    return WINNOW_OK;
}

static winnow_status add_neutral(struct unlearner *u, struct winnow_error *err)
{
    const struct token_batch *b = &u->batch.neutral;
    uint64_t targets = batch_targets(b);
    make_room(u, b);
    TRY(trainer_add(u->trainer, b, targets, err));
    return WINNOW_OK;
}

static winnow_status add(void *of, const struct token_batch *b, uint64_t targets_total, double *nll,
                         struct winnow_error *err)
{
    (void)b;
    (void)targets_total;
    (void)nll; /* nobody listens */
    struct unlearner *u = of;
    u->loss = 0;
    if (u->opt.loss == UNLEARN_TUNE) {
        return add_neutral(u, err);
    }
    TRY(add_pairs(u, err));
    return u->opt.loss == UNLEARN_RANK && u->opt.keep > 0 ? add_divergence(u, err) : WINNOW_OK;
}

static winnow_status update(void *of, struct trainer_result *out, struct winnow_error *err)
{
    struct unlearner *u = of;
    TRY(trainer_update(u->trainer, out, err));
    out->loss = u->opt.loss == UNLEARN_TUNE ? out->loss : u->loss;
    return WINNOW_OK;
}

/* ---- as a learner and a sampler ---- */

static uint64_t steps(const void *of)
{
    return trainer_steps(((const struct unlearner *)of)->trainer);
}

static double flops(const void *of)
{
    const struct unlearner *u = of;
    return trainer_flops(u->trainer) + u->flops;
}

static struct engine *engine(void *of)
{
    return trainer_engine(((struct unlearner *)of)->trainer);
}

static float *values(void *of, size_t *count)
{
    struct unlearner *u = of;
    return u->inner.kind->values(u->inner.of, count);
}

static void changed(void *of)
{
    struct unlearner *u = of;
    u->inner.kind->changed(u->inner.of);
}

static winnow_status save(const void *of, const char *path, struct winnow_error *err)
{
    return trainer_save(((const struct unlearner *)of)->trainer, path, err);
}

static winnow_status load(void *of, const char *path, struct winnow_error *err)
{
    return trainer_load(((struct unlearner *)of)->trainer, path, err);
}

static void no_free(void *of)
{
    (void)of; /* the caller's */
}

struct learner unlearner_learner(struct unlearner *u)
{
    static const struct learner_kind KIND = {add,    update,  steps, flops, engine,
                                             values, changed, save,  load,  no_free};
    return (struct learner){u, &KIND};
}

/* Steps that an earlier process did are counted again, with what they cost. */
static winnow_status next_batch(void *state, struct sampler_batch *out, bool *more,
                                struct winnow_error *err)
{
    struct unlearner *u = state;
    TRY(u->opt.next(u->opt.ctx, u->step, &u->batch, err));
    if (u->step++ < trainer_steps(u->trainer)) {
        bool rank = u->opt.loss == UNLEARN_RANK;
        u->flops += u->opt.loss == UNLEARN_TUNE ? 0 : forward_flops(u, &u->batch.pairs);
        u->flops += rank ? forward_flops(u, &u->batch.pairs) : 0;
        u->flops += rank && u->opt.keep > 0 ? forward_flops(u, &u->batch.neutral) : 0;
    }
    *out = (struct sampler_batch){.batch = u->opt.loss == UNLEARN_TUNE ? u->batch.neutral
                                                                       : u->batch.pairs};
    *more = true;
    return WINNOW_OK;
}

struct sampler unlearner_sampler(struct unlearner *u)
{
    return (struct sampler){.state = u, .next = next_batch};
}
