/* subspace.c -- principal directions by the Gram matrix of examples and sample, and the pool's rows
 * in them: U = S' V / sqrt(eigenvalues), where S has examples and sample as its rows. */
#include "select/subspace.h"

#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"
#include "math/eigen.h"
#include "math/gemm.h"

#include <math.h>
#include <string.h>

#define EXAMPLES_MAX 512U
#define SAMPLE_LEAST 256U
#define BLOCK        64U   /* rows that are projected together */
#define NOTHING      1e-10 /* of the largest eigenvalue: no direction */

struct making {
    const struct choice_problem *p;
    const struct vector_rows *pool;
    struct subspace *s;
    size_t width;
    float *x; /* [m][width] examples, then the sample, each times its share's root */
    size_t m;
    double *gram, *values, *vectors, *scratch; /* [m][m] ... */
    uint32_t *order;                           /* eigenvalues by size */
    uint32_t part;
    void **packed; /* [parts] bases */
};

/* ---- what directions are sought of ---- */

struct keyed {
    uint64_t key;
    uint32_t row;
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

/* Rows by content, so that the order of the pool does not matter; how many there are of `most`. */
static size_t draw_sample(const struct making *g, uint32_t *rows, size_t most)
{
    const struct store *s = g->p->pool;
    size_t n = 0, count = 0;
    struct keyed *all = mem_alloc((g->pool->count + 1) * sizeof *all);
    for (size_t i = 0; i < g->pool->count; i++) {
        if (vector_rows_has(g->pool, i)) {
            all[n++] = (struct keyed){rng_mix(s->rows[i].key ^ g->p->env->seed), (uint32_t)i};
        }
    }
    sort(all, n, sizeof *all, by_key);
    for (size_t i = 0; i < n && count < most; i++) {
        bool copy = i > 0 && all[i].key == all[i - 1].key;
        if (!copy && vector_rows_finite(g->pool, all[i].row)) {
            rows[count++] = all[i].row;
        }
    }
    mem_free(all);
    return count;
}

static void scale(float *x, size_t n, double by)
{
    for (size_t i = 0; i < n; i++) {
        x[i] *= (float)by;
    }
}

static winnow_status gather(struct making *g, const float *examples, size_t count,
                            struct winnow_error *err)
{
    size_t wanted = 2 * (size_t)g->s->directions, few = count < EXAMPLES_MAX ? count : EXAMPLES_MAX;
    wanted = wanted > SAMPLE_LEAST ? wanted : SAMPLE_LEAST;
    g->x = mem_try_alloc(((few + wanted) * g->width + 1) * sizeof *g->x);
    if (!g->x) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %zu vectors that directions are of",
                         few + wanted);
    }
    uint32_t *rows = mem_alloc((wanted + 1) * sizeof *rows);
    size_t drawn = draw_sample(g, rows, wanted);
    for (size_t i = 0; i < few; i++) { /* evenly over all */
        float *to = g->x + i * g->width;
        memcpy(to, examples + i * count / few * g->width, g->width * sizeof *to);
        scale(to, g->width, 1 / sqrt((double)few));
    }
    for (size_t i = 0; i < drawn; i++) {
        float *to = g->x + (few + i) * g->width;
        vector_rows_expand(g->pool, rows[i], to);
        scale(to, g->width, 1 / sqrt((double)drawn));
    }
    g->m = few + drawn;
    mem_free(rows);
    return WINNOW_OK;
}

/* ---- directions of a part ---- */

static void gram_row(void *ctx, size_t i, uint32_t worker)
{
    (void)worker;
    struct making *g = ctx;
    size_t dim = g->s->dim;
    const float *x = g->x + g->part * dim;
    for (size_t j = 0; j <= i; j++) {
        g->gram[i * g->m + j] = vector_dot(g->p->k, x + i * g->width, x + j * g->width, dim);
    }
}

static void order_values(struct making *g)
{
    for (size_t i = 0; i < g->m; i++) {
        size_t at = i;
        for (; at > 0 && g->values[g->order[at - 1]] < g->values[i]; at--) {
            g->order[at] = g->order[at - 1];
        }
        g->order[at] = (uint32_t)i;
    }
}

