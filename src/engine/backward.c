/* backward.c -- gradients of the layers, last to first.
 *
 * A layer's backward pass is four rounds of the pool:
 *
 *     down, SwiGLU, gate and up, norm, o      one piece a tile of tokens
 *     attention                               one piece a sequence and kv head
 *     rotation, q k v, norm                   one piece a tile of tokens
 *     all weight gradients                    pieces of the matrices
 *
 * When the last one runs, each product's input and the gradient of its output
 * lie in engine_back for all tokens (norm1 and dqkv, attended and dattention, norm2
 * and dgate_up, hidden and dmlp): what else is wanted of them, such as products of
 * per-example gradients, is asked there (examples_pass.c).
 *
 * A piece of a weight gradient sums over all tokens in order, and the norms'
 * gradients are summed a tile at a time and joined in order, so nothing depends
 * on the number of threads.
 */
#include "base/env.h"
#include "engine/engine_internal.h"
#include "engine/examples_internal.h"

#include <string.h>

struct backward_layer {
    struct engine *e;
    struct engine_layer *l;
    struct weight_gradient weights[4];
    size_t ends[4]; /* pieces of the first, first two, ... matrices */
};

/* ---- weight gradients ---- */

static size_t blocks(size_t n, size_t size)
{
    return (n + size - 1) / size;
}

/* Rows of dW in a piece: about WEIGHT_ROWS, equally many in all, whole panels. */
static size_t weight_rows(const struct engine *e, size_t m)
{
    size_t rows = e->k->gemm_rows, each = blocks(m, blocks(m, WEIGHT_ROWS));
    return blocks(each, rows) * rows;
}

size_t weight_gradient_pieces(const struct engine *e, const struct weight_gradient *w)
{
    return blocks(w->m, weight_rows(e, w->m)) * blocks(w->n, WEIGHT_COLS);
}

struct weight_tile weight_gradient_tile(const struct engine *e, const struct weight_gradient *w,
                                        size_t piece)
{
    size_t rows = weight_rows(e, w->m), across = blocks(w->n, WEIGHT_COLS);
    size_t m0 = piece / across * rows, n0 = piece % across * WEIGHT_COLS;
    return (struct weight_tile){m0, n0, w->m - m0 < rows ? w->m - m0 : rows,
                                w->n - n0 < WEIGHT_COLS ? w->n - n0 : WEIGHT_COLS};
}

void weight_gradient_piece(const struct engine *e, struct engine_scratch *s,
                           const struct weight_gradient *w, size_t piece)
{
    struct weight_tile at = weight_gradient_tile(e, w, piece);
    struct gemm_out out = {w->dw + at.m0 * w->n + at.n0, w->n, true, NULL};
    for (size_t t = 0; t < w->tokens; t += WEIGHT_DEPTH) {
        size_t depth = w->tokens - t < WEIGHT_DEPTH ? w->tokens - t : WEIGHT_DEPTH;
        struct pack_source a = {w->dy + t * w->dy_stride + at.m0, w->dy_stride, depth, at.m};
        struct pack_source b = {w->x + t * w->x_stride + at.n0, w->x_stride, depth, at.n};
        gemm_pack_a_cols(&e->g, s->a, &a);
        gemm_pack_b_cols(&e->g, s->b, &b);
        gemm_run(&e->g, (struct gemm_shape){at.m, at.n, depth}, s->a, s->b, &out);
    }
}

static float *gradient_of(const struct engine *e, enum tensor_role role, uint32_t layer)
{
    const struct model_tensor *t = model_find_role(e->model, role, layer);
    return t && e->gradient ? e->gradient + t->offset : NULL;
}

