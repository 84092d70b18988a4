/* head.c -- the output head and cross-entropy in one, without the logits of a
 * batch.
 *
 * Scoring: a tile of tokens meets the vocabulary in chunks of HEAD_CHUNK; each
 * row keeps a running maximum and sum of exponentials, so only a tile by a chunk
 * of logits exists at a time.
 *
 * Training needs softmax minus one-hot twice, for dx and for dW.  Only positions
 * that have a target take part: of a prompt with its answer they are few.  Logits of
 * a block of tiles of them are kept, whole rows; a tile's piece computes them, turns them
 * into gradients in place and multiplies them into dx; then pieces of
 * vocabulary add the block's share to dW, block by block in order.
 *
 * Where sequences are weighed by what they lost (engine_weigh_by), gradients are taken before
 * the weights are known: rows of dx and, for dW, of the normed states are multiplied behind it,
 * which is a hundredth of the logits' work.  That takes one block that holds all tiles; of more
 * blocks the losses are computed first, and then everything again.
 */
#include "base/env.h"
#include "engine/engine_internal.h"
#include "engine/examples_internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Logits of vocabulary entries v0.. for rows packed in s->a. */
static void chunk_logits(const struct engine *e, const struct engine_scratch *s, size_t rows,
                         size_t v0, const struct gemm_out *out)
{
    size_t n = e->c.vocab - v0 < HEAD_CHUNK ? e->c.vocab - v0 : HEAD_CHUNK;
    gemm_run(&e->g, (struct gemm_shape){rows, n, e->c.dim}, s->a,
             gemm_at_b(&e->g, e->w_head.forward, v0, e->c.dim), out);
}

/* Running log-sum of a row. */
struct log_sum {
    double sum; /* of exp(x - top) */
    float top;
    float target;
};

static void add_logits(const struct kernels *k, struct log_sum *l, const float *x, size_t n)
{
    float top = k->max(x, n);
    if (top > l->top) {
        l->sum *= exp((double)l->top - (double)top);
        l->top = top;
    }
    l->sum += (double)k->sum_exp(x, n, l->top);
}

static float log_sum(const struct log_sum *l)
{
    return (float)((double)l->top + log(l->sum));
}

static void score_rows(const struct engine *e, struct engine_scratch *s, struct tile_span span,
                       struct log_sum *sums)
{
    for (size_t v0 = 0; v0 < e->c.vocab; v0 += HEAD_CHUNK) {
        size_t n = e->c.vocab - v0 < HEAD_CHUNK ? e->c.vocab - v0 : HEAD_CHUNK;
        chunk_logits(e, s, span.count, v0, &(struct gemm_out){s->logits, HEAD_CHUNK, false, NULL});
        for (size_t i = 0; i < span.count; i++) {
            const float *x = s->logits + i * HEAD_CHUNK;
            uint32_t target = e->targets[span.from + i];
            if (target == BATCH_NO_TARGET) {
                continue;
            }
            add_logits(e->k, &sums[i], x, n);
            if (target >= v0 && target - v0 < n) {
                sums[i].target = x[target - v0];
            }
        }
    }
}

static void pack_normed(struct engine *e, struct engine_scratch *s, struct tile_span span)
{
    engine_pack_normed(
        e, s,
        (struct norm_rows){e->x + span.from * e->c.dim, e->norm, span.count, e->r + span.from});
}

static void score_piece(void *engine, size_t tile, uint32_t worker)
{
    struct engine *e = engine;
    struct engine_scratch *s = &e->scratch[worker];
    struct tile_span span = engine_tile(e, tile);
    pack_normed(e, s, span);
    struct log_sum sums[TILE_MOST];
    assert(span.count <= TILE_MOST);
    for (size_t i = 0; i < span.count; i++) {
        sums[i] = (struct log_sum){.top = -INFINITY};
    }
    score_rows(e, s, span, sums);
    for (size_t i = 0; i < span.count; i++) {
        bool scored = e->targets[span.from + i] != BATCH_NO_TARGET;
        e->nll[span.from + i] = scored ? log_sum(&sums[i]) - sums[i].target : 0.0F;
    }
}

