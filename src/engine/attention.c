/* attention.c -- causal attention over packed sequences.
 *
 * One piece of work is one head of one sequence, so nothing is padded and
 * sequences do not see each other.  No T x T matrix is kept: the forward pass
 * holds scores of one block of queries (gemm_cols of them) against all keys up
 * to them, the backward pass recomputes them from the stored log-sums (Dao et
 * al. 2022), a block of queries at a time.
 *
 * Forward computes scores turned, keys down and queries across, so that the
 * softmax runs down columns without a sum across lanes, and the result is at
 * once the left factor of the product with V:
 *
 *     S[key][query] = K Q'      P = softmax of columns      O[query] = P' V
 *
 * In bf16 the same products run on factors rounded to pairs (math/gemm.h); scores,
 * softmax and sums stay f32.
 *
 * Backward needs P and dS both as they are (for dV = P' dO, dK = dS' Q) and
 * turned (dQ = dS K), so it computes them with queries down and turns dS by
 * packing it.
 */
#include "base/env.h"
#include "base/round.h"
#include "engine/engine_internal.h"

#include <math.h>
#include <string.h>

struct attention {
    struct engine *e;
    const struct engine_layer *l;
};

/* Where a piece's scratch arrays lie; n keys padded to np.  Factors of products
 * are in steps of k (gemm_steps), given here for f32; bf16 needs half. */
struct forward_scratch {
    void *keys;    /* left: [panel][H][rows] */
    void *values;  /* right: [n][head_pad] */
    void *query;   /* right: [H][cols] */
    float *scores; /* [np][cols] */
    void *p;       /* left: [np][cols]; the scores themselves in f32 */
    float *lse;    /* [cols] */
};

struct backward_scratch {
    void *keys, *values;          /* right: [panel][H][cols] */
    void *key_rows;               /* right: [n][head_pad] */
    void *query, *dout;           /* left, a block: [panel][H][rows] */
    void *query_rows, *dout_rows; /* right, a block: [block][head_pad] */
    float *p, *ds;                /* [block][np] */
    void *left;                   /* p or ds as left factor, either way around */
    float *dkeys, *dvalues;       /* [n][head_pad] */
    float *dquery;                /* [block][head_pad] */
};

/* Memory handed out in order; without a base only counted. */
struct cursor {
    float *base;
    size_t used;
};

static float *take(struct cursor *at, size_t n)
{
    float *p = at->base ? at->base + at->used : NULL;
    at->used += round_up(n, 16);
    return p;
}

static size_t forward_layout(const struct engine *e, size_t n, struct cursor at,
                             struct forward_scratch *s)
{
    uint32_t rows = e->k->gemm_rows, cols = e->k->gemm_cols;
    size_t h = e->c.head_dim;
    s->keys = take(&at, round_up(n, rows) * h);
    s->values = take(&at, n * e->head_pad);
    s->query = take(&at, h * cols);
    s->scores = take(&at, round_up(n, rows) * cols);
    s->p = e->g_attention.type == GEMM_BF16 ? take(&at, round_up(n, rows) * cols) : s->scores;
    s->lse = take(&at, cols);
    return at.used;
}

static size_t backward_layout(const struct engine *e, size_t n, struct cursor at,
                              struct backward_scratch *s)
{
    uint32_t rows = e->k->gemm_rows, cols = e->k->gemm_cols;
    size_t h = e->c.head_dim, np = round_up(n, cols), block = (size_t)ATTENTION_PANELS * rows;
    s->keys = take(&at, np * h);
    s->values = take(&at, np * h);
    s->key_rows = take(&at, n * e->head_pad);
    s->query = take(&at, block * h);
    s->dout = take(&at, block * h);
    s->query_rows = take(&at, block * e->head_pad);
    s->dout_rows = take(&at, block * e->head_pad);
    /* A tile may read up to gemm_rows numbers from any column on. */
    s->p = take(&at, block * np + rows);
    s->ds = take(&at, block * np + rows);
    s->left = take(&at, block * np + rows);
    s->dkeys = take(&at, n * e->head_pad);
    s->dvalues = take(&at, n * e->head_pad);
    s->dquery = take(&at, block * e->head_pad);
    return at.used;
}

size_t attention_scratch_floats(const struct engine *e)
{
    struct forward_scratch f;
    struct backward_scratch b;
    size_t forward = forward_layout(e, e->tokens_max, (struct cursor){NULL, 0}, &f);
    size_t backward =
        e->gradients ? backward_layout(e, e->tokens_max, (struct cursor){NULL, 0}, &b) : 0;
    return forward > backward ? forward : backward;
}

/* Keys after a query do not exist for it: the scores of queries q0.. against
 * keys from q0 on. */
