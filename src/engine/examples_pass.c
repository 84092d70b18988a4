/* examples_pass.c -- the work within the passes: tiles of one sequence's gradient, their
 * products and sketches.
 *
 * Products ride on the pieces of the summed gradient: a piece forms its tile of one sequence
 * after the other, multiplies it by the direction's and adds it to the sum.  What a piece found
 * is kept apart and joined piece by piece, so that threads change no bit.  Sketches are cut the
 * other way, a sequence being one piece that goes over all matrices in order. */
#include "engine/examples_internal.h"

#include <string.h>

static size_t layer_of(const struct engine *e, const struct engine_layer *l)
{
    return (size_t)(l - e->layers);
}

void examples_project_rows(const struct engine *e, const void *a, struct tile_span span,
                           const struct engine_layer *l, enum example_matrix matrix, bool output)
{
    const struct engine_examples *x = e->examples;
    if (!x || x->opt.rank == 0) {
        return;
    }
    const struct example_site *site = &x->sites[layer_of(e, l) * EXAMPLE_MATRICES + matrix];
    struct example_shape s = example_shape(&e->c, matrix);
    size_t rank = x->opt.rank;
    float *to = (output ? site->y : site->x) + span.from * rank;
    gemm_run(&e->g, (struct gemm_shape){span.count, rank, output ? s.outputs : s.inputs}, a,
             output ? site->out : site->in, &(struct gemm_out){to, rank, false, NULL});
}

void examples_norm(const struct engine *e, size_t token, const float *dy, const float *x,
                   const float *w, float r)
{
    if (!examples_want_products(e)) {
        return;
    }
    const float *v = e->examples->opt.direction + (w - model_values_const(e->model));
    float sum = 0;
    for (size_t i = 0; i < e->c.dim; i++) {
        sum += dy[i] * x[i] * v[i];
    }
    e->examples->token_dots[token] += sum * r;
}

/* ---- which tokens are whose ---- */

void examples_cut_tokens(struct engine *e)
{
    struct engine_examples *x = e->examples;
    x->segment_count = e->sequences;
    for (size_t s = 0; s < e->sequences; s++) {
        x->segments[s] = (struct weight_segment){e->starts[s], e->starts[s + 1], (uint32_t)s};
    }
}

void examples_cut_scored(struct engine *e, size_t from, size_t to)
{
    struct engine_examples *x = e->examples;
    x->segment_count = 0;
    uint32_t sequence = 0;
    for (size_t i = from; i < to; i++) {
        struct weight_segment *last = &x->segments[x->segment_count];
        while (e->back.scored[i] >= e->starts[sequence + 1]) {
            sequence++;
        }
        uint32_t at = (uint32_t)(i - from);
        if (x->segment_count > 0 && last[-1].sequence == sequence) {
            last[-1].to = at + 1;
        } else {
            *last = (struct weight_segment){at, at + 1, sequence};
            x->segment_count++;
        }
    }
}

/* A tile of one segment's gradient, in f32. */
static void form_tile(const struct engine *e, struct engine_scratch *s,
                      const struct weight_gradient *w, struct weight_tile at,
                      struct weight_segment segment, float *tile)
{
    for (size_t t = segment.from; t < segment.to; t += WEIGHT_DEPTH) {
        size_t depth = segment.to - t < WEIGHT_DEPTH ? segment.to - t : WEIGHT_DEPTH;
        struct pack_source a = {w->dy + t * w->dy_stride + at.m0, w->dy_stride, depth, at.m};
        struct pack_source b = {w->x + t * w->x_stride + at.n0, w->x_stride, depth, at.n};
        gemm_pack_a_cols(&e->g, s->a, &a);
        gemm_pack_b_cols(&e->g, s->b, &b);
        gemm_run(&e->g, (struct gemm_shape){at.m, at.n, depth}, s->a, s->b,
                 &(struct gemm_out){tile, at.n, t > segment.from, NULL});
    }
}

/* ---- products ---- */

