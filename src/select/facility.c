/* facility.c -- the method of INGENIOUS: in partitions of the pool, greedy facility location
 * gives each document a gain; documents are then drawn without replacement with weights
 * 1 + g + g^2 / 2 (the second-order softmax), g being the gain over the mean gain, so that
 * the draw does not depend on the partition's size. The gain that is told is that one, too: train's
 * sampler "resample" draws by it again and again. */
#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"
#include "math/taylor_softmax.h"
#include "select/choice.h"
#include "select/facility_location.h"

#include <math.h>
#include <string.h>

/* ---- greedy ---- */

static double gain_of(const float *s, size_t n, const float *cover, size_t j)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        float more = s[j * n + i] - cover[i];
        sum += more > 0 ? (double)more : 0;
    }
    return sum;
}

static void cover_by(const float *s, size_t n, float *cover, size_t j)
{
    for (size_t i = 0; i < n; i++) {
        cover[i] = s[j * n + i] > cover[i] ? s[j * n + i] : cover[i];
    }
}

void facility_greedy_naive(const float *s, size_t n, uint32_t *order, double *gains)
{
    float *cover = mem_zalloc((n + 1) * sizeof *cover);
    bool *taken = mem_zalloc((n + 1) * sizeof *taken);
    for (size_t k = 0; k < n; k++) {
        size_t best = SIZE_MAX;
        double top = -1;
        for (size_t j = 0; j < n; j++) {
            double g = taken[j] ? -1 : gain_of(s, n, cover, j);
            if (g > top) {
                top = g;
                best = j;
            }
        }
        taken[best] = true;
        order[k] = (uint32_t)best;
        gains[k] = top;
        cover_by(s, n, cover, best);
    }
    mem_free(cover);
    mem_free(taken);
}

struct bound {
    double gain; /* at most */
    uint32_t row;
};

static bool before(struct bound a, struct bound b)
{
    return a.gain > b.gain || (a.gain == b.gain && a.row < b.row);
}

static void sift(struct bound *heap, size_t n, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && before(heap[child + 1], heap[child]);
        if (!before(heap[child], heap[at])) {
            return;
        }
        struct bound x = heap[at];
        heap[at] = heap[child];
        heap[child] = x;
    }
}

void facility_greedy(const float *s, size_t n, uint32_t *order, double *gains)
{
    float *cover = mem_zalloc((n + 1) * sizeof *cover);
    struct bound *heap = mem_alloc((n + 1) * sizeof *heap);
    for (size_t j = 0; j < n; j++) {
        heap[j] = (struct bound){gain_of(s, n, cover, j), (uint32_t)j};
    }
    for (size_t at = n / 2; at-- > 0;) {
        sift(heap, n, at);
    }
    for (size_t left = n, k = 0; left > 0;) {
        struct bound top = {gain_of(s, n, cover, heap[0].row), heap[0].row};
        heap[0] = top;
        sift(heap, left, 0);
        if (heap[0].row != top.row) {
            continue; /* it fell behind another's bound */
        }
        order[k] = top.row;
        gains[k++] = top.gain;
        cover_by(s, n, cover, top.row);
        heap[0] = heap[--left];
        sift(heap, left, 0);
    }
    mem_free(cover);
    mem_free(heap);
}

/* ---- a partition ---- */

struct facility {
    const struct choice_problem *p;
    struct choice_rows rows;
    size_t width;
    bool *sound;     /* by row: whether it has a vector of numbers */
    uint32_t *which; /* such rows, in the order of their partitions */
    size_t n;
    float *x, *s; /* [partition][width], [partition][partition] */
    size_t count; /* of the partition in work */
    uint32_t *order;
    double *gains;
    struct drawn_row *drawn;
};

struct drawn_row {
    double key; /* taylor_key() */
    uint32_t row;
    double gain; /* over the mean */
};

static void compare_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct facility *f = ctx;
    for (size_t j = piece; j < f->count; j++) {
        double c = vector_dot(f->p->k, f->x + piece * f->width, f->x + j * f->width, f->width);
        f->s[piece * f->count + j] = c > 0 ? (float)c : 0;
    }
}