static struct weight_gradient of_matrix(const struct backward_layer *r, enum example_matrix matrix,
                                        const float *dy, const float *x)
{
    const struct engine *e = r->e;
    struct example_shape s = example_shape(&e->c, matrix);
    size_t place = example_offset(e->model, (uint32_t)(r->l - e->layers), matrix);
    return (struct weight_gradient){.dy = dy,
                                    .x = x,
                                    .dy_stride = s.outputs,
                                    .x_stride = s.inputs,
                                    .tokens = e->t,
                                    .m = s.outputs,
                                    .n = s.inputs,
                                    .dw = e->gradient ? e->gradient + place : NULL,
                                    .place = place,
                                    .hidden = true};
}

static void plan_weights(struct backward_layer *r)
{
    struct engine *e = r->e;
    struct engine_back *b = &e->back;
    r->weights[0] = of_matrix(r, EXAMPLE_GATE_UP, b->dgate_up, b->norm2);
    r->weights[1] = of_matrix(r, EXAMPLE_DOWN, b->dmlp, b->hidden);
    r->weights[2] = of_matrix(r, EXAMPLE_QKV, b->dqkv, b->norm1);
    r->weights[3] = of_matrix(r, EXAMPLE_O, b->dattention, r->l->attended);
    size_t end = 0;
    for (size_t i = 0; i < 4; i++) {
        end += weight_gradient_pieces(e, &r->weights[i]);
        r->ends[i] = end;
    }
}

/* Sums rows of a [count][width] array into sum. */
static void sum_rows(const struct engine *e, float *sum, const float *rows, size_t count,
                     size_t width)
{
    for (size_t i = 0; sum && i < count; i++) {
        e->k->add(sum, rows + i * width, width);
    }
}

/* Norms and biases, which are small: one piece. */
static void vector_gradients(const struct backward_layer *r)
{
    struct engine *e = r->e;
    const struct engine_back *b = &e->back;
    uint32_t layer = (uint32_t)(r->l - e->layers);
    size_t d = e->c.dim;
    sum_rows(e, gradient_of(e, TENSOR_NORM1, layer), b->dnorm1, e->tiles, d);
    sum_rows(e, gradient_of(e, TENSOR_NORM2, layer), b->dnorm2, e->tiles, d);
    sum_rows(e, gradient_of(e, TENSOR_Q_BIAS, layer), b->dqkv, e->t, e->s);
    sum_rows(e, gradient_of(e, TENSOR_O_BIAS, layer), b->dattention, e->t, d);
    sum_rows(e, gradient_of(e, TENSOR_GATE_BIAS, layer), b->dgate_up, e->t, 2 * (size_t)e->c.ffn);
    sum_rows(e, gradient_of(e, TENSOR_DOWN_BIAS, layer), b->dmlp, e->t, d);
}

static void weights_piece(void *run, size_t piece, uint32_t worker)
{
    const struct backward_layer *r = run;
    size_t first = 0;
    for (size_t i = 0; i < 4; i++) {
        struct engine_scratch *s = &r->e->scratch[worker];
        const struct weight_gradient *w = &r->weights[i];
        if (piece < r->ends[i] && examples_want_products(r->e)) {
            examples_piece(r->e, s, w, weight_gradient_tile(r->e, w, piece - first), piece);
            return;
        }
        if (piece < r->ends[i]) {
            weight_gradient_piece(r->e, s, w, piece - first);
            return;
        }
        first = r->ends[i];
    }
    vector_gradients(r);
}

/* All weight gradients of the layer, or what is wanted of them. */
static void layer_weights(struct backward_layer *r)
{
    struct engine *e = r->e;
    plan_weights(r);
    bool products = examples_want_products(e);
    if (products) {
        examples_cut_tokens(e);
        examples_clear(e, r->ends[3]);
    }
    if (examples_want_weights(e)) {
        pool_run(e->pool, r->ends[3] + 1, weights_piece, r);
    }
    if (products) {
        examples_join(e, r->ends[3]);
    }
    if (e->examples) {
        const struct layer_weights w = {
            (uint32_t)(r->l - e->layers),
            {&r->weights[2], &r->weights[3], &r->weights[0], &r->weights[1]}};
        examples_layer(e, &w);
    }
}