static void logits_piece(void *engine, size_t tile, uint32_t worker)
{
    struct engine *e = engine;
    struct engine_scratch *s = &e->scratch[worker];
    struct tile_span span = engine_tile(e, tile);
    size_t v = e->c.vocab;
    pack_normed(e, s, span);
    for (size_t v0 = 0; v0 < v; v0 += HEAD_CHUNK) {
        chunk_logits(e, s, span.count, v0,
                     &(struct gemm_out){e->logits + span.from * v + v0, v, false, NULL});
    }
}

void engine_head(struct engine *e)
{
    engine_run(e, ENGINE_HEAD, e->tiles, e->logits ? logits_piece : score_piece);
}

/* ---- training ---- */

/* Some tiles of head_rows tokens, whose logits are kept. */
struct block {
    struct engine *e;
    size_t first; /* tile */
    struct weight_gradient w;
};

/* Among the positions that have a target. */
static struct tile_span head_tile(const struct engine *e, size_t tile)
{
    size_t from = tile * e->head_rows, left = e->back.scored_count - from;
    return (struct tile_span){from, left < e->head_rows ? left : e->head_rows};
}

/* Positions without a target pass nothing back. */
static void find_scored(struct engine *e)
{
    struct engine_back *b = &e->back;
    b->scored_count = 0;
    for (size_t t = 0; t < e->t; t++) {
        if (e->targets[t] != BATCH_NO_TARGET) {
            b->scored[b->scored_count++] = (uint32_t)t;
            continue;
        }
        e->nll[t] = 0.0F;
        memset(b->dx + t * e->c.dim, 0, e->c.dim * sizeof *b->dx);
    }
}

/* The last norm of a tile's rows, which are then packed. */
static void norm_scored(struct engine *e, struct engine_scratch *s, struct tile_span span)
{
    size_t d = e->c.dim;
    float *normed = e->normed + span.from * d;
    for (size_t i = 0; i < span.count; i++) {
        size_t t = e->back.scored[span.from + i];
        e->r[t] = e->k->rmsnorm(normed + i * d, e->x + t * d, e->norm, d, (float)e->c.norm_eps);
    }
    struct pack_source src = {normed, d, span.count, d};
    gemm_pack_a_rows(&e->g, s->a, &src);
}

/* Logits of one token to the gradient of its scale * KL(p || softmax of them), p being the
 * softmax of the teacher's. */
static void row_divergence(struct engine *e, float *x, float *teacher, size_t token)
{
    size_t v = e->c.vocab;
    struct log_sum own = {.top = -INFINITY}, other = {.top = -INFINITY};
    add_logits(e->k, &own, x, v);
    add_logits(e->k, &other, teacher, v);
    float lse = log_sum(&own), log_p = log_sum(&other);
    double sum = 0;
    for (size_t i = 0; i < v; i++) {
        float l = teacher[i] - log_p, p = expf(l);
        sum += (double)(p * (l - (x[i] - lse)));
        teacher[i] = p;
    }
    e->nll[token] = (float)sum;
    e->k->exp_scale(x, v, lse, e->scales[token]);
    e->k->axpy(x, -e->scales[token], teacher, v);
}

/* Logits of one token to the gradient of its scale * nll. */
static void row_gradient(struct engine *e, float *x, size_t token)
{
    if (e->teacher) {
        row_divergence(e, x, e->teacher + token * e->c.vocab, token);
        return;
    }
    uint32_t target = e->targets[token];
    size_t v = e->c.vocab;
    struct log_sum l = {.top = -INFINITY, .target = x[target]};
    add_logits(e->k, &l, x, v);
    float lse = log_sum(&l);
    e->nll[token] = lse - l.target;
    e->k->exp_scale(x, v, lse, e->scales[token]);
    x[target] -= e->scales[token];
}

/* Gradients of a tile's normed states, in s->rows. */
static void states_back(struct engine *e, struct engine_scratch *s, struct tile_span span,
                        const float *logits)
{
    size_t v = e->c.vocab, d = e->c.dim;
    /* The packed head for dx stands in chunks of HEAD_CHUNK rows. */
    const char *w = e->w_head.backward;
    for (size_t v0 = 0; v0 < v; v0 += HEAD_CHUNK) {
        size_t n = v - v0 < HEAD_CHUNK ? v - v0 : HEAD_CHUNK;
        struct row_product p = {logits + v0, v, span.count, n, d, w};
        engine_product(e, s, &p, &(struct gemm_out){s->rows, d, v0 > 0, NULL});
        w += gemm_size_b(&e->g, d, HEAD_CHUNK);
    }
}