static int by_key(const void *a, const void *b)
{
    const struct drawn_row *x = a, *y = b;
    if (x->key != y->key) {
        return x->key < y->key ? 1 : -1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

static void run_partition(struct facility *f, size_t from, size_t quota, struct choice *out)
{
    size_t n = f->count;
    for (size_t i = 0; i < n; i++) {
        vector_rows_expand(&f->rows.rows, f->which[from + i], f->x + i * f->width);
    }
    pool_run(f->p->threads, n, compare_piece, f);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            f->s[i * n + j] = f->s[j * n + i];
        }
    }
    facility_greedy(f->s, n, f->order, f->gains);
    double mean = 0;
    for (size_t i = 0; i < n; i++) {
        mean += f->gains[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t row = f->which[from + f->order[i]];
        struct rng r;
        rng_init(&r, f->p->env->seed ^ rng_mix(row + 1), "facility");
        double g = mean > 0 ? f->gains[i] / mean : 0;
        f->drawn[i] = (struct drawn_row){taylor_key(g, rng_uniform(&r)), row, g};
    }
    sort(f->drawn, n, sizeof *f->drawn, by_key);
    for (size_t i = 0; i < quota && i < n; i++) {
        choice_add(out, (struct choice_pick){f->drawn[i].row, 1, f->drawn[i].gain});
    }
}

struct keyed {
    uint64_t key;
    uint32_t row;
};

static int by_content(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

#define CHECK_ROWS 1024U

static void check_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct facility *f = ctx;
    const struct vector_rows *rows = &f->rows.rows;
    size_t from = piece * CHECK_ROWS;
    size_t to = rows->count - from < CHECK_ROWS ? rows->count : from + CHECK_ROWS;
    for (size_t i = from; i < to; i++) {
        f->sound[i] = vector_rows_has(rows, i) && vector_rows_finite(rows, i);
    }
    vector_rows_done(rows, from, to);
}

/* By content, so that copies meet in one partition.  Rows of damaged bytes are left out here: any
 * row may be drawn that is in a partition. */
static void order_rows(struct facility *f)
{
    const struct store *s = f->p->pool;
    size_t rows = s->head->rows;
    struct keyed *all = mem_alloc((rows + 1) * sizeof *all);
    f->sound = mem_zalloc((rows + 1) * sizeof *f->sound);
    pool_run(f->p->threads, (rows + CHECK_ROWS - 1) / CHECK_ROWS, check_piece, f);
    for (size_t i = 0; i < rows; i++) {
        if (f->sound[i]) {
            all[f->n++] = (struct keyed){rng_mix(s->rows[i].key ^ f->p->env->seed), (uint32_t)i};
        }
    }
    sort(all, f->n, sizeof *all, by_content);
    for (size_t i = 0; i < f->n; i++) {
        f->which[i] = all[i].row;
    }
    mem_free(all);
}

static winnow_status run_partitions(struct facility *f, struct choice *out,
                                    struct winnow_error *err)
{
    size_t most = f->p->opt->partition, rows = f->p->pool->head->rows;
    TRY(choice_rows_make(f->p, f->p->pool, FACTORS_STACKED, &f->rows, err));
    f->which = mem_alloc((rows + 1) * sizeof *f->which);
    f->order = mem_alloc((most + 1) * sizeof *f->order);
    f->gains = mem_alloc((most + 1) * sizeof *f->gains);
    f->drawn = mem_alloc((most + 1) * sizeof *f->drawn);
    f->x = mem_try_alloc((most * f->width + 1) * sizeof *f->x);
    f->s = mem_try_alloc((most * most + 1) * sizeof *f->s);
    if (!f->x || !f->s) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to compare %zu documents (--partition)",
                         most);
    }
    order_rows(f);
    size_t parts = (f->n + most - 1) / most;
    for (size_t i = 0; f->n > 0 && i < parts; i++) {
        size_t from = f->n * i / parts, to = f->n * (i + 1) / parts;
        size_t quota = f->p->budget * to / f->n - f->p->budget * from / f->n;
        TRY(env_check(f->p->env, err));
        f->count = to - from;
        run_partition(f, from, quota, out);
        vector_rows_done(&f->rows.rows, 0, rows);
    }
    return WINNOW_OK;
}

winnow_status choose_facility(const struct choice_problem *p, struct choice *out,
                              struct winnow_error *err)
{
    struct facility f = {.p = p, .width = (size_t)p->pool->head->parts * p->pool->head->dim};
    winnow_status st = run_partitions(&f, out, err);
    choice_rows_release(&f.rows);
    mem_free(f.sound);
    mem_free(f.which);
    mem_free(f.order);
    mem_free(f.gains);
    mem_free(f.drawn);
    mem_free(f.x);
    mem_free(f.s);
    return st;
}
