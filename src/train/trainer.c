/* trainer.c -- one optimizer step at a time.
 *
 * State is what a checkpoint holds: weights, both moments of AdamW (Loshchilov,
 * Hutter 2019) or the momentum of Muon, and the number of steps; everything else follows from the
 * options.  The gradient is summed in one array, whose norm is taken in pieces
 * of fixed size that are joined in order; then one sweep over all arrays clips,
 * updates and zeroes.
 */
#include "train/trainer.h"

#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/examples.h"
#include "math/kernels.h"
#include "train/trainer_internal.h"

#include <assert.h>
#include <math.h>

#define PIECE ((size_t)32768) /* numbers; three arrays of them fit a second-level cache */

static size_t piece_count(const struct trainer *t)
{
    return (t->count + PIECE - 1) / PIECE;
}

static struct engine_options engine_options_of(const struct trainer_options *opt)
{
    return (struct engine_options){.compute = opt->compute,
                                   .tokens_max = opt->tokens_max,
                                   .gradients = true,
                                   .losses_first = opt->losses_first,
                                   .dropout = opt->dropout > 0};
}

static struct gemm muon_gemm(const struct trainer_options *opt, const struct kernels *k)
{
    return (struct gemm){k, opt->compute == ENGINE_BF16 ? GEMM_BF16 : GEMM_F32};
}

/* Muon's scratch of all threads, which comes first; 0 without it. */
static size_t muon_bytes(const struct model_config *c, const struct trainer_options *opt,
                         const struct kernels *k, uint32_t threads)
{
    const struct gemm g = muon_gemm(opt, k);
    return opt->optimizer == TRAINER_MUON ? threads * muon_scratch(c, &g) * sizeof(float) : 0;
}

/* Moments, gradient, average, sums of squares. */
static size_t own_bytes(const struct trainer_options *opt, size_t count)
{
    size_t arrays = opt->average > 0 ? 4 : 3;
    return arrays * count * sizeof(float) + (count / PIECE + 1) * sizeof(double);
}

uint64_t trainer_memory(const struct model_config *c, const struct trainer_options *opt,
                        uint32_t threads)
{
    struct engine_options eo = engine_options_of(opt);
    /* Up to 15 numbers lie between tensors. */
    size_t count = model_config_parameters(c) + 16 * (3 + 16 * (size_t)c->layers);
    size_t muon = 0;
    for (size_t i = 0; kernels_usable(i); i++) {
        size_t bytes = muon_bytes(c, opt, kernels_usable(i), threads);
        muon = bytes > muon ? bytes : muon;
    }
    return engine_memory(c, &eo, threads) + own_bytes(opt, count) + muon;
}

static winnow_status check_options(const struct trainer_options *o, struct winnow_error *err)
{
    bool good = o->lr >= 0 && o->lr_end >= 0 && o->lr_end <= 1 && o->beta1 >= 0 && o->beta1 < 1 &&
                o->beta2 >= 0 && o->beta2 < 1 && o->momentum >= 0 && o->momentum < 1 &&
                o->eps > 0 && o->weight_decay >= 0 && o->clip >= 0 && o->dropout >= 0 &&
                o->dropout < 1;
    if (!good) {
        return error_set(
            err, WINNOW_E_USAGE,
            "training: rates must not be negative, betas, momentum and dropout lie in [0, 1), eps "
            "above 0");
    }
    return WINNOW_OK;
}

