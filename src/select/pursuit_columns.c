/* pursuit_columns.c -- candidates become columns of a fit, a block of them at a time.
 *
 * The block lies behind the columns that are there already, is multiplied with all of them and
 * with itself by the matrix kernels, in f32 over at most 256 numbers and in f64 over those, and
 * then let in one by one: what is nearly a copy of a row held from before, or of a better one,
 * leaves again.  A few candidates are multiplied one by one, which the tests take as the judge
 * of the blocks. */
#include "base/mem.h"
#include "math/gemm.h"
#include "select/pursuit_internal.h"

#include <math.h>
#include <string.h>

#define FEW   4U   /* candidates for which packing does not pay */
#define TILE  256U /* columns that a block is multiplied with at a time */
#define DEPTH 256U /* numbers whose products are summed in f32 */

size_t chase_room(const struct chase *c)
{
    size_t m = c->p->budget, left = c->had < m ? m - c->had : 0;
    if (c->way == PURSUIT_COSAMP) {
        return 2 * m;
    }
    size_t block = c->way == PURSUIT_BLOCK ? (m + 19) / 20 : 1;
    return block < left ? block : left;
}

/* ---- rows held from before ---- */

/* The first eighth of each part. */
static double head_product(const struct chase *c, const float *a, const float *b)
{
    const struct vector_rows *rows = c->p->rows;
    double sum = 0;
    for (uint32_t t = 0; t < rows->parts; t++, a += rows->dim, b += rows->dim) {
        sum += (double)c->k->dot(a, b, rows->dim / 8);
    }
    return sum;
}

double chase_tail(const struct chase *c, const float *x)
{
    double tail = vector_dot(c->k, x, x, c->width) - head_product(c, x, x);
    return tail > 0 ? tail : 0;
}

/* Most rows are no copies by their heads already: tails add |tail| |tail| at most. */
static bool near_a_held_one(const struct chase *c, const float *column)
{
    const struct pursuit_problem *p = c->p;
    double own = p->held_count > 0 ? chase_tail(c, column) : 0;
    for (size_t i = 0; i < p->held_count; i++) {
        const float *held = p->held + i * c->width;
        double most = head_product(c, column, held) + sqrt(own * c->held_tails[i]);
        if (most > c->opt->copy - 1e-4 && vector_dot(c->k, column, held, c->width) > c->opt->copy) {
            return true;
        }
    }
    return false;
}

/* ---- a block of candidates ---- */

static bool has_column(const struct chase *c, uint32_t place)
{
    for (size_t i = 0; i < c->count; i++) {
        if (c->rows[i] == place) {
            return true;
        }
    }
    return false;
}

size_t chase_fetch(struct chase *c)
{
    size_t room = c->had + chase_room(c) - c->count;
    room = room < CHASE_BLOCK ? room : CHASE_BLOCK;
    c->fresh = 0;
    for (; c->next < c->candidate_count && c->fresh < room; c->next++) {
        if (!has_column(c, c->candidates[c->next])) {
            c->rows[c->count + c->fresh++] = c->candidates[c->next];
        }
    }
    return c->fresh;
}

void chase_widen(struct chase *c, size_t i)
{
    size_t at = c->count + i;
    float *column = c->columns + at * c->width;
    vector_rows_expand(c->p->rows, c->p->which[c->rows[at]], column);
    c->c[at] = vector_dot(c->k, column, c->b, c->width);
    c->w[at] = 0;
    c->near[i] = near_a_held_one(c, column);
}

size_t chase_tiles(const struct chase *c)
{
    return c->fresh > 0 ? (c->count + c->fresh + TILE - 1) / TILE : 0;
}

static void multiply_few(struct chase *c, size_t from, size_t to)
{
    for (size_t at = c->count; at < c->count + c->fresh; at++) {
        for (size_t i = from; i < to; i++) {
            c->gram[at * c->cap + i] =
                vector_dot(c->k, c->columns + at * c->width, c->columns + i * c->width, c->width);
        }
    }
}

