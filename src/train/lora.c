/* lora.c -- adapters on a model's matrices.
 *
 * One adapter is one piece of work: its A and B lie together, and merging it, its
 * gradient and its part of the norm are computed by whoever is free, in an order
 * of its own.  Rows of W and dW' are read once each; A and its gradient stay in a
 * second-level cache. */
#include "train/lora.h"

#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "math/kernels.h"
#include "train/lora_internal.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

static size_t size_of(const struct model_tensor *t)
{
    return (size_t)t->rows * t->cols;
}

/* Numbers of the matrices with adapters, and of the adapters. */
static void count_numbers(const struct model *m, uint32_t rank, size_t *base, size_t *adapters,
                          size_t *matrices)
{
    *base = *adapters = *matrices = 0;
    for (size_t i = 0; i < model_tensor_count(m); i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        if (tensor_role_is_hidden(t->role)) {
            *base += size_of(t);
            *adapters += (size_t)rank * (t->rows + t->cols);
            (*matrices)++;
        }
    }
}

uint64_t lora_memory(const struct model_config *c, const struct lora_options *opt, uint32_t threads)
{
    const struct engine_options eo = {.compute = opt->trainer.compute,
                                      .tokens_max = opt->trainer.tokens_max,
                                      .gradients = true,
                                      .losses_first = opt->trainer.losses_first};
    uint64_t d = c->dim, q = (uint64_t)c->heads * c->head_dim,
             kv = (uint64_t)c->kv_heads * c->head_dim;
    uint64_t base = c->layers * (2 * d * q + 2 * d * kv + 3 * d * c->ffn);
    uint64_t sides = c->layers * (2 * (d + q) + 2 * (d + kv) + 3 * (d + c->ffn));
    /* the copy of the matrices, the whole gradient; values, gradient, two moments */
    uint64_t whole = model_config_parameters(c) + 16 * (3 + 16 * (uint64_t)c->layers);
    return engine_memory(c, &eo, threads) +
           sizeof(float) * (base + whole + 4 * (uint64_t)opt->rank * sides);
}

static winnow_status check_rank(const struct model *m, const struct lora_options *opt,
                                struct winnow_error *err)
{
    if (opt->rank == 0 || !(opt->alpha > 0)) {
        return error_set(err, WINNOW_E_USAGE,
                         "LoRA needs a rank of at least 1 and an alpha above 0");
    }
    for (size_t i = 0; i < model_tensor_count(m); i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        if (tensor_role_is_hidden(t->role) && (opt->rank > t->rows || opt->rank > t->cols)) {
            return error_set(err, WINNOW_E_USAGE,
                             "a LoRA rank of %u is more than %s, which is %u x %u, can have",
                             opt->rank, t->name, t->rows, t->cols);
        }
    }
    return WINNOW_OK;
}

static void place_adapters(struct lora *l)
{
    size_t at = 0, base = 0;
    for (size_t i = 0; i < model_tensor_count(l->model); i++) {
        const struct model_tensor *t = model_tensor_at(l->model, i);
        if (!tensor_role_is_hidden(t->role)) {
            continue;
        }
        struct adapter_place *p = &l->adapters[l->adapter_count++];
        *p = (struct adapter_place){{t, at, at + (size_t)l->opt.rank * t->cols}, base};
        memcpy(l->base + base, model_data(l->model, t), size_of(t) * sizeof(float));
        base += size_of(t);
        at += (size_t)l->opt.rank * (t->rows + t->cols);
    }
    assert(at == l->count);
}

static void init_values(struct lora *l)
{
    for (size_t i = 0; i < l->adapter_count; i++) {
        const struct lora_adapter *a = &l->adapters[i].adapter;
        struct rng r;
        char stream[96];
        (void)snprintf(stream, sizeof stream, "lora %s", a->tensor->name);
        rng_init(&r, l->opt.seed, stream);
        double bound = 1 / sqrt((double)a->tensor->cols);
        for (size_t k = a->a; k < a->b; k++) {
            l->values[k] = (float)((2 * rng_uniform(&r) - 1) * bound);
        }
    }
}

