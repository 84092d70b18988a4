/* muon.c -- see muon.h for the method.
 *
 * With X the smaller way up (m <= n), a Newton-Schulz step is
 *
 *     A = X X'    B = b A + c A A    X = a X + B X
 *
 * which maps each singular value s to a s + b s^3 + c s^5.  A tall matrix is not
 * turned: A = X' X and X B do the same from the other side, and packing reads
 * along rows or down columns alike.  A and A A are symmetric: only what lies on
 * and above the diagonal is computed, panel of columns by panel, then mirrored.
 */
#include "train/muon.h"

#include "base/mem.h"
#include "base/sort.h"

#include <math.h>

/* Jordan et al. 2024: the steepest start that still ends near 1. */
#define STEPS         5
#define COEFFICIENT_A 3.4445F
#define COEFFICIENT_B (-4.7750F)
#define COEFFICIENT_C 2.0315F
#define NORM_EPS      1e-7

#define RATE_SCALE    0.2 /* Liu et al. 2025: root mean square of AdamW's updates */

struct matrix {
    size_t offset, rows, cols;
};

struct muon {
    struct gemm gemm;
    struct matrix *matrices; /* most work first */
    size_t count;
    float *scratch; /* a thread's: X, then what muon_orthogonalize() needs */
    size_t scratch_each;
    double flops;

    /* of the update going on */
    struct muon_arrays arrays;
    struct muon_step step;
};

/* ---- one matrix ---- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Up to whole cache lines. */
static size_t lines(size_t numbers)
{
    return (numbers + 15) / 16 * 16;
}

/* Where the parts of the scratch begin, in numbers: A at 0, B, packed factors. */
struct layout {
    size_t poly, left, right, end;
};

static struct layout layout_of(const struct gemm *g, size_t rows, size_t cols)
{
    size_t m = smaller(rows, cols), n = larger(rows, cols);
    struct layout l;
    l.poly = lines(m * m);
    l.left = l.poly + lines(m * m);
    /* left factors are X or the square, right ones too, whichever way up */
    l.right = l.left + larger(gemm_size_a(g, m, n), gemm_size_a(g, n, m)) / sizeof(float);
    l.end = l.right + larger(gemm_size_b(g, m, n), gemm_size_b(g, n, m)) / sizeof(float);
    return l;
}

size_t muon_matrix_scratch(const struct gemm *g, size_t rows, size_t cols)
{
    return layout_of(g, rows, cols).end;
}

double muon_matrix_flops(size_t rows, size_t cols)
{
    double m = (double)smaller(rows, cols), n = (double)larger(rows, cols);
    double gram = m * (m + 1) * n, square = m * (m + 1) * m, apply = 2 * m * m * n;
    return STEPS * (gram + square + apply);
}

/* C, m x m, on and above the diagonal (and some below it). */
static void upper_product(const struct gemm *g, size_t m, size_t k, const void *left,
                          const void *right, float *c)
{
    size_t width = g->k->gemm_cols;
    for (size_t from = 0; from < m; from += width) {
        size_t n = smaller(width, m - from);
        gemm_run_top(g, (struct gemm_shape){m, n, k}, from + n, left, gemm_at_b(g, right, from, k),
                     &(struct gemm_out){.c = c + from, .stride = m});
    }
}

static void mirror(float *c, size_t m)
{
    for (size_t i = 1; i < m; i++) {
        for (size_t j = 0; j < i; j++) {
            c[i * m + j] = c[j * m + i];
        }
    }
}

/* One step on x; m is the smaller side. */
static void newton_schulz(const struct gemm *g, float *x, size_t rows, size_t cols,
                          const struct layout *l, float *scratch)
{
    bool tall = rows > cols;
    size_t m = smaller(rows, cols), n = larger(rows, cols);
    float *gram = scratch, *poly = scratch + l->poly;
    float *left = scratch + l->left, *right = scratch + l->right;
    const struct pack_source of_x = {x, cols, rows, cols}, of_gram = {gram, m, m, m},
                             of_poly = {poly, m, m, m};
    tall ? gemm_pack_a_cols(g, left, &of_x) : gemm_pack_a_rows(g, left, &of_x);
    tall ? gemm_pack_b_cols(g, right, &of_x) : gemm_pack_b_rows(g, right, &of_x);
    upper_product(g, m, n, left, right, gram);
    mirror(gram, m);
    gemm_pack_a_rows(g, left, &of_gram);
    gemm_pack_b_rows(g, right, &of_gram);
    upper_product(g, m, m, left, right, poly);
    mirror(poly, m);
    g->k->scale(poly, COEFFICIENT_C, m * m);
    g->k->axpy(poly, COEFFICIENT_B, gram, m * m);
    /* X is packed before it is scaled and added to. */
    if (tall) {
        gemm_pack_a_rows(g, left, &of_x);
        gemm_pack_b_rows(g, right, &of_poly);
    } else {
        gemm_pack_a_rows(g, left, &of_poly);
        gemm_pack_b_cols(g, right, &of_x);
    }
    g->k->scale(x, COEFFICIENT_A, rows * cols);
    gemm_run(g, (struct gemm_shape){rows, cols, m}, left, right,
             &(struct gemm_out){.c = x, .stride = cols, .add = true});
}

