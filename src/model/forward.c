/* forward.c -- a micro-batch through the layers.
 *
 * Work is cut into tiles of about 128 tokens, and everything that a token needs
 * between two attentions is done while its tile lies in the cache:
 *
 *     norm, q k v product, bias, rotation          one piece a tile
 *     attention                                    one piece a sequence and head
 *     o product, + x, norm, gate and up product,
 *     SwiGLU, down product, + mid                  one piece a tile
 *
 * that is, three rounds of the pool a layer.  The size of a tile depends on the
 * number of tokens only.
 */
#include "base/env.h"
#include "model/engine_internal.h"

#include <string.h>

struct run {
    struct engine *e;
    struct engine_layer *l;
};

void engine_run(struct engine *e, enum engine_phase phase, size_t pieces,
                void (*work)(void *engine, size_t piece, uint32_t worker))
{
    double start = env_seconds();
    pool_run(e->pool, pieces, work, e);
    e->seconds[phase] += env_seconds() - start;
}

void engine_product(const struct engine *e, struct engine_scratch *s, const struct row_product *p,
                    const struct gemm_out *out)
{
    struct pack_source src = {p->in, p->in_stride, p->rows, p->k};
    gemm_pack_a_rows(&e->g, s->a, &src);
    gemm_run(&e->g, (struct gemm_shape){p->rows, p->n, p->k}, s->a, p->w, out);
}

static void add_bias(const struct engine *e, float *rows, size_t count, size_t width,
                     const float *bias)
{
    for (size_t i = 0; bias && i < count; i++) {
        e->k->add(rows + i * width, bias, width);
    }
}

static void embed_piece(void *engine, size_t tile, uint32_t worker)
{
    (void)worker;
    struct engine *e = engine;
    struct tile_span span = engine_tile(e, tile);
    size_t d = e->c.dim;
    for (size_t i = span.from; i < span.from + span.count; i++) {
        float *x = e->layers[0].x + i * d;
        const float *row = model_rows(e->model, e->embed, e->tokens[i], 1, x);
        if (row != x) {
            memcpy(x, row, d * sizeof *x);
        }
    }
}

static void rotate(const struct engine *e, float *qkv, size_t token)
{
    size_t half = e->c.head_dim / 2;
    const float *c = e->rope_cos + e->positions[token] * half;
    const float *s = e->rope_sin + e->positions[token] * half;
    for (uint32_t h = 0; h < e->c.heads + e->c.kv_heads; h++) {
        e->k->rope(qkv + (size_t)h * e->c.head_dim, c, s, half);
    }
}

static void before_attention(void *run, size_t tile, uint32_t worker)
{
    const struct run *r = run;
    struct engine *e = r->e;
    struct engine_layer *l = r->l;
    struct engine_scratch *s = &e->scratch[worker];
    struct tile_span span = engine_tile(e, tile);
    size_t d = e->c.dim;
    for (size_t i = 0; i < span.count; i++) {
        size_t t = span.from + i;
        l->r1[t] = e->k->rmsnorm(s->rows + i * d, l->x + t * d, l->norm1, d, (float)e->c.norm_eps);
    }
    float *qkv = l->qkv + span.from * e->s;
    struct row_product p = {s->rows, d, span.count, d, e->s, l->w_qkv.forward};
    engine_product(e, s, &p, &(struct gemm_out){qkv, e->s, false, NULL});
    add_bias(e, qkv, span.count, e->s, l->qkv_bias);
    for (size_t i = 0; i < span.count; i++) {
        rotate(e, qkv + i * e->s, span.from + i);
    }
}

/* mid = x + attended Wo', into place. */
static void attention_out(struct engine *e, struct engine_layer *l, struct engine_scratch *s,
                          struct tile_span span)
{
    size_t d = e->c.dim;
    float *mid = l->mid + span.from * d;
    struct row_product p = {
        l->attended + span.from * e->q, e->q, span.count, e->q, d, l->w_o.forward};
    engine_product(e, s, &p, &(struct gemm_out){mid, d, true, l->x + span.from * d});
    add_bias(e, mid, span.count, d, l->o_bias);
}

static float *layer_output(const struct engine *e, const struct engine_layer *l)
{
    size_t i = (size_t)(l - e->layers);
    return i + 1 < e->c.layers ? e->layers[i + 1].x : e->x;
}

static void after_attention(void *run, size_t tile, uint32_t worker)
{
    const struct run *r = run;
    struct engine *e = r->e;
    struct engine_layer *l = r->l;
    struct engine_scratch *s = &e->scratch[worker];
    struct tile_span span = engine_tile(e, tile);
    size_t d = e->c.dim, f = e->c.ffn;
    attention_out(e, l, s, span);
    const float *mid = l->mid + span.from * d;
    for (size_t i = 0; i < span.count; i++) {
        l->r2[span.from + i] =
            e->k->rmsnorm(s->rows + i * d, mid + i * d, l->norm2, d, (float)e->c.norm_eps);
    }
    float *gate_up = l->gate_up + span.from * 2 * f;
    struct row_product p = {s->rows, d, span.count, d, 2 * f, l->w_gate_up.forward};
    engine_product(e, s, &p, &(struct gemm_out){gate_up, 2 * f, false, NULL});
    add_bias(e, gate_up, span.count, 2 * f, l->gate_up_bias);
    for (size_t i = 0; i < span.count; i++) {
        const float *g = gate_up + i * 2 * f;
        e->k->swiglu(s->rows + i * f, g, g + f, f);
    }
    float *x = layer_output(e, l) + span.from * d;
    struct row_product down = {s->rows, f, span.count, f, d, l->w_down.forward};
    engine_product(e, s, &down, &(struct gemm_out){x, d, true, mid});
    add_bias(e, x, span.count, d, l->down_bias);
}

void engine_embed(struct engine *e)
{
    engine_run(e, ENGINE_EMBED, e->tiles, embed_piece);
}

static void run_layer(struct engine *e, struct engine_layer *l,
                      void (*work)(void *run, size_t tile, uint32_t worker))
{
    double start = env_seconds();
    pool_run(e->pool, e->tiles, work, &(struct run){e, l});
    e->seconds[ENGINE_BLOCK] += env_seconds() - start;
}

void engine_before_attention(struct engine *e, struct engine_layer *l)
{
    run_layer(e, l, before_attention);
}

void engine_after_attention(struct engine *e, struct engine_layer *l)
{
    run_layer(e, l, after_attention);
}

void engine_forward(struct engine *e)
{
    engine_embed(e);
    for (uint32_t i = 0; i < e->c.layers; i++) {
        struct engine_layer *l = &e->layers[i];
        engine_before_attention(e, l);
        engine_attention(e, l);
        engine_after_attention(e, l);
    }
}