static void mask_columns(float *scores, size_t cols, size_t q0, size_t keys)
{
    for (size_t key = q0 + 1; key < keys; key++) {
        for (size_t i = 0; i < key - q0 && i < cols; i++) {
            scores[key * cols + i] = -INFINITY;
        }
    }
}

static void forward_piece(void *run, size_t piece, uint32_t worker)
{
    const struct attention *r = run;
    const struct engine *e = r->e;
    const struct kernels *k = e->k;
    const struct gemm *g = &e->g_attention;
    size_t head = piece % e->c.heads, seq = piece / e->c.heads;
    size_t start = e->starts[seq], n = e->starts[seq + 1] - start;
    size_t h = e->c.head_dim, pad = e->head_pad, kv = head / (e->c.heads / e->c.kv_heads);
    uint32_t cols = k->gemm_cols, rows = k->gemm_rows;
    float scale = 1.0F / sqrtf((float)h);
    struct forward_scratch s;
    (void)forward_layout(e, n, (struct cursor){e->scratch[worker].attention, 0}, &s);
    const float *q = r->l->qkv + start * e->s + head * h;
    const float *keys = r->l->qkv + start * e->s + e->q + kv * h;
    gemm_pack_rows(g, s.keys, rows, &(struct pack_source){keys, e->s, n, h});
    gemm_pack_cols(g, s.values, e->head_pad, &(struct pack_source){keys + e->kv, e->s, n, h});
    for (size_t q0 = 0; q0 < n; q0 += cols) {
        size_t queries = n - q0 < cols ? n - q0 : cols, seen = q0 + queries;
        gemm_pack_rows(g, s.query, cols, &(struct pack_source){q + q0 * e->s, e->s, queries, h});
        gemm_run_views(g, (struct gemm_shape){seen, cols, h},
                       (struct gemm_view){s.keys, rows, gemm_steps(g, h) * rows},
                       (struct gemm_view){s.query, cols, 0},
                       &(struct gemm_out){s.scores, cols, false, NULL});
        mask_columns(s.scores, cols, q0, seen);
        k->softmax_cols(s.scores, seen, cols, scale, s.lse);
        if (g->type == GEMM_BF16) {
            gemm_pack_cols(g, s.p, cols, &(struct pack_source){s.scores, cols, seen, cols});
        }
        float *out = r->l->attended + (start + q0) * e->q + head * h;
        gemm_run_views(g, (struct gemm_shape){queries, h, seen},
                       (struct gemm_view){s.p, cols, rows}, (struct gemm_view){s.values, pad, cols},
                       &(struct gemm_out){out, e->q, false, NULL});
        memcpy(r->l->lse + head * e->tokens_max + start + q0, s.lse, queries * sizeof(float));
    }
}

void engine_attention(struct engine *e, const struct engine_layer *l)
{
    double start = env_seconds();
    struct attention r = {e, l};
    pool_run(e->pool, e->sequences * e->c.heads, forward_piece, &r);
    e->seconds[ENGINE_ATTENTION] += env_seconds() - start;
}

/* Scores and their gradients of a block of queries against all keys seen. */
static void block_scores(const struct engine *e, const struct backward_scratch *s, size_t count,
                         size_t seen, size_t np)
{
    uint32_t cols = e->k->gemm_cols, rows = e->k->gemm_rows;
    size_t h = e->c.head_dim;
    struct gemm_shape shape = {count, seen, h};
    size_t depth = gemm_steps(&e->g_attention, h);
    gemm_run_views(&e->g_attention, shape, (struct gemm_view){s->query, rows, depth * rows},
                   (struct gemm_view){s->keys, cols, depth * cols},
                   &(struct gemm_out){s->p, np, false, NULL});
    gemm_run_views(&e->g_attention, shape, (struct gemm_view){s->dout, rows, depth * rows},
                   (struct gemm_view){s->values, cols, depth * cols},
                   &(struct gemm_out){s->ds, np, false, NULL});
}

/* sums[seen][pad] += left' right, left being a block's p or ds. */
static void add_turned(const struct engine *e, const struct backward_scratch *s, const float *left,
                       const void *right, const struct gemm_shape *shape, float *sums)
{
    size_t pad = e->head_pad, np = round_up(shape->m, e->k->gemm_cols);
    const void *factor = left;
    if (e->g_attention.type == GEMM_BF16) {
        gemm_pack_cols(&e->g_attention, s->left, (uint32_t)np,
                       &(struct pack_source){left, np, shape->k, np});
        factor = s->left;
    }
    gemm_run_views(&e->g_attention, *shape, (struct gemm_view){factor, np, e->k->gemm_rows},
                   (struct gemm_view){right, pad, e->k->gemm_cols},
                   &(struct gemm_out){sums, pad, true, NULL});
}