winnow_status trainer_new(struct model *m, struct pool *pool, const struct trainer_options *opt,
                          const struct winnow_env *env, struct trainer **out,
                          struct winnow_error *err)
{
    TRY(check_options(opt, err));
    const struct kernels *k;
    TRY(kernels_pick(env->kernels, &k, err));
    struct trainer *t = mem_zalloc(sizeof *t);
    *t = (struct trainer){.model = m, .pool = pool, .opt = *opt, .k = k};
    t->count = model_values_count(m);
    size_t scratch = muon_bytes(model_config(m), opt, k, pool_threads(pool));
    t->memory_bytes = scratch + own_bytes(opt, t->count);
    struct engine_options eo = engine_options_of(opt);
    winnow_status st = engine_new(m, pool, &eo, env, &t->engine, err);
    uint64_t all = t->memory_bytes + (st == WINNOW_OK ? engine_bytes(t->engine) : 0);
    if (st == WINNOW_OK && env->memory_max > 0 && all > env->memory_max) {
        st =
            error_set(err, WINNOW_E_LIMIT,
                      "training: needs %llu MiB, --memory allows %llu MiB; fewer tokens at a "
                      "time need less",
                      (unsigned long long)(all >> 20), (unsigned long long)(env->memory_max >> 20));
    } else if (st == WINNOW_OK && !(t->memory = mem_try_alloc_huge(t->memory_bytes))) {
        st = error_set(err, WINNOW_E_NOMEM, "training: no memory for %zu MiB",
                       t->memory_bytes >> 20);
    }
    if (st != WINNOW_OK) {
        trainer_free(t);
        return st;
    }
    t->squares = (double *)t->memory + scratch / sizeof(double);
    t->m = (float *)(t->squares + t->count / PIECE + 1);
    t->v = t->m + t->count;
    t->gradient = t->v + t->count;
    t->average = opt->average > 0 ? t->gradient + t->count : NULL;
    if (opt->optimizer == TRAINER_MUON) {
        const struct gemm g = muon_gemm(opt, k);
        t->muon = muon_new(m, &g, t->memory);
    }
    *out = t;
    return WINNOW_OK;
}

void trainer_free(struct trainer *t)
{
    if (!t) {
        return;
    }
    engine_free(t->engine);
    muon_free(t->muon);
    mem_free_huge(t->memory, t->memory_bytes);
    mem_free(t);
}

static winnow_status add(struct trainer *t, const struct token_batch *b, uint64_t targets_total,
                         double *nll, struct winnow_error *err)
{
    if (targets_total == 0) {
        return error_set(err, WINNOW_E_USAGE, "training: a batch without a single target");
    }
    double sum;
    float scale = (float)(1.0 / (double)targets_total);
    /* pieces of one step begin at the same place of different batches */
    engine_drop(t->engine, t->opt.dropout,
                rng_mix(rng_mix(t->opt.dropout_seed + t->steps) + t->pending.tokens));
    winnow_status st = engine_gradient(t->engine, b, scale, t->gradient, &sum, nll, err);
    engine_drop(t->engine, 0, 0);
    TRY(st);
    step_sums_add(&t->pending, model_config(t->model), b, sum);
    return WINNOW_OK;
}

winnow_status trainer_add(struct trainer *t, const struct token_batch *b, uint64_t targets_total,
                          struct winnow_error *err)
{
    return add(t, b, targets_total, NULL, err);
}

static void squares_piece(void *trainer, size_t piece, uint32_t worker)
{
    (void)worker;
    struct trainer *t = trainer;
    size_t from = piece * PIECE, n = t->count - from < PIECE ? t->count - from : PIECE;
    t->squares[piece] = t->k->sum_squares(t->gradient + from, n);
}

static double gradient_norm(struct trainer *t)
{
    pool_run(t->pool, piece_count(t), squares_piece, t);
    double sum = 0;
    for (size_t i = 0; i < piece_count(t); i++) {
        sum += t->squares[i];
    }
    return sqrt(sum);
}

static void sgd_range(struct trainer *t, size_t from, size_t to, bool decay)
{
    float *w = model_values(t->model), rate = (float)trainer_rate(&t->opt, t->steps + 1);
    for (size_t i = from; i < to; i++) {
        w[i] -=
            (decay ? t->step_now.decay * w[i] : 0) + rate * t->step_now.gradient * t->gradient[i];
        t->gradient[i] = 0;
    }
}