/* From there through the last norm. */
static void last_norm_back(struct engine *e, const struct engine_scratch *s, size_t tile)
{
    struct tile_span span = head_tile(e, tile);
    size_t d = e->c.dim;
    float *dnorm = e->back.dnorm + tile * d;
    memset(dnorm, 0, d * sizeof *dnorm);
    for (size_t i = 0; i < span.count; i++) {
        size_t t = e->back.scored[span.from + i];
        struct norm_back step = {e->back.dx + t * d, dnorm,   NULL,   s->rows + i * d,
                                 e->x + t * d,       e->norm, e->r[t]};
        e->k->rmsnorm_back(&step, d);
        examples_norm(e, t, s->rows + i * d, e->x + t * d, e->norm, e->r[t]);
    }
}

static bool weighs_behind(const struct engine *e)
{
    return e->weigh && !e->examples && engine_head_tiles(e) <= e->head_tiles;
}

static void tile_logits(struct engine *e, struct engine_scratch *s, struct tile_span span,
                        float *logits)
{
    size_t v = e->c.vocab;
    norm_scored(e, s, span);
    for (size_t v0 = 0; v0 < v; v0 += HEAD_CHUNK) {
        chunk_logits(e, s, span.count, v0, &(struct gemm_out){logits + v0, v, false, NULL});
    }
}

static void gradient_piece(void *block, size_t piece, uint32_t worker)
{
    const struct block *b = block;
    struct engine *e = b->e;
    struct engine_scratch *s = &e->scratch[worker];
    size_t tile = b->first + piece, v = e->c.vocab, d = e->c.dim;
    struct tile_span span = head_tile(e, tile);
    const uint32_t *scored = e->back.scored + span.from;
    float *logits = e->back.logits + piece * e->head_rows * v;
    tile_logits(e, s, span, logits);
    for (size_t i = 0; i < span.count; i++) {
        row_gradient(e, logits + i * v, scored[i]);
    }
    states_back(e, s, span, logits);
    for (size_t i = 0; weighs_behind(e) && i < span.count; i++) {
        memcpy(e->back.dx + scored[i] * d, s->rows + i * d, d * sizeof *s->rows);
    }
    if (!weighs_behind(e)) {
        last_norm_back(e, s, tile);
    }
}

/* ---- weights by losses ---- */

static void losses_piece(void *block, size_t piece, uint32_t worker)
{
    const struct block *b = block;
    struct engine *e = b->e;
    struct tile_span span = head_tile(e, b->first + piece);
    size_t v = e->c.vocab;
    float *logits = e->back.logits + piece * e->head_rows * v;
    tile_logits(e, &e->scratch[worker], span, logits);
    for (size_t i = 0; i < span.count; i++) {
        size_t token = e->back.scored[span.from + i];
        struct log_sum l = {.top = -INFINITY, .target = logits[i * v + e->targets[token]]};
        add_logits(e->k, &l, logits + i * v, v);
        e->nll[token] = log_sum(&l) - l.target;
    }
}

/* The weights of sequences that have lost e->nll. */
static void weigh_sequences(struct engine *e)
{
    for (size_t s = 0; s < e->sequences; s++) {
        e->sequence_nll[s] = 0;
        e->sequence_targets[s] = 0;
        for (size_t t = e->starts[s]; t < e->starts[s + 1]; t++) {
            e->sequence_nll[s] += (double)e->nll[t];
            e->sequence_targets[s] += e->targets[t] != BATCH_NO_TARGET;
        }
    }
    const struct engine_losses losses = {e->sequence_nll, e->sequence_targets, e->sequences};
    e->weigh(e->weigh_ctx, &losses, e->sequence_weights);
}