static winnow_status take_memory(struct lora *l, const struct winnow_env *env,
                                 struct winnow_error *err)
{
    size_t base, matrices;
    count_numbers(l->model, l->opt.rank, &base, &l->count, &matrices);
    l->gradient_count = model_values_count(l->model);
    l->memory_bytes = (base + l->gradient_count + 4 * l->count) * sizeof(float);
    uint64_t all = l->memory_bytes + engine_bytes(l->engine);
    if (env->memory_max > 0 && all > env->memory_max) {
        return error_set(err, WINNOW_E_LIMIT,
                         "LoRA: needs %llu MiB beside the model, --memory allows %llu MiB; fewer "
                         "tokens at a time need less",
                         (unsigned long long)(all >> 20),
                         (unsigned long long)(env->memory_max >> 20));
    }
    l->base = mem_try_alloc_huge(l->memory_bytes);
    if (!l->base) {
        return error_set(err, WINNOW_E_NOMEM, "LoRA: no memory for %zu MiB", l->memory_bytes >> 20);
    }
    l->whole = l->base + base;
    l->values = l->whole + l->gradient_count;
    l->gradient = l->values + l->count;
    l->m = l->gradient + l->count;
    l->v = l->m + l->count;
    l->adapters = mem_zalloc(matrices * sizeof *l->adapters);
    l->squares = mem_zalloc(matrices * sizeof *l->squares);
    return WINNOW_OK;
}

winnow_status lora_new(struct model *m, struct pool *pool, const struct lora_options *opt,
                       const struct winnow_env *env, struct lora **out, struct winnow_error *err)
{
    *out = NULL;
    TRY(check_rank(m, opt, err));
    const struct kernels *k;
    TRY(kernels_pick(env->kernels, &k, err));
    struct lora *l = mem_zalloc(sizeof *l);
    *l = (struct lora){.model = m, .pool = pool, .opt = *opt, .k = k};
    const struct engine_options eo = {.compute = opt->trainer.compute,
                                      .tokens_max = opt->trainer.tokens_max,
                                      .gradients = true,
                                      .losses_first = opt->trainer.losses_first};
    winnow_status st = engine_new(m, pool, &eo, env, &l->engine, err);
    if (st == WINNOW_OK) {
        st = take_memory(l, env, err);
    }
    if (st != WINNOW_OK) {
        lora_free(l);
        return st;
    }
    place_adapters(l);
    init_values(l);
    *out = l;
    return WINNOW_OK;
}

void lora_free(struct lora *l)
{
    if (!l) {
        return;
    }
    engine_free(l->engine);
    if (l->base) {
        mem_free_huge(l->base, l->memory_bytes);
    }
    mem_free(l->adapters);
    mem_free(l->squares);
    mem_free(l);
}

static float scale_of(const struct lora *l)
{
    return (float)(l->opt.alpha / (double)l->opt.rank);
}

static void merge_piece(void *lora, size_t piece, uint32_t worker)
{
    (void)worker;
    struct lora *l = lora;
    const struct adapter_place *p = &l->adapters[piece];
    const struct model_tensor *t = p->adapter.tensor;
    float *w = model_data(l->model, t), s = scale_of(l);
    const float *a = l->values + p->adapter.a, *b = l->values + p->adapter.b;
    for (size_t i = 0; i < t->rows; i++) {
        float *row = w + i * t->cols;
        memcpy(row, l->base + p->base + i * t->cols, t->cols * sizeof *row);
        for (size_t k = 0; k < l->opt.rank; k++) {
            l->k->axpy(row, s * b[i * l->opt.rank + k], a + k * t->cols, t->cols);
        }
    }
}

void lora_merge(struct lora *l)
{
    pool_run(l->pool, l->adapter_count, merge_piece, l);
    engine_weights_changed(l->engine);
}

/* The adapter's gradient from that of its matrix, and the square of its norm. */
static void gradient_piece(void *lora, size_t piece, uint32_t worker)
{
    (void)worker;
    struct lora *l = lora;
    const struct lora_adapter *p = &l->adapters[piece].adapter;
    const struct model_tensor *t = p->tensor;
    size_t rank = l->opt.rank;
    const float *a = l->values + p->a, *b = l->values + p->b, *dw = l->whole + t->offset;
    float *da = l->gradient + p->a, *db = l->gradient + p->b, s = scale_of(l);
    memset(da, 0, rank * t->cols * sizeof *da);
    for (size_t i = 0; i < t->rows; i++) {
        const float *row = dw + i * t->cols;
        for (size_t k = 0; k < rank; k++) {
            db[i * rank + k] = s * l->k->dot(row, a + k * t->cols, t->cols);
            l->k->axpy(da + k * t->cols, s * b[i * rank + k], row, t->cols);
        }
    }
    l->squares[piece] = l->k->sum_squares(da, rank * (t->rows + (size_t)t->cols));
}