void examples_clear(struct engine *e, size_t pieces)
{
    memset(e->examples->partial, 0, pieces * e->sequences * 2 * sizeof(double));
}

void examples_join(struct engine *e, size_t pieces)
{
    const struct engine_examples *x = e->examples;
    for (size_t i = 0; i < pieces; i++) {
        for (size_t s = 0; s < e->sequences; s++) {
            const double *p = x->partial + (i * e->sequences + s) * 2;
            x->out.dots[e->which[s]] += p[0];
            if (x->out.squares) {
                x->out.squares[e->which[s]] += p[1];
            }
        }
    }
}

void examples_piece(const struct engine *e, struct engine_scratch *s,
                    const struct weight_gradient *w, struct weight_tile at, size_t piece)
{
    const struct engine_examples *x = e->examples;
    float *tile = x->tiles + (size_t)(s - e->scratch) * x->tile_floats;
    size_t first = w->place + at.m0 * w->n + at.n0;
    bool squares = x->out.squares && w->hidden;
    for (size_t i = 0; i < x->segment_count; i++) {
        form_tile(e, s, w, at, x->segments[i], tile);
        double dot = 0, square = 0;
        for (size_t r = 0; r < at.m; r++) {
            const float *g = tile + r * at.n;
            dot += (double)e->k->dot(g, x->opt.direction + first + r * w->n, at.n);
            square += squares ? (double)e->k->dot(g, g, at.n) : 0;
            if (w->dw) {
                e->k->add(w->dw + (at.m0 + r) * w->n + at.n0, g, at.n);
            }
        }
        double *p = x->partial + (piece * e->sequences + x->segments[i].sequence) * 2;
        p[0] += dot;
        p[1] += square;
    }
}

/* Sums of rows times a vector of V, or nothing where the model has no such bias. */
static double bias_dot(const struct engine *e, const struct layer_weights *w, enum tensor_role role,
                       const float *rows, size_t width, size_t from, size_t to)
{
    const struct model_tensor *t = model_find_role(e->model, role, w->layer);
    double sum = 0;
    for (size_t i = from; t && i < to; i++) {
        const float *v = e->examples->opt.direction + t->offset;
        sum += (double)e->k->dot(rows + i * width, v, width);
    }
    return sum;
}

static void bias_dots(struct engine *e, const struct layer_weights *w)
{
    static const enum tensor_role ROLES[EXAMPLE_MATRICES] = {TENSOR_Q_BIAS, TENSOR_O_BIAS,
                                                             TENSOR_GATE_BIAS, TENSOR_DOWN_BIAS};
    for (size_t s = 0; s < e->sequences; s++) {
        for (int i = 0; i < EXAMPLE_MATRICES; i++) {
            const struct weight_gradient *m = w->matrices[i];
            e->examples->out.dots[e->which[s]] +=
                bias_dot(e, w, ROLES[i], m->dy, m->m, e->starts[s], e->starts[s + 1]);
        }
    }
}

void examples_embedding(struct engine *e)
{
    const struct engine_examples *x = e->examples;
    const float *v = x->opt.direction + e->embed->offset;
    size_t d = e->c.dim;
    for (size_t s = 0; s < e->sequences; s++) {
        for (size_t t = e->starts[s]; t < e->starts[s + 1]; t++) {
            x->out.dots[e->which[s]] +=
                (double)x->token_dots[t] +
                (double)e->k->dot(e->back.dx + t * d, v + (size_t)e->tokens[t] * d, d);
        }
    }
}

/* ---- sketches ---- */