/* Before any gradient: into the scales of tokens. */
static void weigh_first(struct engine *e)
{
    size_t all = engine_head_tiles(e);
    for (size_t tile = 0; tile < all; tile += e->head_tiles) {
        struct block b = {.e = e, .first = tile};
        pool_run(e->pool, all - tile < e->head_tiles ? all - tile : e->head_tiles, losses_piece,
                 &b);
    }
    weigh_sequences(e);
    for (size_t s = 0; s < e->sequences; s++) {
        for (size_t t = e->starts[s]; t < e->starts[s + 1]; t++) {
            e->scales[t] *= e->sequence_weights[s];
        }
    }
}

static void weigh_piece(void *engine, size_t tile, uint32_t worker)
{
    struct engine *e = engine;
    struct engine_scratch *s = &e->scratch[worker];
    struct tile_span span = head_tile(e, tile);
    size_t d = e->c.dim;
    for (size_t i = 0; i < span.count; i++) {
        size_t t = e->back.scored[span.from + i];
        float *normed = e->normed + (span.from + i) * d, w = e->scales[t];
        for (size_t k = 0; k < d; k++) {
            s->rows[i * d + k] = w * e->back.dx[t * d + k];
            normed[k] *= w;
        }
    }
    last_norm_back(e, s, tile);
}

/* Behind the gradients of the normed states, which stand in dx. */
static void weigh_behind(struct engine *e)
{
    weigh_sequences(e);
    for (size_t s = 0; s < e->sequences; s++) {
        for (size_t t = e->starts[s]; t < e->starts[s + 1]; t++) {
            e->scales[t] = e->sequence_weights[s]; /* those of the batch are in dx */
        }
    }
    pool_run(e->pool, engine_head_tiles(e), weigh_piece, e);
}

/* ---- all of it ---- */

static void head_weight_piece(void *block, size_t piece, uint32_t worker)
{
    const struct block *b = block;
    struct engine_scratch *s = &b->e->scratch[worker];
    if (examples_want_products(b->e)) {
        examples_piece(b->e, s, &b->w, weight_gradient_tile(b->e, &b->w, piece), piece);
        return;
    }
    weight_gradient_piece(b->e, s, &b->w, piece);
}

/* The share of scored tokens from..to of the head's gradient, or what is wanted of it. */
static void head_weights(struct engine *e, struct block *b, size_t from, size_t to)
{
    if (!examples_want_weights(e)) {
        return;
    }
    enum tensor_role role = e->c.tied ? TENSOR_EMBED : TENSOR_HEAD;
    size_t v = e->c.vocab, d = e->c.dim, place = model_find_role(e->model, role, 0)->offset;
    b->w = (struct weight_gradient){.dy = e->back.logits,
                                    .x = e->normed + from * d,
                                    .dy_stride = v,
                                    .x_stride = d,
                                    .tokens = to - from,
                                    .m = v,
                                    .n = d,
                                    .dw = e->gradient ? e->gradient + place : NULL,
                                    .place = place};
    size_t pieces = weight_gradient_pieces(e, &b->w);
    bool products = examples_want_products(e);
    if (products) {
        examples_cut_scored(e, from, to);
        examples_clear(e, pieces);
    }
    pool_run(e->pool, pieces, head_weight_piece, b);
    if (products) {
        examples_join(e, pieces);
    }
}

size_t engine_head_tiles(const struct engine *e)
{
    return (e->back.scored_count + e->head_rows - 1) / e->head_rows;
}

void engine_head_back(struct engine *e)
{
    double start = env_seconds();
    find_scored(e);
    size_t all = engine_head_tiles(e);
    bool behind = weighs_behind(e);
    if (e->weigh && !e->examples && !behind) {
        weigh_first(e);
    }
    for (size_t tile = 0; tile < all; tile += e->head_tiles) {
        size_t tiles = all - tile < e->head_tiles ? all - tile : e->head_tiles;
        struct block b = {.e = e, .first = tile};
        pool_run(e->pool, tiles, gradient_piece, &b);
        if (behind) {
            weigh_behind(e);
        }
        size_t from = tile * e->head_rows, to = (tile + tiles) * e->head_rows;
        to = to < e->back.scored_count ? to : e->back.scored_count;
        head_weights(e, &b, from, to);
    }
    e->seconds[ENGINE_HEAD] += env_seconds() - start;
}