static void compute_gradient(struct lora *l)
{
    pool_run(l->pool, l->adapter_count, gradient_piece, l);
}

void lora_gradient(struct lora *l, float *out)
{
    compute_gradient(l);
    memcpy(out, l->gradient, l->count * sizeof *out);
}

static winnow_status add(struct lora *l, const struct token_batch *b, uint64_t targets_total,
                         double *nll, struct winnow_error *err)
{
    if (targets_total == 0) {
        return error_set(err, WINNOW_E_USAGE, "training: a batch without a single target");
    }
    double sum;
    float scale = (float)(1.0 / (double)targets_total);
    TRY(engine_gradient(l->engine, b, scale, l->whole, &sum, nll, err));
    step_sums_add(&l->pending, model_config(l->model), b, sum);
    return WINNOW_OK;
}

winnow_status lora_add(struct lora *l, const struct token_batch *b, uint64_t targets_total,
                       struct winnow_error *err)
{
    return add(l, b, targets_total, NULL, err);
}

static void update_piece(void *lora, size_t piece, uint32_t worker)
{
    (void)worker;
    struct lora *l = lora;
    const struct lora_adapter *p = &l->adapters[piece].adapter;
    size_t n = (size_t)l->opt.rank * (p->tensor->rows + p->tensor->cols);
    l->k->adamw(l->values + p->a, l->m + p->a, l->v + p->a, l->gradient + p->a, n, &l->step_now);
}

winnow_status lora_update(struct lora *l, struct trainer_result *out, struct winnow_error *err)
{
    const struct trainer_options *o = &l->opt.trainer;
    uint64_t step = l->steps + 1;
    compute_gradient(l);
    double squares = 0;
    for (size_t i = 0; i < l->adapter_count; i++) {
        squares += l->squares[i];
    }
    double norm = sqrt(squares);
    TRY(step_plan(o, step, norm, &l->step_now, err));
    pool_run(l->pool, l->adapter_count, update_piece, l);
    memset(l->whole, 0, l->gradient_count * sizeof *l->whole);
    lora_merge(l);
    l->steps = step;
    l->flops += l->pending.flops;
    *out = step_end(&l->pending, o, step, norm);
    return WINNOW_OK;
}

uint64_t lora_steps(const struct lora *l)
{
    return l->steps;
}

double lora_flops(const struct lora *l)
{
    return l->flops;
}

struct engine *lora_engine(struct lora *l)
{
    return l->engine;
}

size_t lora_count(const struct lora *l)
{
    return l->count;
}

float *lora_values(struct lora *l)
{
    return l->values;
}

size_t lora_adapter_count(const struct lora *l)
{
    return l->adapter_count;
}

const struct lora_adapter *lora_adapter_at(const struct lora *l, size_t i)
{
    return &l->adapters[i].adapter;
}

/* ---- as a learner ---- */

static winnow_status learner_add(void *of, const struct token_batch *b, uint64_t targets_total,
                                 double *nll, struct winnow_error *err)
{
    return add(of, b, targets_total, nll, err);
}

static winnow_status learner_update(void *of, struct trainer_result *out, struct winnow_error *err)
{
    return lora_update(of, out, err);
}

static uint64_t learner_steps(const void *of)
{
    return lora_steps(of);
}

static double learner_flops(const void *of)
{
    return lora_flops(of);
}

static struct engine *learner_engine(void *of)
{
    return lora_engine(of);
}

static float *learner_values(void *of, size_t *count)
{
    *count = lora_count(of);
    return lora_values(of);
}

static void learner_changed(void *of)
{
    lora_merge(of);
}

static winnow_status learner_save(const void *of, const char *path, struct winnow_error *err)
{
    return lora_save(of, path, err);
}

static winnow_status learner_load(void *of, const char *path, struct winnow_error *err)
{
    return lora_load(of, path, err);
}

static void learner_release(void *of)
{
    lora_free(of);
}

struct learner lora_learner(struct lora *l)
{
    static const struct learner_kind KIND = {
        learner_add,    learner_update,  learner_steps, learner_flops, learner_engine,
        learner_values, learner_changed, learner_save,  learner_load,  learner_release};
    return (struct learner){l, &KIND};
}