/* ---- tiles of tokens ---- */

/* The gradient of what a site of the layer gave, from that of what it was added to. */
static void drop_rows(const struct engine *e, const struct engine_layer *l, enum dropout_site site,
                      struct tile_span span, const float *from, float *to)
{
    size_t d = e->c.dim;
    for (size_t t = span.from; e->dropping && t < span.from + span.count; t++) {
        uint64_t row = dropout_row_of((uint32_t)(l - e->layers), site, e->first + t);
        dropout_row(&e->dropout, row, to + t * d, from + t * d, NULL, d);
    }
}

static void mlp_back(struct engine *e, const struct engine_layer *l, struct engine_scratch *s,
                     struct tile_span span)
{
    struct engine_back *b = &e->back;
    size_t d = e->c.dim, f = e->c.ffn;
    drop_rows(e, l, DROPOUT_MLP, span, b->dx, b->dmlp);
    struct row_product down = {b->dmlp + span.from * d, d, span.count, d, f, l->w_down.backward};
    engine_product(e, s, &down, &(struct gemm_out){s->rows, f, false, NULL});
    examples_project_rows(e, s->a, span, l, EXAMPLE_DOWN, true);
    float *dgate_up = b->dgate_up + span.from * 2 * f;
    memcpy(dgate_up, l->gate_up + span.from * 2 * f, span.count * 2 * f * sizeof(float));
    for (size_t i = 0; i < span.count; i++) {
        float *g = dgate_up + i * 2 * f;
        e->k->swiglu_back(b->hidden + (span.from + i) * f, g, g + f, s->rows + i * f, f);
    }
    struct row_product up = {dgate_up, 2 * f, span.count, 2 * f, d, l->w_gate_up.backward};
    engine_product(e, s, &up, &(struct gemm_out){s->rows, d, false, NULL});
    examples_project_rows(e, s->a, span, l, EXAMPLE_GATE_UP, true);
}

/* One of a layer's norms: its input, weights, inverse means, the gradient that
 * passes it by; what it gave, the gradient of its input and, added up, that of
 * its weights. */
struct norm {
    const float *x, *w, *inverse, *past;
    float *out, *dx, *dw;
};

/* Through it: rows hold the gradient of its output. */
static void norm_back(const struct engine *e, const float *rows, struct tile_span span,
                      const struct norm *n)
{
    size_t d = e->c.dim;
    memset(n->dw, 0, d * sizeof(float));
    for (size_t i = 0; i < span.count; i++) {
        size_t t = span.from + i;
        const float *x = n->x + t * d;
        e->k->rmsnorm_again(n->out + t * d, x, n->w, d, n->inverse[t]);
        struct norm_back step = {n->dx + t * d, n->dw,        n->past + t * d, rows + i * d, x,
                                 n->w,          n->inverse[t]};
        e->k->rmsnorm_back(&step, d);
        examples_norm(e, t, rows + i * d, x, n->w, n->inverse[t]);
    }
}

static void before_attention_back(void *run, size_t tile, uint32_t worker)
{
    const struct backward_layer *r = run;
    struct engine *e = r->e;
    struct engine_layer *l = r->l;
    struct engine_back *b = &e->back;
    struct engine_scratch *s = &e->scratch[worker];
    struct tile_span span = engine_tile(e, tile);
    size_t d = e->c.dim, h = e->c.head_dim, from = span.from;
    mlp_back(e, l, s, span);
    struct norm norm = {l->mid, l->norm2, l->r2, b->dx, b->norm2, b->dmid, b->dnorm2 + tile * d};
    norm_back(e, s->rows, span, &norm);
    drop_rows(e, l, DROPOUT_ATTENTION, span, b->dmid, b->dattention);
    struct row_product o = {b->dattention + from * d, d, span.count, d, e->q, l->w_o.backward};
    engine_product(e, s, &o, &(struct gemm_out){b->dattended + from * e->q, e->q, false, NULL});
    examples_project_rows(e, s->a, span, l, EXAMPLE_O, true);
    for (size_t t = from; t < from + span.count; t++) {
        for (uint32_t head = 0; head < e->c.heads; head++) {
            size_t at = t * e->q + head * h;
            b->delta[(size_t)head * e->tokens_max + t] =
                e->k->dot(b->dattended + at, l->attended + at, h);
        }
    }
}

