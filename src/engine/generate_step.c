/* generate_step.c -- one forward pass over pieces of many rows.
 *
 * Wide passes, of more tokens than a tile has, run as scoring does: a tile of
 * tokens a piece (forward.c), with one more round of the pool a layer that puts
 * keys and values into their pages.
 *
 * Narrow passes are cut along the outputs of each product instead, so that all
 * threads take part however few tokens there are, and each weight is read once a
 * pass:
 *
 *     norm, q k v product, bias, rotation, to pages    some heads a piece
 *     attention                                        a row and kv head, or more
 *     o product, + x                                   some columns a piece
 *     norm, gate and up product, SwiGLU                some columns a piece
 *     down product, + mid                              some columns a piece
 *
 * that is, five rounds of the pool a layer.  What a product's left side needs
 * (the norm, its packing) is done by every worker for itself: a few rows cost
 * less than one round more.
 *
 * A number of a product depends on its row, its column and the order of k only
 * (gemm.c), so both ways give the bits of engine_logits().
 */
#include "engine/generator_internal.h"

#include <string.h>

/* ---- keys and values to their pages ---- */

static void put_head(const struct generator *g, const struct step_part *p, size_t kv_head,
                     bool value)
{
    const struct engine *e = g->e;
    const float *qkv = e->layers[g->layer].qkv + e->q + kv_head * e->c.head_dim;
    for (uint32_t i = 0; i < p->count; i++) {
        size_t token = p->first + i;
        uint32_t page = g->token_page[token], at = (p->from + i) % g->cache.shape.page_tokens;
        const float *row = qkv + token * e->s;
        if (value) {
            kv_cache_put_value(&g->cache, kv_cache_values(&g->cache, page, g->layer, kv_head), at,
                               row + e->kv);
        } else {
            kv_cache_put_key(&g->cache, kv_cache_keys(&g->cache, page, g->layer, kv_head), at, row);
        }
    }
}

/* ---- narrow passes ---- */

/* Columns from..to of a product of what s->a holds: out[t][from..to] (+)= . */
struct columns {
    const void *w;
    size_t k, from, to;
    float *out;
    size_t stride;
    const float *base; /* NULL: nothing is added */
    const float *bias; /* NULL: none */
};

static void product_columns(const struct generator *g, const struct engine_scratch *s,
                            const struct columns *c)
{
    const struct engine *e = g->e;
    struct gemm_out out = {c->out + c->from, c->stride, c->base != NULL,
                           c->base ? c->base + c->from : NULL};
    gemm_run(&e->g, (struct gemm_shape){e->t, c->to - c->from, c->k}, s->a,
             gemm_at_b(&e->g, c->w, c->from, c->k), &out);
    for (size_t i = 0; c->bias && i < e->t; i++) {
        e->k->add(c->out + i * c->stride + c->from, c->bias + c->from, c->to - c->from);
    }
}

static void pack_rows(const struct engine *e, struct engine_scratch *s, const float *rows,
                      size_t stride, size_t k)
{
    gemm_pack_a_rows(&e->g, s->a, &(struct pack_source){rows, stride, e->t, k});
}

/* Outputs of pieces: whole panels, some pieces a thread so that a slow one does
 * not hold up the rest. */
#define PIECES_A_THREAD 4U

static size_t piece_columns(const struct generator *g, size_t n)
{
    size_t cols = g->e->k->gemm_cols, panels = (n + cols - 1) / cols;
    size_t pieces = (size_t)g->e->threads * PIECES_A_THREAD;
    return (panels + pieces - 1) / pieces * cols;
}

static size_t pieces_of(const struct generator *g, size_t n)
{
    size_t each = piece_columns(g, n);
    return (n + each - 1) / each;
}

static void set_columns(const struct generator *g, struct columns *c, size_t piece, size_t n)
{
    size_t each = piece_columns(g, n);
    c->from = piece * each;
    c->to = n - c->from < each ? n : c->from + each;
}