/* f[o][i] = the sum over rows of y[o] x[i]. */
static void outer_products(float *f, const float *y, const float *x, size_t rows, size_t rank)
{
    for (size_t o = 0; o < rank; o++) {
        for (size_t i = 0; i < rank; i += 8) {
            float sum[8] = {0};
            for (size_t t = 0; t < rows; t++) {
                float a = y[t * rank + o];
                const float *restrict b = x + t * rank + i;
                for (size_t k = 0; k < 8; k++) {
                    sum[k] += a * b[k];
                }
            }
            memcpy(f + o * rank + i, sum, sizeof sum);
        }
    }
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9ULL;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

/* A CountSketch of a row: neighbours stay neighbours from a drawn place on, each with a sign of
 * its own; rows meet at random.  The error is that of single draws, and no number is looked up. */
static void hash_row(float *out, size_t dim, const float *g, size_t n, uint64_t key)
{
    uint64_t h = mix(key), bits = 0;
    size_t at = h % dim;
    for (size_t i = 0; i < n; i++) {
        if (i % 64 == 0) {
            bits = mix(h + i + 1);
        }
        out[at] += bits & 1 ? -g[i] : g[i];
        bits >>= 1;
        at = at + 1 == dim ? 0 : at + 1;
    }
}

static void hash_matrix(const struct engine *e, struct engine_scratch *s,
                        const struct weight_gradient *w, uint64_t matrix, size_t sequence)
{
    const struct engine_examples *x = e->examples;
    float *tile = x->tiles + (size_t)(s - e->scratch) * x->tile_floats;
    float *out = x->out.sketches + e->which[sequence] * x->width;
    for (size_t piece = 0; piece < weight_gradient_pieces(e, w); piece++) {
        struct weight_tile at = weight_gradient_tile(e, w, piece);
        form_tile(e, s, w, at, x->segments[sequence], tile);
        for (size_t r = 0; r < at.m; r++) {
            float *g = tile + r * at.n;
            const float *scale = x->opt.scale + w->place + (at.m0 + r) * w->n + at.n0;
            for (size_t i = 0; x->opt.scale && i < at.n; i++) {
                g[i] *= scale[i];
            }
            uint64_t row = (matrix << 32 | (uint64_t)(at.m0 + r)) * 64 + at.n0 / WEIGHT_COLS;
            hash_row(out, x->opt.hashed, g, at.n, row * 0x9e3779b97f4a7c15ULL + x->opt.seed);
        }
    }
}

struct sketching {
    struct engine *e;
    const struct layer_weights *w;
};

static void sketch_sequence(void *ctx, size_t sequence, uint32_t worker)
{
    const struct sketching *k = ctx;
    const struct engine *e = k->e;
    const struct engine_examples *x = e->examples;
    size_t rank = x->opt.rank, from = e->starts[sequence], to = e->starts[sequence + 1];
    size_t first = (size_t)k->w->layer * EXAMPLE_MATRICES;
    for (size_t i = 0; i < EXAMPLE_MATRICES; i++) {
        if (rank == 0) {
            hash_matrix(e, &e->scratch[worker], k->w->matrices[i], first + i, sequence);
            continue;
        }
        const struct example_site *site = &x->sites[first + i];
        float *f = x->out.sketches + e->which[sequence] * x->width + (first + i) * rank * rank;
        outer_products(f, site->y + from * rank, site->x + from * rank, to - from, rank);
    }
}

static void look(struct engine *e, const struct layer_weights *w)
{
    const struct engine_examples *x = e->examples;
    for (int i = 0; i < EXAMPLE_MATRICES; i++) {
        const struct weight_gradient *m = w->matrices[i];
        const struct example_view view = {.layer = w->layer,
                                          .matrix = (enum example_matrix)i,
                                          .x = m->x,
                                          .y = m->dy,
                                          .inputs = m->n,
                                          .outputs = m->m,
                                          .starts = e->starts,
                                          .which = e->which,
                                          .sequences = e->sequences};
        x->opt.look(x->opt.ctx, &view);
    }
}

void examples_layer(struct engine *e, const struct layer_weights *w)
{
    struct engine_examples *x = e->examples;
    if (x->opt.rank > 0 || x->opt.hashed > 0) {
        struct sketching k = {e, w};
        examples_cut_tokens(e);
        pool_run(e->pool, e->sequences, sketch_sequence, &k);
    }
    if (x->opt.look) {
        look(e, w);
    }
    if (x->opt.direction) {
        bias_dots(e, w);
    }
}
