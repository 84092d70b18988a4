/* pursuit_step.c -- what one target does with the correlations of a sweep.
 *
 * The residual is computed anew from the columns at every step, in f64.  Only the best correlated
 * rows are looked at, and only positive correlations: a row that points away from the residual
 * could only get the weight 0. */
#include "base/mem.h"
#include "select/nnls.h"
#include "select/pursuit_internal.h"

#include <math.h>
#include <string.h>

#define SMALL 1e-7 /* of |b|: correlations that are rounding */
#define CROWD 8U   /* candidates looked at for one that comes in: most may be copies */

/* ---- the best of many ---- */

struct ranked {
    float value;
    uint32_t place;
};

/* Whether a stands behind b. */
static bool behind(struct ranked a, struct ranked b)
{
    return a.value < b.value || (a.value == b.value && a.place > b.place);
}

static void sift_down(struct ranked *heap, size_t count, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && behind(heap[child + 1], heap[child])) {
            child++;
        }
        if (!behind(heap[child], heap[at])) {
            return;
        }
        struct ranked x = heap[at];
        heap[at] = heap[child];
        heap[child] = x;
    }
}

/* The `most` largest of the candidates above `least` that may come in, largest first. */
void chase_look(struct chase *c, const float *correlations)
{
    size_t most = CROWD * chase_room(c), count = 0;
    most = most < c->candidate_cap ? most : c->candidate_cap;
    double least = SMALL * c->norm;
    least = c->opt->floor * c->size > least ? c->opt->floor * c->size : least;
    struct ranked *heap = (struct ranked *)(void *)c->heap;
    for (size_t i = 0; i < c->p->n; i++) {
        struct ranked x = {correlations[i], (uint32_t)i};
        if (!((double)x.value > least) || (count == most && !behind(heap[0], x)) || c->banned[i] ||
            c->p->taken[c->p->which[i]]) {
            continue;
        }
        if (count < most) {
            heap[count++] = x;
            if (count == most) {
                for (size_t at = count / 2; at-- > 0;) {
                    sift_down(heap, count, at);
                }
            }
            continue;
        }
        if (count > 0) {
            heap[0] = x;
            sift_down(heap, count, 0);
        }
    }
    for (size_t at = count / 2; count < most && at-- > 0;) {
        sift_down(heap, count, at);
    }
    c->candidate_count = count;
    c->next = 0;
    while (count > 0) { /* the last first */
        c->candidates[count - 1] = heap[0].place;
        heap[0] = heap[--count];
        sift_down(heap, count, 0);
    }
}

/* ---- the fit ---- */

static winnow_status fit(struct chase *c, struct winnow_error *err)
{
    const struct nnls p = {.gram = c->gram,
                           .n = c->count,
                           .stride = c->cap,
                           .c = c->c,
                           .tolerance = SMALL * c->norm,
                           .pivot = c->opt->pivot};
    return nnls_solve(&p, c->w, err);
}

static void set_residual(struct chase *c)
{
    for (size_t j = 0; j < c->width; j++) {
        c->residual[j] = (double)c->b[j];
    }
    for (size_t i = 0; i < c->count; i++) {
        const float *column = c->columns + i * c->width;
        for (size_t j = 0; c->w[i] > 0 && j < c->width; j++) {
            c->residual[j] -= c->w[i] * (double)column[j];
        }
    }
    double sum = 0;
    for (size_t j = 0; j < c->width; j++) {
        sum += c->residual[j] * c->residual[j];
    }
    c->size = sqrt(sum);
}

/* ---- what is kept ---- */

static void remember(struct chase *c)
{
    struct pursuit *out = c->out;
    out->count = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (c->w[i] > 0) {
            out->atoms[out->count++] =
                (struct pursuit_atom){c->p->which[c->rows[i]], c->w[i], c->w[i] * c->c[i]};
        }
    }
    out->residual = c->norm > 0 ? c->size / c->norm : 0;
    if (out->curve_count == out->curve_cap) {
        size_t cap = out->curve_cap > 0 ? 2 * out->curve_cap : 16;
        out->curve =
            mem_realloc(out->curve, out->curve_cap * sizeof *out->curve, cap * sizeof *out->curve);
        out->curve_cap = cap;
    }
    out->curve[out->curve_count++] = (struct pursuit_point){out->count, out->residual};
}

/* ---- the three ways ---- */