static size_t common_factor(size_t a, size_t b)
{
    while (b > 0) {
        size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Heads of a piece: as few as begin and end with a panel. */
static size_t piece_heads(const struct engine *e)
{
    return e->k->gemm_cols / common_factor(e->k->gemm_cols, e->c.head_dim);
}

static void rotate_head(const struct generator *g, size_t head)
{
    const struct engine *e = g->e;
    size_t half = e->c.head_dim / 2;
    float *x = e->layers[g->layer].qkv + head * e->c.head_dim;
    for (size_t i = 0; i < e->t; i++) {
        size_t at = e->positions[i] * half;
        e->k->rope(x + i * e->s, e->rope_cos + at, e->rope_sin + at, half);
    }
}

static void qkv_piece(void *generator, size_t piece, uint32_t worker)
{
    struct generator *g = generator;
    struct engine *e = g->e;
    struct engine_layer *l = &e->layers[g->layer];
    struct engine_scratch *s = &e->scratch[worker];
    if (generate_first_piece(g, worker)) {
        engine_pack_normed(e, s, (struct norm_rows){l->x, l->norm1, e->t, NULL});
    }
    size_t heads = e->c.heads, all = heads + 2 * (size_t)e->c.kv_heads, each = piece_heads(e);
    size_t from = piece * each, to = all - from < each ? all : from + each;
    struct columns c = {.w = l->w_qkv.forward,
                        .k = e->c.dim,
                        .from = from * e->c.head_dim,
                        .to = to * e->c.head_dim,
                        .out = l->qkv,
                        .stride = e->s,
                        .bias = l->qkv_bias};
    product_columns(g, s, &c);
    for (size_t head = from; head < to; head++) {
        if (head < heads + e->c.kv_heads) {
            rotate_head(g, head);
        }
        for (uint32_t i = 0; head >= heads && i < g->part_count; i++) {
            size_t kv = head - heads;
            bool value = kv >= e->c.kv_heads;
            put_head(g, &g->parts[i], value ? kv - e->c.kv_heads : kv, value);
        }
    }
}

static void out_piece(void *generator, size_t piece, uint32_t worker)
{
    struct generator *g = generator;
    struct engine *e = g->e;
    struct engine_layer *l = &e->layers[g->layer];
    struct engine_scratch *s = &e->scratch[worker];
    if (generate_first_piece(g, worker)) {
        pack_rows(e, s, l->attended, e->q, e->q);
    }
    struct columns c = {.w = l->w_o.forward,
                        .k = e->q,
                        .out = l->mid,
                        .stride = e->c.dim,
                        .base = l->x,
                        .bias = l->o_bias};
    set_columns(g, &c, piece, e->c.dim);
    product_columns(g, s, &c);
}

/* Gate and up columns of the same numbers, and SwiGLU of them in place of the
 * gate's; up's must begin with a panel. */
static void gate_up_columns(struct generator *g, struct engine_scratch *s, size_t piece)
{
    const struct engine *e = g->e;
    const struct engine_layer *l = &e->layers[g->layer];
    size_t f = e->c.ffn;
    struct columns c = {.w = l->w_gate_up.forward,
                        .k = e->c.dim,
                        .out = l->gate_up,
                        .stride = 2 * f,
                        .bias = l->gate_up_bias};
    set_columns(g, &c, piece, f);
    product_columns(g, s, &c);
    c.from += f;
    c.to += f;
    product_columns(g, s, &c);
    for (size_t i = 0; i < e->t; i++) {
        float *up = l->gate_up + i * 2 * f + c.from;
        e->k->swiglu(up - f, up - f, up, c.to - c.from);
    }
}

static bool up_begins_with_a_panel(const struct engine *e)
{
    return e->c.ffn % e->k->gemm_cols == 0;
}

static void gate_up_piece(void *generator, size_t piece, uint32_t worker)
{
    struct generator *g = generator;
    struct engine *e = g->e;
    struct engine_layer *l = &e->layers[g->layer];
    struct engine_scratch *s = &e->scratch[worker];
    if (generate_first_piece(g, worker)) {
        engine_pack_normed(e, s, (struct norm_rows){l->mid, l->norm2, e->t, NULL});
    }
    if (up_begins_with_a_panel(e)) {
        gate_up_columns(g, s, piece);
        return;
    }
    size_t n = 2 * (size_t)e->c.ffn;
    struct columns c = {.w = l->w_gate_up.forward,
                        .k = e->c.dim,
                        .out = l->gate_up,
                        .stride = n,
                        .bias = l->gate_up_bias};
    set_columns(g, &c, piece, n);
    product_columns(g, s, &c);
}

static float *layer_output(const struct engine *e, size_t layer)
{
    return layer + 1 < e->c.layers ? e->layers[layer + 1].x : e->x;
}

static void pack_hidden(const struct engine *e, const struct engine_layer *l,
                        struct engine_scratch *s)
{
    size_t f = e->c.ffn;
    if (up_begins_with_a_panel(e)) {
        pack_rows(e, s, l->gate_up, 2 * f, f);
        return;
    }
    for (size_t i = 0; i < e->t; i++) {
        const float *gate = l->gate_up + i * 2 * f;
        e->k->swiglu(s->rows + i * f, gate, gate + f, f);
    }
    pack_rows(e, s, s->rows, f, f);
}

static void down_piece(void *generator, size_t piece, uint32_t worker)
{
    struct generator *g = generator;
    struct engine *e = g->e;
    struct engine_layer *l = &e->layers[g->layer];
    struct engine_scratch *s = &e->scratch[worker];
    if (generate_first_piece(g, worker)) {
        pack_hidden(e, l, s);
    }
    struct columns c = {.w = l->w_down.forward,
                        .k = e->c.ffn,
                        .out = layer_output(e, g->layer),
                        .stride = e->c.dim,
                        .base = l->mid,
                        .bias = l->down_bias};
    set_columns(g, &c, piece, e->c.dim);
    product_columns(g, s, &c);
}

static void narrow_layer(struct generator *g)
{
    const struct engine *e = g->e;
    size_t heads = e->c.heads + 2 * (size_t)e->c.kv_heads, each = piece_heads(e);
    size_t gate_up = up_begins_with_a_panel(e) ? e->c.ffn : 2 * (size_t)e->c.ffn;
    generate_run(g, (heads + each - 1) / each, qkv_piece);
    generate_run(g, g->piece_count, generate_attention_piece);
    generate_run(g, pieces_of(g, e->c.dim), out_piece);
    generate_run(g, pieces_of(g, gate_up), gate_up_piece);
    generate_run(g, pieces_of(g, e->c.dim), down_piece);
}

/* ---- wide passes ---- */

static void put_piece(void *generator, size_t piece, uint32_t worker)
{
    (void)worker;
    const struct generator *g = generator;
    size_t kv_heads = g->e->c.kv_heads;
    const struct step_part *p = &g->parts[piece / kv_heads];
    put_head(g, p, piece % kv_heads, false);
    put_head(g, p, piece % kv_heads, true);
}

static void wide_layer(struct generator *g)
{
    struct engine *e = g->e;
    struct engine_layer *l = &e->layers[g->layer];
    engine_before_attention(e, l);
    generate_run(g, (size_t)g->part_count * e->c.kv_heads, put_piece);
    generate_run(g, g->piece_count, generate_attention_piece);
    engine_after_attention(e, l);
}

void generate_forward(struct generator *g)
{
    struct engine *e = g->e;
    e->tokens = g->tokens;
    bool narrow = e->t <= TILE_MOST;
    engine_cut_tiles(e);
    engine_embed(e);
    generate_cut_attention(g);
    for (g->layer = 0; g->layer < e->c.layers; g->layer++) {
        if (narrow) {
            narrow_layer(g);
        } else {
            wide_layer(g);
        }
    }
}