void chase_multiply(struct chase *c, size_t tile)
{
    size_t from = tile * TILE, all = c->count + c->fresh, n = all - from < TILE ? all - from : TILE;
    if (c->fresh <= FEW) {
        multiply_few(c, from, from + n);
        return;
    }
    const struct gemm g = {c->k, GEMM_F32};
    void *a = mem_alloc(gemm_size_a(&g, CHASE_BLOCK, DEPTH));
    void *b = mem_alloc(gemm_size_b(&g, TILE, DEPTH));
    float *sums = mem_alloc((size_t)CHASE_BLOCK * TILE * sizeof *sums);
    double *gram = c->gram + c->count * c->cap + from;
    for (size_t k = 0; k < c->width; k += DEPTH) {
        size_t depth = c->width - k < DEPTH ? c->width - k : DEPTH;
        const float *left = c->columns + c->count * c->width + k;
        const struct pack_source rows = {left, c->width, c->fresh, depth};
        const struct pack_source cols = {c->columns + from * c->width + k, c->width, n, depth};
        gemm_pack_a_rows(&g, a, &rows);
        gemm_pack_b_rows(&g, b, &cols);
        const struct gemm_out out = {.c = sums, .stride = TILE};
        gemm_run(&g, (struct gemm_shape){c->fresh, n, depth}, a, b, &out);
        for (size_t i = 0; i < c->fresh; i++) {
            for (size_t j = 0; j < n; j++) {
                double so_far = k == 0 ? 0 : gram[i * c->cap + j];
                gram[i * c->cap + j] = so_far + (double)sums[i * TILE + j];
            }
        }
    }
    mem_free(a);
    mem_free(b);
    mem_free(sums);
}

/* Whether column `at` is nearer than a copy to one of those kept from `first` on: with few rows
 * wanted, all that are looked at may be copies of one. */
static bool near_a_column(const struct chase *c, size_t at, size_t first, const unsigned char *keep)
{
    for (size_t i = first; i < at; i++) {
        if (keep[i] && c->gram[at * c->cap + i] > c->opt->copy) {
            return true;
        }
    }
    return false;
}

void chase_accept(struct chase *c)
{
    size_t all = c->count + c->fresh, first = c->way == PURSUIT_COSAMP ? 0 : c->had;
    unsigned char *keep = mem_alloc(all + 1);
    memset(keep, 1, all);
    for (size_t at = c->count; at < all; at++) {
        bool copy = c->near[at - c->count];
        if (copy) {
            c->p->taken[c->p->which[c->rows[at]]] = true;
            c->copies++;
        }
        keep[at] = !copy && !near_a_column(c, at, first, keep);
    }
    size_t before = c->count;
    c->count = all;
    c->fresh = 0;
    chase_compact(c, keep);
    for (size_t at = before; at < c->count; at++) {
        for (size_t i = 0; i < at; i++) {
            c->gram[i * c->cap + at] = c->gram[at * c->cap + i];
        }
    }
    mem_free(keep);
}

bool chase_look_again(struct chase *c)
{
    bool again = c->copies > 0 && c->count < c->had + chase_room(c);
    c->copies = 0;
    return again;
}

/* ---- columns that leave ---- */

void chase_compact(struct chase *c, const unsigned char *keep)
{
    size_t left = 0, first = 0;
    while (first < c->count && keep[first]) {
        first++;
    }
    if (first == c->count) {
        return;
    }
    for (size_t i = 0; i < c->count; i++) {
        if (!keep[i]) {
            continue;
        }
        if (left < i) {
            c->rows[left] = c->rows[i];
            c->c[left] = c->c[i];
            c->w[left] = c->w[i];
            memcpy(c->columns + left * c->width, c->columns + i * c->width,
                   c->width * sizeof *c->columns);
            memcpy(c->gram + left * c->cap, c->gram + i * c->cap, c->cap * sizeof *c->gram);
        }
        left++;
    }
    for (size_t r = 0; r < left; r++) {
        size_t to = first;
        for (size_t i = first; i < c->count; i++) {
            if (keep[i]) {
                c->gram[r * c->cap + to++] = c->gram[r * c->cap + i];
            }
        }
    }
    c->count = left;
}