static void direction(void *ctx, size_t d, uint32_t worker)
{
    (void)worker;
    struct making *g = ctx;
    size_t dim = g->s->dim, which = g->order[d];
    float *to = g->s->bases + (g->part * (size_t)g->s->directions + d) * dim;
    double value = g->values[which];
    double *sum = mem_zalloc((dim + 1) * sizeof *sum);
    bool any = value > NOTHING * g->values[g->order[0]] && value > 0;
    for (size_t i = 0; any && i < g->m; i++) {
        const float *x = g->x + i * g->width + g->part * dim;
        double v = g->vectors[which * g->m + i] / sqrt(value);
        for (size_t k = 0; k < dim; k++) {
            sum[k] += v * (double)x[k];
        }
    }
    for (size_t k = 0; k < dim; k++) {
        to[k] = (float)sum[k];
    }
    mem_free(sum);
}

static winnow_status find_part(struct making *g, struct winnow_error *err)
{
    pool_run(g->p->threads, g->m, gram_row, g);
    double all = 0, kept = 0;
    for (size_t i = 0; i < g->m; i++) {
        for (size_t j = 0; j < i; j++) {
            g->gram[j * g->m + i] = g->gram[i * g->m + j];
        }
        all += g->gram[i * g->m + i];
    }
    if (!eigen_symmetric(g->gram, g->m, g->values, g->vectors, g->scratch)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the vectors have no principal directions (checkpoint %u): make them anew "
                         "with winnow features, or leave --subspace out",
                         g->part + 1);
    }
    order_values(g);
    pool_run(g->p->threads, g->s->directions, direction, g);
    for (uint32_t d = 0; d < g->s->directions; d++) {
        double value = g->values[g->order[d]];
        kept += value > 0 ? value : 0;
    }
    g->s->captured[g->part] = all > 0 ? kept / all : 0;
    return WINNOW_OK;
}

static winnow_status find_bases(struct making *g, struct winnow_error *err)
{
    struct subspace *s = g->s;
    size_t squares = g->m * g->m;
    s->directions = s->directions < g->m ? s->directions : (uint32_t)g->m;
    s->bases = mem_try_alloc((size_t)s->parts * s->directions * s->dim * sizeof *s->bases + 1);
    g->gram = mem_try_alloc((2 * squares + g->m + eigen_scratch(g->m) + 1) * sizeof *g->gram);
    g->order = mem_alloc((g->m + 1) * sizeof *g->order);
    if (!s->bases || !g->gram) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %u directions (--subspace)",
                         s->directions);
    }
    g->vectors = g->gram + squares;
    g->values = g->vectors + squares;
    g->scratch = g->values + g->m;
    for (g->part = 0; g->part < s->parts; g->part++) {
        TRY(env_check(g->p->env, err));
        TRY(find_part(g, err));
    }
    return WINNOW_OK;
}

/* ---- the pool in them ---- */

static void put_row(struct subspace *s, size_t row, const float *y)
{
    size_t width = vector_rows_width(&s->rows);
    double sum = 0;
    for (size_t i = 0; i < width; i++) {
        sum += (double)y[i] * (double)y[i];
    }
    bool any = sum > 0 && isfinite(sum);
    for (size_t i = 0; i < width; i++) {
        s->data[row * width + i] = vector_bf16(any ? (float)((double)y[i] / sqrt(sum)) : 0);
    }
    for (uint32_t t = 0; t < s->parts; t++) {
        s->scales[row * s->parts + t] = any ? 1 : 0;
    }
}

static void project_block(void *ctx, size_t block, uint32_t worker)
{
    (void)worker;
    struct making *g = ctx;
    struct subspace *s = g->s;
    const struct gemm mul = {g->p->k, GEMM_F32};
    size_t from = block * BLOCK, left = g->pool->count - from, n = left < BLOCK ? left : BLOCK;
    size_t d = s->directions, width = vector_rows_width(&s->rows);
    float *x = mem_alloc(n * g->width * sizeof *x), *y = mem_alloc(n * width * sizeof *y);
    void *pack = mem_alloc(gemm_size_a(&mul, n, s->dim));
    for (size_t i = 0; i < n; i++) {
        vector_rows_expand(g->pool, from + i, x + i * g->width);
    }
    for (uint32_t t = 0; t < s->parts; t++) {
        gemm_pack_a_rows(&mul, pack,
                         &(struct pack_source){x + t * (size_t)s->dim, g->width, n, s->dim});
        gemm_run(&mul, (struct gemm_shape){n, d, s->dim}, pack, g->packed[t],
                 &(struct gemm_out){y + t * d, width, false, NULL});
    }
    for (size_t i = 0; i < n; i++) {
        put_row(s, from + i, y + i * width);
    }
    vector_rows_done(g->pool, from, from + n);
    mem_free(x);
    mem_free(y);
    mem_free(pack);
}