/* Marks the m largest weights; ties go to the column that came first. */
static void mark_largest(const struct chase *c, size_t m, unsigned char *keep)
{
    memset(keep, 0, c->count);
    for (size_t k = 0; k < m; k++) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < c->count; i++) {
            if (!keep[i] && c->w[i] > 0 && (best == SIZE_MAX || c->w[i] > c->w[best])) {
                best = i;
            }
        }
        if (best == SIZE_MAX) {
            return;
        }
        keep[best] = 1;
    }
}

static winnow_status step_cosamp(struct chase *c, unsigned char *keep, struct winnow_error *err)
{
    double before = c->size;
    c->done = c->count == c->had || c->out->steps + 1 >= c->opt->iterations;
    if (c->count == c->had) {
        return WINNOW_OK;
    }
    TRY(fit(c, err));
    mark_largest(c, c->p->budget, keep);
    chase_compact(c, keep);
    TRY(fit(c, err));
    mark_largest(c, c->count, keep);
    chase_compact(c, keep);
    set_residual(c);
    if (!(c->size < before * (1 - 1e-6))) {
        c->done = true; /* what is remembered stays */
        return WINNOW_OK;
    }
    c->out->steps++;
    remember(c);
    c->done = c->done || c->size < 1e-6 * c->norm;
    return WINNOW_OK;
}

static winnow_status step_greedy(struct chase *c, unsigned char *keep, struct winnow_error *err)
{
    if (c->count == c->had) {
        c->done = true;
        return WINNOW_OK;
    }
    TRY(fit(c, err));
    for (size_t i = 0; i < c->count; i++) {
        keep[i] = c->w[i] > 0;
        c->banned[c->rows[i]] = !keep[i]; /* it depends on what is there */
    }
    chase_compact(c, keep);
    set_residual(c);
    c->out->steps++;
    remember(c);
    c->done = c->count >= c->p->budget || c->size < 1e-6 * c->norm ||
              c->out->steps > 4 * c->p->budget + 16;
    return WINNOW_OK;
}

void chase_step(struct chase *c)
{
    unsigned char *keep = mem_alloc(c->cap);
    c->status =
        c->way == PURSUIT_COSAMP ? step_cosamp(c, keep, &c->err) : step_greedy(c, keep, &c->err);
    c->done = c->done || c->status != WINNOW_OK;
    mem_free(keep);
}

/* ---- memory ---- */

winnow_status chase_open(struct chase *c, struct winnow_error *err)
{
    size_t m = c->p->budget, n = c->p->n;
    c->cap = (c->way == PURSUIT_COSAMP ? 3 * m : m + (m + 19) / 20) + CHASE_BLOCK;
    c->candidate_cap = CROWD * (c->way == PURSUIT_COSAMP ? 2 * m : (m + 19) / 20) + 8;
    size_t cap = c->cap, width = c->width;
    c->rows = mem_try_alloc(cap * sizeof *c->rows);
    c->columns = mem_try_alloc(cap * width * sizeof *c->columns);
    c->gram = mem_try_alloc(cap * cap * sizeof *c->gram);
    c->c = mem_try_alloc(2 * cap * sizeof *c->c);
    c->residual = mem_try_alloc(width * sizeof *c->residual);
    c->banned = mem_try_alloc(n + 1);
    c->candidates = mem_try_alloc(c->candidate_cap * sizeof *c->candidates);
    c->heap = mem_try_alloc(c->candidate_cap * sizeof(struct ranked));
    c->out->atoms = mem_try_alloc((m + 1) * sizeof *c->out->atoms);
    if (!c->rows || !c->columns || !c->gram || !c->c || !c->residual || !c->banned ||
        !c->candidates || !c->heap || !c->out->atoms) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to choose %zu of %zu documents", m, n);
    }
    c->w = c->c + cap;
    memset(c->banned, 0, n + 1);
    set_residual(c);
    c->norm = c->size;
    c->out->residual = 1;
    c->done = !(c->norm > 0) || m == 0 || n == 0;
    return WINNOW_OK;
}

void chase_release(struct chase *c)
{
    mem_free(c->rows);
    mem_free(c->columns);
    mem_free(c->gram);
    mem_free(c->c);
    mem_free(c->residual);
    mem_free(c->banned);
    mem_free(c->candidates);
    mem_free(c->heap);
}
