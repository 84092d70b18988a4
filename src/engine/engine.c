/* engine.c -- an engine's memory, and the cutting of batches into micro-batches.
 *
 * All memory is one allocation on huge pages, laid out by plan(), which runs
 * twice: first without a base, to know the size, then to set the pointers.
 * Nothing is allocated afterwards.
 */
#include "base/env.h"
#include "base/mem.h"
#include "base/round.h"
#include "engine/engine_internal.h"

#include <assert.h>
#include <math.h>

#define LINE 64U /* bytes */

/* Memory handed out in order; without a base only counted. */
struct cursor {
    char *base;
    size_t used;
};

static void *take(struct cursor *at, size_t bytes)
{
    void *p = at->base ? at->base + at->used : NULL;
    at->used += (bytes + LINE - 1) / LINE * LINE;
    return p;
}

static float *take_floats(struct cursor *at, size_t a, size_t b)
{
    return take(at, a * b * sizeof(float));
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static struct packed plan_packed(const struct engine *e, struct cursor *at, size_t n, size_t k)
{
    struct packed p = {take(at, gemm_size_b(&e->g, n, k)), NULL};
    if (e->gradients) {
        p.backward = take(at, gemm_size_b(&e->g, k, n));
    }
    return p;
}

static size_t head_chunks(const struct engine *e)
{
    return (e->c.vocab + HEAD_CHUNK - 1) / HEAD_CHUNK;
}

/* Four a layer, the head, and an embedding that is not the head. */
static size_t matrices_max(const struct engine *e)
{
    return (size_t)e->c.layers * 4 + 2;
}

static void plan_weights(struct engine *e, struct cursor *at, struct engine_layer *layers)
{
    size_t d = e->c.dim, f = e->c.ffn;
    for (uint32_t i = 0; i < e->c.layers; i++) {
        struct engine_layer *l = &layers[i];
        l->w_qkv = plan_packed(e, at, e->s, d);
        l->w_o = plan_packed(e, at, d, e->q);
        l->w_gate_up = plan_packed(e, at, 2 * f, d);
        l->w_down = plan_packed(e, at, d, f);
    }
    e->w_head.forward = take(at, gemm_size_b(&e->g, e->c.vocab, d));
    if (e->gradients) {
        e->w_head.backward = take(at, head_chunks(e) * gemm_size_b(&e->g, d, HEAD_CHUNK));
    }
}

static void plan_layer(const struct engine *e, struct cursor *at, struct engine_layer *l)
{
    size_t t = e->tokens_max, d = e->c.dim;
    l->x = take_floats(at, t, d);
    l->r1 = take_floats(at, t, 1);
    l->r2 = take_floats(at, t, 1);
    l->qkv = take_floats(at, t, e->s);
    l->attended = take_floats(at, t, e->q);
    l->lse = take_floats(at, t, e->c.heads);
    l->mid = take_floats(at, t, d);
    l->gate_up = take_floats(at, t, 2 * (size_t)e->c.ffn);
}

/* The activations of the first layer stand for all when none are kept. */
static void share_layer(struct engine_layer *l, const struct engine_layer *first)
{
    l->x = first->x;
    l->r1 = first->r1;
    l->r2 = first->r2;
    l->qkv = first->qkv;
    l->attended = first->attended;
    l->lse = first->lse;
    l->mid = first->mid;
    l->gate_up = first->gate_up;
}

static void plan_back(struct engine *e, struct cursor *at)
{
    struct engine_back *b = &e->back;
    size_t t = e->tokens_max, d = e->c.dim, f = e->c.ffn;
    size_t tiles = t / e->k->gemm_rows + 2;
    e->normed = take_floats(at, t, d);
    b->dx = take_floats(at, t, d);
    b->dnext = take_floats(at, t, d);
    b->dmid = take_floats(at, t, d);
    b->norm1 = take_floats(at, t, d);
    b->norm2 = take_floats(at, t, d);
    b->hidden = take_floats(at, t, f);
    b->dgate_up = take_floats(at, t, 2 * f);
    b->dattended = take_floats(at, t, e->q);
    b->delta = take_floats(at, t, e->c.heads);
    b->dqkv = take_floats(at, t, e->s);
    if (e->may_drop) {
        b->dropped_attention = take_floats(at, t, d);
        b->dropped_mlp = take_floats(at, t, d);
    }
    b->dnorm1 = take_floats(at, tiles, d);
    b->dnorm2 = take_floats(at, tiles, d);
    b->dnorm = take_floats(at, tiles, d);
    b->logits = take_floats(at, e->head_tiles * e->head_rows, e->c.vocab);
    b->scored = take(at, t * sizeof *b->scored);
    if (e->losses_first) {
        e->sequence_nll = take(at, t * sizeof *e->sequence_nll);
        e->sequence_targets = take(at, t * sizeof *e->sequence_targets);
        e->sequence_weights = take(at, t * sizeof *e->sequence_weights);
    }
}

static void plan_scratch(const struct engine *e, struct cursor *at, struct engine_scratch *s)
{
    size_t widest = most(most(e->c.dim, e->c.ffn), most(e->q, e->s));
    size_t deepest = most(most(widest, 2 * (size_t)e->c.ffn), most(HEAD_CHUNK, WEIGHT_DEPTH));
    s->rows = take_floats(at, TILE_MOST, widest);
    /* A packed tile of tokens, or a block of a weight gradient. */
    s->a = take(at, most(gemm_size_a(&e->g, TILE_MOST, deepest),
                         gemm_size_a(&e->g, 2 * (size_t)WEIGHT_ROWS, WEIGHT_DEPTH)));
    s->b = take(at, gemm_size_b(&e->g, WEIGHT_COLS, WEIGHT_DEPTH));
    s->chunk = take_floats(at, TILE_MOST, (size_t)2 * FFN_CHUNK);
    s->hidden = take(at, gemm_size_a(&e->g, TILE_MOST, e->c.ffn));
    s->logits = take_floats(at, TILE_MOST, HEAD_CHUNK);
    s->attention = take_floats(at, attention_scratch_floats(e), 1);
}

/* Lays everything out from base (NULL: only measures) and returns the bytes. */
static size_t plan(struct engine *e, char *base)
{
    struct cursor at = {base, 0};
    struct engine_layer *layers = take(&at, e->c.layers * sizeof *layers);
    struct engine_scratch *scratch = take(&at, e->threads * sizeof *scratch);
    e->matrices = take(&at, matrices_max(e) * sizeof *e->matrices);
    struct engine_layer unused_layer;
    struct engine_scratch unused_scratch;
    size_t t = e->tokens_max, half = e->c.head_dim / 2;
    for (uint32_t i = 0; i < e->c.layers; i++) {
        struct engine_layer *l = base ? &layers[i] : &unused_layer;
        if (i == 0 || e->gradients) {
            plan_layer(e, &at, l);
        } else if (base) {
            share_layer(l, &layers[0]);
        }
    }
    e->x = e->gradients || !base ? take_floats(&at, e->gradients ? t : 0, e->c.dim) : layers[0].x;
    e->r = take_floats(&at, t, 1);
    e->rope_cos = take_floats(&at, t, half);
    e->rope_sin = take_floats(&at, t, half);
    e->nll = take_floats(&at, t, 1);
    e->positions = take(&at, t * sizeof(uint32_t));
    e->scales = e->gradients ? take(&at, t * sizeof(float)) : NULL;
    e->targets = take(&at, t * sizeof(uint32_t));
    e->starts = take(&at, (t + 1) * sizeof(uint32_t));
    e->which = take(&at, t * sizeof(uint32_t));
    if (e->gradients) {
        plan_back(e, &at);
    }
    for (uint32_t i = 0; i < e->threads; i++) {
        plan_scratch(e, &at, base ? &scratch[i] : &unused_scratch);
    }
    e->layers = layers;
    e->scratch = scratch;
    return at.used;
}

static void borrow_weights(struct engine *e, struct engine_layer *layers)
{
    for (uint32_t i = 0; i < e->c.layers; i++) {
        const struct engine_layer *from = &e->weights->layers[i];
        layers[i].w_qkv = from->w_qkv;
        layers[i].w_o = from->w_o;
        layers[i].w_gate_up = from->w_gate_up;
        layers[i].w_down = from->w_down;
    }
    e->w_head = e->weights->w_head;
}

/* Packed weights are planned apart: they need the layers array to exist. */
static size_t plan_all(struct engine *e, char *base)
{
    size_t used = (plan(e, base) + 4095) / 4096 * 4096;
    struct cursor at = {base ? base + used : NULL, 0};
    struct engine_layer *layers = base ? e->layers : mem_zalloc(e->c.layers * sizeof *layers);
    if (e->weights) {
        borrow_weights(e, layers);
    } else {
        plan_weights(e, &at, layers);
    }
    if (!base) {
        mem_free(layers);
    }
    return used + at.used;
}

/* With losses_first the logits of a whole micro-batch are kept, or they are computed twice. */
#define WHOLE_LOGITS ((size_t)256 << 20)

/* How much of the logits' gradient exists at a time: a tile should stay in a
 * second-level cache, and about 16 MiB of tiles are kept for dW. */
static void describe_head(struct engine *e)
{
    uint32_t rows = e->k->gemm_rows;
    e->head_rows = (uint32_t)(((size_t)128 << 10) / e->c.vocab / rows * rows);
    e->head_rows = e->head_rows < 2 * rows ? 2 * rows : e->head_rows;
    e->head_rows = e->head_rows > TILE_MOST ? TILE_MOST : e->head_rows;
    size_t tiles = ((size_t)4 << 20) / e->c.vocab / e->head_rows;
    size_t all = e->tokens_max / e->head_rows + 1;
    e->head_tiles = tiles == 0 ? 1 : tiles < all ? tiles : all;
    if (e->losses_first && all * e->head_rows * e->c.vocab * sizeof(float) <= WHOLE_LOGITS) {
        e->head_tiles = all;
    }
}

/* Everything about an engine that does not need memory. */
static void describe(struct engine *e, const struct model_config *c,
                     const struct engine_options *opt, const struct kernels *k, uint32_t threads)
{
    *e = (struct engine){.c = *c,
                         .k = k,
                         .gradients = opt->gradients,
                         .losses_first = opt->losses_first,
                         .may_drop = opt->dropout,
                         .weights = opt->weights,
                         .packed = opt->weights != NULL,
                         .threads = threads};
    static const enum gemm_type WEIGHTS[] = {
        [ENGINE_F32] = GEMM_F32, [ENGINE_BF16] = GEMM_BF16, [ENGINE_INT8] = GEMM_INT8};
    e->g = (struct gemm){k, WEIGHTS[opt->compute]};
    e->g_attention = (struct gemm){k, opt->compute == ENGINE_F32 ? GEMM_F32 : GEMM_BF16};
    e->q = (size_t)c->heads * c->head_dim;
    e->kv = (size_t)c->kv_heads * c->head_dim;
    e->s = e->q + 2 * e->kv;
    e->tokens_max = opt->tokens_max;
    if (e->tokens_max == 0) {
        e->tokens_max = c->context > 2048 ? c->context : 2048;
    }
    e->head_pad = (uint32_t)round_up(c->head_dim, k->lanes);
    describe_head(e);
}

uint64_t engine_memory(const struct model_config *c, const struct engine_options *opt,
                       uint32_t threads)
{
    struct winnow_error err;
    const struct kernels *k;
    if (kernels_pick(NULL, &k, &err) != WINNOW_OK) {
        return 0;
    }
    struct engine e;
    describe(&e, c, opt, k, threads);
    return plan_all(&e, NULL);
}

/* Rotation angles in double: position times base^(-2i / H), scaled. */
static double frequency(const struct model_config *c, size_t i)
{
    double f = pow(c->rope_base, -2.0 * (double)i / c->head_dim);
    if (c->rope_scaling == ROPE_LINEAR) {
        return f / c->rope_factor;
    }
    if (c->rope_scaling != ROPE_LLAMA3) {
        return f;
    }
    double wavelength = 2.0 * 3.14159265358979323846 / f;
    double long_wave = c->rope_context / c->rope_low, short_wave = c->rope_context / c->rope_high;
    if (wavelength < short_wave) {
        return f;
    }
    if (wavelength > long_wave) {
        return f / c->rope_factor;
    }
    double smooth = (c->rope_context / wavelength - c->rope_low) / (c->rope_high - c->rope_low);
    return (1.0 - smooth) * f / c->rope_factor + smooth * f;
}

static void fill_rope(struct engine *e)
{
    size_t half = e->c.head_dim / 2;
    for (size_t i = 0; i < half; i++) {
        double f = frequency(&e->c, i);
        for (size_t p = 0; p < e->tokens_max; p++) {
            e->rope_cos[p * half + i] = (float)cos((double)p * f);
            e->rope_sin[p * half + i] = (float)sin((double)p * f);
        }
    }
}

static const float *weights_of(const struct engine *e, enum tensor_role role, uint32_t layer)
{
    const struct model_tensor *t = model_find_role(e->model, role, layer);
    return t ? model_data_const(e->model, t) : NULL;
}

static void find_vectors(struct engine *e)
{
    for (uint32_t i = 0; i < e->c.layers; i++) {
        struct engine_layer *l = &e->layers[i];
        l->norm1 = weights_of(e, TENSOR_NORM1, i);
        l->norm2 = weights_of(e, TENSOR_NORM2, i);
        l->qkv_bias = weights_of(e, TENSOR_Q_BIAS, i);
        l->o_bias = weights_of(e, TENSOR_O_BIAS, i);
        l->gate_up_bias = weights_of(e, TENSOR_GATE_BIAS, i);
        l->down_bias = weights_of(e, TENSOR_DOWN_BIAS, i);
    }
    e->norm = weights_of(e, TENSOR_NORM, 0);
}

winnow_status engine_new(const struct model *m, struct pool *pool, const struct engine_options *opt,
                         const struct winnow_env *env, struct engine **out,
                         struct winnow_error *err)
{
    const struct kernels *k;
    TRY(kernels_pick(env->kernels, &k, err));
    if (opt->compute == ENGINE_INT8 && opt->gradients) {
        return error_set(err, WINNOW_E_USAGE, "int8 is for scoring, not for training; use bf16");
    }
    assert(!opt->gradients || (!model_in_file(m) && !opt->weights));
    assert(!opt->weights ||
           (opt->weights->model == m && opt->weights->k == k && opt->weights->packed));
    struct engine *e = mem_zalloc(sizeof *e);
    describe(e, model_config(m), opt, k, pool_threads(pool));
    e->model = m;
    e->pool = pool;
    e->memory_bytes = plan_all(e, NULL);
    size_t mib = e->memory_bytes >> 20;
    winnow_status st = WINNOW_OK;
    if (env->memory_max > 0 && e->memory_bytes > env->memory_max) {
        st = error_set(err, WINNOW_E_LIMIT,
                       "engine: needs %zu MiB for %u tokens at a time, --memory allows %llu MiB",
                       mib, e->tokens_max, (unsigned long long)(env->memory_max >> 20));
    } else if (!(e->memory = mem_try_alloc_huge(e->memory_bytes))) {
        st = error_set(err, WINNOW_E_NOMEM, "engine: no memory for %zu MiB", mib);
    }
    if (st != WINNOW_OK) {
        engine_free(e);
        return st;
    }
    (void)plan_all(e, e->memory);
    fill_rope(e);
    find_vectors(e);
    engine_list_matrices(e);
    if (!opt->gradients) {
        st = engine_pack_checked(e, err);
    }
    if (st != WINNOW_OK) {
        engine_free(e);
        return st;
    }
    *out = e;
    return WINNOW_OK;
}

void engine_free(struct engine *e)
{
    if (!e) {
        return;
    }
    mem_free_huge(e->memory, e->memory_bytes);
    mem_free(e);
}

uint64_t engine_bytes(const struct engine *e)
{
    return e->memory_bytes;
}

/* ---- micro-batches ---- */

winnow_status engine_check_batch(const struct engine *e, const struct token_batch *b,
                                 struct winnow_error *err)
{
    for (size_t s = 0; s < b->sequences; s++) {
        assert(b->starts[s] <= b->starts[s + 1]);
        uint32_t n = b->starts[s + 1] - b->starts[s];
        if (n > e->tokens_max) {
            return error_set(
                err, WINNOW_E_LIMIT,
                "a sequence of %u tokens is longer than the %u the engine was made for", n,
                e->tokens_max);
        }
    }
    for (size_t i = 0; i < batch_tokens(b); i++) {
        if (b->tokens[i] >= e->c.vocab ||
            (b->targets && b->targets[i] != BATCH_NO_TARGET && b->targets[i] >= e->c.vocab)) {
            return error_set(err, WINNOW_E_FORMAT, "token %zu lies outside the vocabulary of %u", i,
                             e->c.vocab);
        }
    }
    return WINNOW_OK;
}

/* Tiles of equal size.  As many for each thread, but where gradients are summed
 * tile by tile: results must not depend on the number of threads. */
void engine_cut_tiles(struct engine *e)
{
    assert(e->t > 0 && e->threads > 0);
    size_t tiles = (e->t + TILE_MOST - 1) / TILE_MOST, each = e->gradients ? 1 : e->threads;
    tiles = (tiles + each - 1) / each * each;
    e->tile = (uint32_t)((e->t + tiles - 1) / tiles);
    e->tiles = (e->t + e->tile - 1) / e->tile;
}

bool engine_next_micro(struct engine *e, const struct token_batch *b, size_t *at, size_t *first)
{
    while (*at < b->sequences && b->starts[*at] == b->starts[*at + 1]) {
        (*at)++;
    }
    if (*at >= b->sequences) {
        return false;
    }
    *first = b->starts[*at];
    e->first = *first;
    e->sequences = 0;
    e->t = 0;
    for (; *at < b->sequences; (*at)++) {
        size_t from = b->starts[*at], to = b->starts[*at + 1];
        if (to - *first > e->tokens_max) {
            break;
        }
        if (from == to) {
            continue;
        }
        e->which[e->sequences] = (uint32_t)*at;
        e->starts[e->sequences++] = (uint32_t)(from - *first);
        float scale = b->weights ? e->scale * b->weights[*at] : e->scale;
        for (size_t i = from; i < to; i++) {
            e->positions[i - *first] = (uint32_t)(i - from);
            e->targets[i - *first] = batch_target(b, i, to);
            if (e->scales) {
                e->scales[i - *first] = scale;
            }
        }
        e->t = to - *first;
    }
    e->starts[e->sequences] = (uint32_t)e->t;
    e->tokens = b->tokens + *first;
    engine_cut_tiles(e);
    return true;
}

winnow_status engine_nll(struct engine *e, const struct token_batch *b, float *nll,
                         struct winnow_error *err)
{
    TRY(engine_check_batch(e, b, err));
    engine_pack_weights(e);
    float *own = e->nll;
    for (size_t at = 0, first; engine_next_micro(e, b, &at, &first);) {
        e->nll = nll + first;
        engine_forward(e);
        engine_head(e);
    }
    e->nll = own;
    return WINNOW_OK;
}

winnow_status engine_logits(struct engine *e, const struct token_batch *b, float *logits,
                            struct winnow_error *err)
{
    TRY(engine_check_batch(e, b, err));
    engine_pack_weights(e);
    for (size_t at = 0, first; engine_next_micro(e, b, &at, &first);) {
        e->logits = logits + first * e->c.vocab;
        engine_forward(e);
        engine_head(e);
    }
    e->logits = NULL;
    return WINNOW_OK;
}

/* Few rows and a handful of columns: one thread, no packing. */
static void choose(struct engine *e, const uint32_t *wanted, size_t count, float *scores)
{
    size_t d = e->c.dim;
    float *row = e->scratch[0].rows, *spare = row + d;
    for (size_t i = 0; i < e->t; i++) {
        if (e->targets[i] == BATCH_NO_TARGET) {
            continue;
        }
        (void)e->k->rmsnorm(row, e->x + i * d, e->norm, d, (float)e->c.norm_eps);
        for (size_t k = 0; k < count; k++) {
            const float *w = model_rows(e->model, e->head, wanted[k], 1, spare);
            scores[i * count + k] = e->k->dot(row, w, d);
        }
    }
}

winnow_status engine_choices(struct engine *e, const struct token_batch *b, const uint32_t *wanted,
                             size_t count, float *scores, struct winnow_error *err)
{
    TRY(engine_check_batch(e, b, err));
    for (size_t k = 0; k < count; k++) {
        assert(wanted[k] < e->c.vocab);
    }
    engine_pack_weights(e);
    for (size_t at = 0, first; engine_next_micro(e, b, &at, &first);) {
        engine_forward(e);
        double start = env_seconds();
        choose(e, wanted, count, scores + first * count);
        e->seconds[ENGINE_HEAD] += env_seconds() - start;
    }
    return WINNOW_OK;
}

winnow_status engine_states(struct engine *e, const struct token_batch *b, float *states,
                            struct winnow_error *err)
{
    TRY(engine_check_batch(e, b, err));
    engine_pack_weights(e);
    size_t d = e->c.dim;
    for (size_t at = 0, first; engine_next_micro(e, b, &at, &first);) {
        engine_forward(e);
        for (size_t i = 0; i < e->t; i++) {
            (void)e->k->rmsnorm(states + (first + i) * d, e->x + i * d, e->norm, d,
                                (float)e->c.norm_eps);
        }
    }
    return WINNOW_OK;
}

winnow_status engine_gradient(struct engine *e, const struct token_batch *b, float scale,
                              float *gradient, double *nll_sum, double *nll,
                              struct winnow_error *err)
{
    assert(e->gradients);
    TRY(engine_check_batch(e, b, err));
    if (e->weigh && batch_tokens(b) > e->tokens_max) {
        return error_set(
            err, WINNOW_E_LIMIT,
            "a batch of %zu tokens cannot be weighed by its losses %u tokens at a time",
            batch_tokens(b), e->tokens_max);
    }
    engine_pack_weights(e);
    e->scale = scale;
    e->gradient = gradient;
    *nll_sum = 0;
    if (nll && b->sequences > 0) {
        memset(nll, 0, b->sequences * sizeof *nll);
    }
    e->dropping = e->dropout.threshold > 0;
    float *teacher = e->teacher;
    for (size_t at = 0, first; engine_next_micro(e, b, &at, &first);) {
        e->teacher = teacher ? teacher + first * e->c.vocab : NULL;
        engine_forward(e);
        engine_head_back(e);
        engine_backward(e);
        for (size_t i = 0; i < e->t; i++) {
            *nll_sum += (double)e->nll[i];
        }
        engine_sum_nll(e, nll);
    }
    e->dropping = false;
    return WINNOW_OK;
}

void engine_drop(struct engine *e, double rate, uint64_t seed)
{
    assert(e->may_drop || rate == 0);
    e->dropout = dropout_of(rate, seed);
}

void engine_weigh_by(struct engine *e, engine_weigh weigh, void *ctx)
{
    assert(e->losses_first || !weigh);
    e->weigh = weigh;
    e->weigh_ctx = ctx;
}

winnow_status engine_gradient_divergence(struct engine *e, const struct token_batch *b, float scale,
                                         float *teacher, float *gradient, double *sum,
                                         struct winnow_error *err)
{
    e->teacher = teacher;
    winnow_status st = engine_gradient(e, b, scale, gradient, sum, NULL, err);
    e->teacher = NULL;
    return st;
}

void engine_sum_nll(const struct engine *e, double *nll)
{
    for (size_t s = 0; nll && s < e->sequences; s++) {
        for (size_t t = e->starts[s]; t < e->starts[s + 1]; t++) {
            nll[e->which[s]] += (double)e->nll[t];
        }
    }
}

const char *engine_phase_name(enum engine_phase p)
{
    static const char *const NAMES[ENGINE_PHASES] = {
        [ENGINE_PACK] = "pack weights",
        [ENGINE_EMBED] = "embedding",
        [ENGINE_BLOCK] = "forward products",
        [ENGINE_ATTENTION] = "forward attention",
        [ENGINE_HEAD] = "head and loss",
        [ENGINE_ATTENTION_BACK] = "backward attention",
        [ENGINE_BLOCK_BACK] = "backward products",
        [ENGINE_WEIGHTS_BACK] = "weight gradients",
    };
    return p < ENGINE_PHASES ? NAMES[p] : "";
}

double engine_phase_seconds(const struct engine *e, enum engine_phase p)
{
    return p < ENGINE_PHASES ? e->seconds[p] : 0.0;
}

const struct model *engine_model(const struct engine *e)
{
    return e->model;
}

uint32_t engine_tokens_max(const struct engine *e)
{
    return e->tokens_max;
}

const char *engine_kernels(const struct engine *e)
{
    return e->k->name;
}