static winnow_status project_pool(struct making *g, struct winnow_error *err)
{
    struct subspace *s = g->s;
    const struct gemm mul = {g->p->k, GEMM_F32};
    size_t n = g->pool->count, width = (size_t)s->parts * s->directions;
    s->data = mem_try_alloc((n * width + 1) * sizeof *s->data);
    s->scales = mem_try_alloc((n * s->parts + 1) * sizeof *s->scales);
    if (!s->data || !s->scales) {
        return error_set(err, WINNOW_E_NOMEM,
                         "no memory for %zu vectors of %zu numbers: lower --subspace", n, width);
    }
    s->rows = (struct vector_rows){s->data, n, s->parts, s->directions, s->scales, false};
    size_t bytes = gemm_size_b(&mul, s->directions, s->dim);
    for (uint32_t t = 0; t < s->parts; t++) {
        g->packed[t] = mem_alloc(bytes);
        const float *bases = s->bases + t * (size_t)s->directions * s->dim;
        gemm_pack_b_rows(&mul, g->packed[t],
                         &(struct pack_source){bases, s->dim, s->directions, s->dim});
    }
    pool_run(g->p->threads, (n + BLOCK - 1) / BLOCK, project_block, g);
    for (uint32_t t = 0; t < s->parts; t++) {
        mem_free(g->packed[t]);
    }
    return WINNOW_OK;
}

/* ---- the whole ---- */

static winnow_status make(struct making *g, const float *examples, size_t count,
                          struct winnow_error *err)
{
    TRY(gather(g, examples, count, err));
    TRY(find_bases(g, err));
    return project_pool(g, err);
}

winnow_status subspace_make(const struct choice_problem *p, const struct vector_rows *pool,
                            const float *examples, size_t count, struct subspace *out,
                            struct winnow_error *err)
{
    void *packed[STORE_PARTS_MAX] = {NULL};
    *out = (struct subspace){.parts = pool->parts,
                             .dim = pool->dim,
                             .directions =
                                 p->opt->subspace < pool->dim ? p->opt->subspace : pool->dim};
    struct making g = {
        .p = p, .pool = pool, .s = out, .width = vector_rows_width(pool), .packed = packed};
    winnow_status st = make(&g, examples, count, err);
    mem_free(g.x);
    mem_free(g.gram);
    mem_free(g.order);
    return st;
}

uint64_t subspace_bytes(uint32_t directions, const struct store_head *h)
{
    uint64_t sample = 2 * (uint64_t)directions;
    uint64_t m = EXAMPLES_MAX + (sample > SAMPLE_LEAST ? sample : SAMPLE_LEAST);
    m = m < h->rows + EXAMPLES_MAX ? m : h->rows + EXAMPLES_MAX;
    return h->parts * (h->rows * (2 * (uint64_t)directions + 4) +
                       8 * (uint64_t)directions * h->dim + 4 * m * h->dim) +
           (3 * m * m + m) * sizeof(double);
}

void subspace_release(struct subspace *s)
{
    mem_free(s->bases);
    mem_free(s->data);
    mem_free(s->scales);
    *s = (struct subspace){0};
}

void subspace_project(const struct subspace *s, const struct kernels *k, const float *x, float *out)
{
    for (uint32_t t = 0; t < s->parts; t++) {
        for (uint32_t d = 0; d < s->directions; d++) {
            size_t at = t * (size_t)s->directions + d;
            out[at] = (float)vector_dot(k, s->bases + at * s->dim, x + t * (size_t)s->dim, s->dim);
        }
    }
}