void muon_orthogonalize(const struct gemm *g, float *x, size_t rows, size_t cols, float *scratch)
{
    struct layout l = layout_of(g, rows, cols);
    size_t n = rows * cols;
    g->k->scale(x, (float)(1 / (sqrt(g->k->sum_squares(x, n)) + NORM_EPS)), n);
    for (int i = 0; i < STEPS; i++) {
        newton_schulz(g, x, rows, cols, &l, scratch);
    }
}

/* ---- a model's matrices ---- */

size_t muon_scratch(const struct model_config *c, const struct gemm *g)
{
    size_t q = (size_t)c->heads * c->head_dim, kv = (size_t)c->kv_heads * c->head_dim;
    const size_t shapes[][2] = {
        {q, c->dim}, {kv, c->dim}, {c->dim, q}, {c->ffn, c->dim}, {c->dim, c->ffn}};
    size_t most = 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        size_t rows = shapes[i][0], cols = shapes[i][1];
        most = larger(most, lines(rows * cols) + muon_matrix_scratch(g, rows, cols));
    }
    return most;
}

static int by_work(const void *a, const void *b)
{
    const struct matrix *x = a, *y = b;
    double fx = muon_matrix_flops(x->rows, x->cols), fy = muon_matrix_flops(y->rows, y->cols);
    if (fx != fy) {
        return fx > fy ? -1 : 1;
    }
    return (x->offset > y->offset) - (x->offset < y->offset);
}

struct muon *muon_new(const struct model *m, const struct gemm *g, float *scratch)
{
    struct muon *u = mem_zalloc(sizeof *u);
    u->gemm = *g;
    u->scratch = scratch;
    u->scratch_each = muon_scratch(model_config(m), g);
    u->matrices = mem_alloc(model_tensor_count(m) * sizeof *u->matrices);
    for (size_t i = 0; i < model_tensor_count(m); i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        if (tensor_role_is_hidden(t->role)) {
            u->matrices[u->count++] = (struct matrix){t->offset, t->rows, t->cols};
            u->flops += muon_matrix_flops(t->rows, t->cols);
        }
    }
    sort(u->matrices, u->count, sizeof *u->matrices, by_work);
    return u;
}

void muon_free(struct muon *u)
{
    if (u) {
        mem_free(u->matrices);
        mem_free(u);
    }
}

static void update_matrix(void *muon, size_t piece, uint32_t worker)
{
    const struct muon *u = muon;
    const struct matrix *t = &u->matrices[piece];
    const struct muon_step *s = &u->step;
    float *w = u->arrays.weights + t->offset, *m = u->arrays.momentum + t->offset;
    float *g = u->arrays.gradient + t->offset;
    float *x = u->scratch + worker * u->scratch_each;
    size_t n = t->rows * t->cols;
    for (size_t i = 0; i < n; i++) {
        float grad = g[i] * s->gradient;
        m[i] = s->momentum * m[i] + grad;
        x[i] = grad + s->momentum * m[i];
        g[i] = 0;
    }
    muon_orthogonalize(&u->gemm, x, t->rows, t->cols, x + lines(n));
    float rate = s->rate * (float)(RATE_SCALE * sqrt((double)larger(t->rows, t->cols)));
    for (size_t i = 0; i < n; i++) {
        w[i] -= s->decay * w[i] + rate * x[i];
    }
}

void muon_update(struct muon *u, struct pool *pool, const struct muon_arrays *a,
                 const struct muon_step *s)
{
    u->arrays = *a;
    u->step = *s;
    pool_run(pool, u->count, update_matrix, u);
}

double muon_flops(const struct muon *u)
{
    return u->flops;
}