static void after_attention_back(void *run, size_t tile, uint32_t worker)
{
    const struct backward_layer *r = run;
    struct engine *e = r->e;
    struct engine_layer *l = r->l;
    struct engine_back *b = &e->back;
    struct engine_scratch *s = &e->scratch[worker];
    struct tile_span span = engine_tile(e, tile);
    size_t d = e->c.dim, half = e->c.head_dim / 2;
    for (size_t t = span.from; t < span.from + span.count; t++) {
        size_t at = e->positions[t] * half;
        for (uint32_t head = 0; head < e->c.heads + e->c.kv_heads; head++) {
            e->k->rope_back(b->dqkv + t * e->s + (size_t)head * e->c.head_dim, e->rope_cos + at,
                            e->rope_sin + at, half);
        }
    }
    struct row_product p = {b->dqkv + span.from * e->s, e->s, span.count, e->s, d,
                            l->w_qkv.backward};
    engine_product(e, s, &p, &(struct gemm_out){s->rows, d, false, NULL});
    examples_project_rows(e, s->a, span, l, EXAMPLE_QKV, true);
    struct norm norm = {l->x, l->norm1, l->r1, b->dmid, b->norm1, b->dnext, b->dnorm1 + tile * d};
    norm_back(e, s->rows, span, &norm);
}

static void layer_back(struct engine *e, struct engine_layer *l)
{
    struct backward_layer r = {.e = e, .l = l};
    struct engine_back *b = &e->back;
    b->dmlp = e->dropping ? b->dropped_mlp : b->dx;
    b->dattention = e->dropping ? b->dropped_attention : b->dmid;
    double start = env_seconds();
    pool_run(e->pool, e->tiles, before_attention_back, &r);
    e->seconds[ENGINE_BLOCK_BACK] += env_seconds() - start;
    engine_attention_back(e, l);
    start = env_seconds();
    pool_run(e->pool, e->tiles, after_attention_back, &r);
    double middle = env_seconds();
    e->seconds[ENGINE_BLOCK_BACK] += middle - start;
    layer_weights(&r);
    e->seconds[ENGINE_WEIGHTS_BACK] += env_seconds() - middle;
    float *spent = e->back.dx;
    e->back.dx = e->back.dnext;
    e->back.dnext = spent;
}

/* ---- embedding ---- */

/* A piece owns some columns, and meets the tokens in order. */
#define EMBED_COLS 64U

static void embed_back(void *engine, size_t piece, uint32_t worker)
{
    (void)worker;
    struct engine *e = engine;
    size_t d = e->c.dim, from = piece * EMBED_COLS;
    size_t n = d - from < EMBED_COLS ? d - from : EMBED_COLS;
    float *table = gradient_of(e, TENSOR_EMBED, 0);
    for (size_t t = 0; t < e->t; t++) {
        e->k->add(table + e->tokens[t] * d + from, e->back.dx + t * d + from, n);
    }
}

void engine_backward(struct engine *e)
{
    sum_rows(e, gradient_of(e, TENSOR_NORM, 0), e->back.dnorm, engine_head_tiles(e), e->c.dim);
    for (uint32_t i = e->c.layers; i > 0; i--) {
        layer_back(e, &e->layers[i - 1]);
    }
    if (e->gradient) {
        engine_run(e, ENGINE_EMBED, blocks(e->c.dim, EMBED_COLS), embed_back);
    }
    if (examples_want_products(e)) {
        examples_embedding(e);
    }
}
