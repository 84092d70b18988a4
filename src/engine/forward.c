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
 * that is, three rounds of the pool a layer.  What is computed to be packed again
 * goes there in small parts, a panel of normed rows or a chunk of gate and up at a
 * time: a whole tile of it (1.5 MB of f32 in a 135M model) would leave the cache,
 * and of all tiles it would be most of the memory that a pass touches.  Only a
 * backward pass needs gate and up again, and then they are kept.
 */
#include "base/env.h"
#include "engine/engine_internal.h"
#include "engine/examples_internal.h"

#include <string.h>

struct forward_layer {
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

void engine_pack_normed(const struct engine *e, struct engine_scratch *s, struct norm_rows x)
{
    size_t d = e->c.dim, high = gemm_panel_rows(&e->g, x.count);
    for (size_t m0 = 0; m0 < x.count; m0 += high) {
        size_t rows = x.count - m0 < high ? x.count - m0 : high;
        for (size_t i = 0; i < rows; i++) {
            float r =
                e->k->rmsnorm(s->rows + i * d, x.x + (m0 + i) * d, x.w, d, (float)e->c.norm_eps);
            if (x.r) {
                x.r[m0 + i] = r;
            }
        }
        gemm_pack_a_part(&e->g, s->a, &(struct gemm_part){.m = x.count, .k = d, .m0 = m0},
                         &(struct pack_source){s->rows, d, rows, d});
    }
}

static void before_attention(void *run, size_t tile, uint32_t worker)
{
    const struct forward_layer *r = run;
    struct engine *e = r->e;
    struct engine_layer *l = r->l;
    struct engine_scratch *s = &e->scratch[worker];
    struct tile_span span = engine_tile(e, tile);
    size_t d = e->c.dim;
    engine_pack_normed(
        e, s, (struct norm_rows){l->x + span.from * d, l->norm1, span.count, l->r1 + span.from});
    float *qkv = l->qkv + span.from * e->s;
    gemm_run(&e->g, (struct gemm_shape){span.count, e->s, d}, s->a, l->w_qkv.forward,
             &(struct gemm_out){qkv, e->s, false, NULL});
    examples_project_rows(e, s->a, span, l, EXAMPLE_QKV, false);
    add_bias(e, qkv, span.count, e->s, l->qkv_bias);
    for (size_t i = 0; i < span.count; i++) {
        rotate(e, qkv + i * e->s, span.from + i);
    }
}

/* A tile's rows of what a site of the layer adds, without what is dropped: out = s->rows + add. */
static void drop_rows(const struct engine *e, const struct engine_layer *l, enum dropout_site site,
                      struct engine_scratch *s, struct tile_span span, const float *add, float *out)
{
    size_t d = e->c.dim;
    for (size_t i = 0; i < span.count; i++) {
        uint64_t row = dropout_row_of((uint32_t)(l - e->layers), site, e->first + span.from + i);
        dropout_row(&e->dropout, row, out + i * d, s->rows + i * d, add + i * d, d);
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
    const float *x = l->x + span.from * d;
    float *out = e->dropping ? s->rows : mid;
    engine_product(e, s, &p, &(struct gemm_out){out, d, !e->dropping, e->dropping ? NULL : x});
    examples_project_rows(e, s->a, span, l, EXAMPLE_O, false);
    add_bias(e, out, span.count, d, l->o_bias);
    if (e->dropping) {
        drop_rows(e, l, DROPOUT_ATTENTION, s, span, x, mid);
    }
}

static float *layer_output(const struct engine *e, const struct engine_layer *l)
{
    size_t i = (size_t)(l - e->layers);
    return i + 1 < e->c.layers ? e->layers[i + 1].x : e->x;
}

/* Where gate and up of a tile go: all of it, or a chunk at a time. */
struct gate_up {
    float *gate, *up;
    size_t stride;
};

/* Columns from.. of gate or up (those of up begin at F) for the rows packed in s->a. */
static void gate_up_product(const struct engine *e, const struct engine_layer *l,
                            const struct engine_scratch *s, struct gemm_shape shape, size_t from,
                            const struct gemm_out *out)
{
    gemm_run(&e->g, shape, s->a, gemm_at_b(&e->g, l->w_gate_up.forward, from, shape.k), out);
    for (size_t i = 0; l->gate_up_bias && i < shape.m; i++) {
        e->k->add(out->c + i * out->stride, l->gate_up_bias + from, shape.n);
    }
}

/* Numbers from.. of silu(gate) * up, packed a panel of rows at a time. */
static void pack_hidden(const struct engine *e, struct engine_scratch *s, size_t count,
                        struct tile_span numbers, const struct gate_up *at)
{
    size_t high = gemm_panel_rows(&e->g, count), n = numbers.count;
    struct gemm_part part = {.m = count, .k = e->c.ffn, .k0 = numbers.from};
    for (; part.m0 < count; part.m0 += high) {
        size_t rows = count - part.m0 < high ? count - part.m0 : high;
        for (size_t i = 0; i < rows; i++) {
            size_t row = (part.m0 + i) * at->stride;
            e->k->swiglu(s->rows + i * n, at->gate + row, at->up + row, n);
        }
        gemm_pack_a_part(&e->g, s->hidden, &part, &(struct pack_source){s->rows, n, rows, n});
    }
}

/* From the rows packed in s->a to s->hidden. */
static void gate_up_swiglu(const struct engine *e, const struct engine_layer *l,
                           struct engine_scratch *s, struct tile_span span)
{
    size_t d = e->c.dim, f = e->c.ffn;
    float *all = l->gate_up + span.from * 2 * f;
    /* Up's columns must begin with a panel to be computed apart. */
    bool apart = f % e->k->gemm_cols == 0, keep = e->gradients || !apart;
    if (!apart) {
        gate_up_product(e, l, s, (struct gemm_shape){span.count, 2 * f, d}, 0,
                        &(struct gemm_out){all, 2 * f, false, NULL});
    }
    for (size_t from = 0; from < f; from += FFN_CHUNK) {
        size_t n = f - from < FFN_CHUNK ? f - from : FFN_CHUNK;
        struct gate_up at = {s->chunk, s->chunk + FFN_CHUNK, (size_t)2 * FFN_CHUNK};
        if (keep) {
            at = (struct gate_up){all + from, all + f + from, 2 * f};
        }
        struct gemm_shape shape = {span.count, n, d};
        if (apart) {
            gate_up_product(e, l, s, shape, from,
                            &(struct gemm_out){at.gate, at.stride, false, NULL});
            gate_up_product(e, l, s, shape, f + from,
                            &(struct gemm_out){at.up, at.stride, false, NULL});
        }
        pack_hidden(e, s, span.count, (struct tile_span){from, n}, &at);
    }
}

static void after_attention(void *run, size_t tile, uint32_t worker)
{
    const struct forward_layer *r = run;
    struct engine *e = r->e;
    struct engine_layer *l = r->l;
    struct engine_scratch *s = &e->scratch[worker];
    struct tile_span span = engine_tile(e, tile);
    size_t d = e->c.dim, f = e->c.ffn;
    attention_out(e, l, s, span);
    const float *mid = l->mid + span.from * d;
    engine_pack_normed(e, s, (struct norm_rows){mid, l->norm2, span.count, l->r2 + span.from});
    gate_up_swiglu(e, l, s, span);
    examples_project_rows(e, s->a, span, l, EXAMPLE_GATE_UP, false);
    examples_project_rows(e, s->hidden, span, l, EXAMPLE_DOWN, false);
    float *x = layer_output(e, l) + span.from * d;
    float *out = e->dropping ? s->rows : x;
    gemm_run(&e->g, (struct gemm_shape){span.count, d, f}, s->hidden, l->w_down.forward,
             &(struct gemm_out){out, d, !e->dropping, e->dropping ? NULL : mid});
    add_bias(e, out, span.count, d, l->down_bias);
    if (e->dropping) {
        drop_rows(e, l, DROPOUT_MLP, s, span, mid, x);
    }
}

void engine_embed(struct engine *e)
{
    engine_run(e, ENGINE_EMBED, e->tiles, embed_piece);
}

static void run_layer(struct engine *e, struct engine_layer *l,
                      void (*work)(void *run, size_t tile, uint32_t worker))
{
    double start = env_seconds();
    pool_run(e->pool, e->tiles, work, &(struct forward_layer){e, l});
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