static void update_range(struct trainer *t, size_t from, size_t to, bool decay)
{
    struct adamw_step s = t->step_now;
    s.decay = decay ? s.decay : 0.0F;
    if (t->opt.optimizer == TRAINER_SGD) {
        sgd_range(t, from, to, decay);
        return;
    }
    t->k->adamw(model_values(t->model) + from, t->m + from, t->v + from, t->gradient + from,
                to - from, &s);
}

/* The part of each tensor that lies in the piece; tensors come by offset. */
static void update_piece(void *trainer, size_t piece, uint32_t worker)
{
    (void)worker;
    struct trainer *t = trainer;
    size_t from = piece * PIECE, to = from + PIECE;
    for (size_t i = 0; i < model_tensor_count(t->model); i++) {
        const struct model_tensor *tensor = model_tensor_at(t->model, i);
        size_t begin = tensor->offset, end = begin + (size_t)tensor->rows * tensor->cols;
        begin = begin > from ? begin : from;
        end = end < to ? end : to;
        if (begin < end && !(t->muon && tensor_role_is_hidden(tensor->role))) {
            update_range(t, begin, end, !tensor->vector);
        }
    }
}

/* Muon's products are part of what a step costs. */
static void update_hidden(struct trainer *t, double rate)
{
    const struct muon_arrays arrays = {model_values(t->model), t->m, t->gradient};
    const struct muon_step step = {.rate = (float)rate,
                                   .decay = t->step_now.decay,
                                   .momentum = (float)t->opt.momentum,
                                   .gradient = t->step_now.gradient};
    muon_update(t->muon, t->pool, &arrays, &step);
    t->pending.flops += muon_flops(t->muon);
}

/* ---- the mean of the last weights ---- */

/* Weights on a schedule's last stretch wander around a point that is better than they
 * are (Izmailov et al. 2018); their mean is near it, and two trainings on equal data
 * end closer together.  A running mean, since the weights themselves are not kept. */
static void average_piece(void *trainer, size_t piece, uint32_t worker)
{
    (void)worker;
    struct trainer *t = trainer;
    size_t from = piece * PIECE, to = from + PIECE < t->count ? from + PIECE : t->count;
    float *weights = model_values(t->model);
    bool last = t->steps == t->opt.steps;
    uint64_t before = t->opt.average < t->opt.steps ? t->opt.steps - t->opt.average : 0;
    float share = 1.0F / (float)(t->steps - before);
    for (size_t i = from; i < to; i++) {
        t->average[i] += (weights[i] - t->average[i]) * share;
        weights[i] = last ? t->average[i] : weights[i];
    }
}

static void average_weights(struct trainer *t)
{
    if (t->average && t->steps <= t->opt.steps && t->steps + t->opt.average > t->opt.steps) {
        pool_run(t->pool, piece_count(t), average_piece, t);
    }
}

winnow_status trainer_update(struct trainer *t, struct trainer_result *out,
                             struct winnow_error *err)
{
    uint64_t step = t->steps + 1;
    double norm = gradient_norm(t);
    TRY(step_plan(&t->opt, step, norm, &t->step_now, err));
    pool_run(t->pool, piece_count(t), update_piece, t);
    if (t->muon) {
        update_hidden(t, trainer_rate(&t->opt, step));
    }
    t->steps = step;
    average_weights(t);
    engine_weights_changed(t->engine);
    t->flops += t->pending.flops;
    *out = step_end(&t->pending, &t->opt, step, norm);
    return WINNOW_OK;
}

winnow_status trainer_step(struct trainer *t, const struct token_batch *b,
                           struct trainer_result *out, struct winnow_error *err)
{
    TRY(trainer_add(t, b, batch_targets(b), err));
    return trainer_update(t, out, err);
}

bool trainer_moments(const struct trainer *t, float *out)
{
    if (t->steps == 0 || t->opt.optimizer != TRAINER_ADAMW) {
        return false;
    }
    double grown = 1 - pow(t->opt.beta2, (double)t->steps);
    for (size_t i = 0; i < t->count; i++) {
        out[i] = (float)((double)t->v[i] / grown);
    }
    return true;
}