/* A block's factors: queries and output gradients, both ways. */
static void pack_block(const struct engine *e, const struct backward_scratch *s,
                       const struct pack_source *q, const struct pack_source *dout)
{
    uint32_t rows = e->k->gemm_rows;
    gemm_pack_rows(&e->g_attention, s->query, rows, q);
    gemm_pack_rows(&e->g_attention, s->dout, rows, dout);
    gemm_pack_cols(&e->g_attention, s->query_rows, e->head_pad, q);
    gemm_pack_cols(&e->g_attention, s->dout_rows, e->head_pad, dout);
}

/* One block of queries of one head: adds to dkeys and dvalues, stores their dq. */
static void backward_block(const struct attention *r, const struct backward_scratch *s,
                           size_t start, size_t head, struct tile_span block)
{
    const struct engine *e = r->e;
    const struct kernels *k = e->k;
    size_t h = e->c.head_dim, pad = e->head_pad, count = block.count;
    size_t seen = block.from + count, np = round_up(seen, k->gemm_cols), t0 = start + block.from;
    uint32_t rows = k->gemm_rows;
    float scale = 1.0F / sqrtf((float)h);
    struct pack_source q = {r->l->qkv + t0 * e->s + head * h, e->s, count, h};
    struct pack_source dout = {e->back.dattended + t0 * e->q + head * h, e->q, count, h};
    pack_block(e, s, &q, &dout);
    block_scores(e, s, count, seen, np);
    for (size_t i = 0; i < count; i++) {
        size_t own = block.from + i + 1, at = head * e->tokens_max + t0 + i;
        float *p = s->p + i * np, *ds = s->ds + i * np;
        k->attention_back(p, ds, own, scale, r->l->lse[at], e->back.delta[at]);
        memset(p + own, 0, (np - own) * sizeof(float));
        memset(ds + own, 0, (np - own) * sizeof(float));
    }
    struct gemm_shape down = {seen, pad, count};
    add_turned(e, s, s->p, s->dout_rows, &down, s->dvalues);
    add_turned(e, s, s->ds, s->query_rows, &down, s->dkeys);
    gemm_pack_rows(&e->g_attention, s->left, rows, &(struct pack_source){s->ds, np, count, seen});
    gemm_run_views(&e->g_attention, (struct gemm_shape){count, pad, seen},
                   (struct gemm_view){s->left, rows, gemm_steps(&e->g_attention, seen) * rows},
                   (struct gemm_view){s->key_rows, pad, k->gemm_cols},
                   &(struct gemm_out){s->dquery, pad, false, NULL});
    for (size_t i = 0; i < count; i++) {
        memcpy(e->back.dqkv + (t0 + i) * e->s + head * h, s->dquery + i * pad, h * sizeof(float));
    }
}

static void backward_piece(void *run, size_t piece, uint32_t worker)
{
    const struct attention *r = run;
    const struct engine *e = r->e;
    size_t kv = piece % e->c.kv_heads, seq = piece / e->c.kv_heads;
    size_t start = e->starts[seq], n = e->starts[seq + 1] - start;
    size_t h = e->c.head_dim, pad = e->head_pad, group = e->c.heads / e->c.kv_heads;
    size_t step = (size_t)ATTENTION_PANELS * e->k->gemm_rows;
    struct backward_scratch s;
    (void)backward_layout(e, n, (struct cursor){e->scratch[worker].attention, 0}, &s);
    const float *keys = r->l->qkv + start * e->s + e->q + kv * h;
    uint32_t cols = e->k->gemm_cols;
    struct pack_source key = {keys, e->s, n, h}, value = {keys + e->kv, e->s, n, h};
    gemm_pack_rows(&e->g_attention, s.keys, cols, &key);
    gemm_pack_rows(&e->g_attention, s.values, cols, &value);
    gemm_pack_cols(&e->g_attention, s.key_rows, e->head_pad, &key);
    memset(s.dkeys, 0, n * pad * sizeof(float));
    memset(s.dvalues, 0, n * pad * sizeof(float));
    for (size_t head = kv * group; head < (kv + 1) * group; head++) {
        for (size_t q0 = 0; q0 < n; q0 += step) {
            backward_block(r, &s, start, head,
                           (struct tile_span){q0, n - q0 < step ? n - q0 : step});
        }
    }
    for (size_t i = 0; i < n; i++) {
        float *dkey = e->back.dqkv + (start + i) * e->s + e->q + kv * h;
        memcpy(dkey, s.dkeys + i * pad, h * sizeof(float));
        memcpy(dkey + e->kv, s.dvalues + i * pad, h * sizeof(float));
    }
}

void engine_attention_back(struct engine *e, const struct engine_layer *l)
{
    double start = env_seconds();
    struct attention r = {e, l};
    pool_run(e->pool, e->sequences * e->c.kv_heads, backward_piece, &r);
    e->seconds[ENGINE_ATTENTION_BACK] += env_seconds() - start;
}