winnow_status trainer_add_examples(struct trainer *t, const struct token_batch *b,
                                   uint64_t targets_total, struct engine_examples *x, double *dots,
                                   double *nll, struct winnow_error *err)
{
    if (targets_total == 0) {
        return error_set(err, WINNOW_E_USAGE, "training: a batch without a single target");
    }
    const struct example_results out = {.dots = dots, .nll = nll};
    float scale = (float)(1.0 / (double)targets_total);
    TRY(engine_gradient_examples(t->engine, b, scale, t->gradient, x, &out, err));
    double sum = 0;
    for (size_t s = 0; s < b->sequences; s++) {
        sum += nll[s];
    }
    step_sums_add(&t->pending, model_config(t->model), b, sum);
    return WINNOW_OK;
}

winnow_status trainer_add_divergence(struct trainer *t, const struct token_batch *b, float scale,
                                     float *teacher, double *sum, struct winnow_error *err)
{
    TRY(engine_gradient_divergence(t->engine, b, scale, teacher, t->gradient, sum, err));
    for (size_t s = 0; s < b->sequences; s++) {
        t->pending.flops +=
            3 * model_config_flops(model_config(t->model), b->starts[s + 1] - b->starts[s]);
    }
    return WINNOW_OK;
}

bool trainer_precondition(const struct trainer *t, float *x)
{
    if (t->opt.optimizer == TRAINER_SGD) {
        return true;
    }
    if (t->steps == 0 || t->muon) {
        return false;
    }
    float root = (float)(1 / sqrt(1 - pow(t->opt.beta2, (double)t->steps)));
    for (size_t i = 0; i < t->count; i++) {
        x[i] /= sqrtf(t->v[i]) * root + (float)t->opt.eps;
    }
    return true;
}

double trainer_clipped(const struct trainer *t, double norm)
{
    return t->opt.clip > 0 && norm > t->opt.clip ? t->opt.clip / norm : 1;
}

const struct model *trainer_model(const struct trainer *t)
{
    return t->model;
}

double trainer_next_rate(const struct trainer *t)
{
    return trainer_rate(&t->opt, t->steps + 1);
}

uint64_t trainer_steps(const struct trainer *t)
{
    return t->steps;
}

double trainer_flops(const struct trainer *t)
{
    return t->flops;
}

struct engine *trainer_engine(struct trainer *t)
{
    return t->engine;
}

/* ---- as a learner ---- */

static winnow_status learner_add(void *of, const struct token_batch *b, uint64_t targets_total,
                                 double *nll, struct winnow_error *err)
{
    return add(of, b, targets_total, nll, err);
}

static winnow_status learner_update(void *of, struct trainer_result *out, struct winnow_error *err)
{
    return trainer_update(of, out, err);
}

static uint64_t learner_steps(const void *of)
{
    return trainer_steps(of);
}

static double learner_flops(const void *of)
{
    return trainer_flops(of);
}

static struct engine *learner_engine(void *of)
{
    return trainer_engine(of);
}

static float *learner_values(void *of, size_t *count)
{
    const struct trainer *t = of;
    *count = t->count;
    return model_values(t->model);
}

static void learner_changed(void *of)
{
    engine_weights_changed(((struct trainer *)of)->engine);
}

static winnow_status learner_save(const void *of, const char *path, struct winnow_error *err)
{
    return trainer_save(of, path, err);
}

static winnow_status learner_load(void *of, const char *path, struct winnow_error *err)
{
    return trainer_load(of, path, err);
}

static void learner_release(void *of)
{
    trainer_free(of);
}

struct learner trainer_learner(struct trainer *t)
{
    static const struct learner_kind KIND = {
        learner_add,    learner_update,  learner_steps, learner_flops, learner_engine,
        learner_values, learner_changed, learner_save,  learner_load,  learner_release};
    return (struct learner){t, &KIND};
}
