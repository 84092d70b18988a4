/* rounds.c -- pursuit under a budget that one pursuit does not fill.
 *
 * Each target example (or the mean of each target) pursues on its own, all of them in step;
 * what any of them chose is chosen, its weight being the sum.  Then what is chosen and what
 * is nearly a copy of it leaves the pool, and they pursue the same targets again, until the
 * budget is full: so a smaller budget is the start of a larger one's list.  A pursuit stops at
 * the floor of noise; when all do, the last round goes on without one.
 *
 * A budget beyond what one pursuit can tell apart is cut into shards of the pool by content:
 * each has its share of the budget and the same targets, and copies across shards are left
 * out like those across rounds. */
#include "base/env.h"
#include "base/mem.h"
#include "base/sort.h"
#include "select/subspace.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct rounds {
    const struct choice_problem *p;
    struct choice *out;
    struct choice_rows pool;
    struct subspace within; /* where it is asked for: the rows are then those in it */
    size_t width;
    float *targets; /* [count][width], of norm 1 */
    size_t count;
    bool *taken;           /* [rows] */
    float *held;           /* [budget][width] rows that are chosen */
    double *weight, *gain; /* [rows] of this round */
    uint32_t *which;       /* candidates of a shard */
    size_t shards;
    double floor;
};

/* ---- targets ---- */

static void unit(float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    float scale = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
    for (size_t i = 0; i < n; i++) {
        x[i] *= scale;
    }
}

/* The mean of all of the pool: what a selection without a target is to stand for. */
static winnow_status pool_mean(struct rounds *r, struct winnow_error *err)
{
    double *sum = mem_zalloc(r->width * sizeof *sum);
    float *x = mem_alloc(r->width * sizeof *x);
    r->targets = mem_try_alloc(r->width * sizeof *r->targets);
    for (size_t i = 0; r->targets && i < r->pool.rows.count; i++) {
        vector_rows_expand(&r->pool.rows, i, x);
        bool numbers = isfinite(vector_dot(r->p->k, x, x, r->width));
        for (size_t k = 0; numbers && k < r->width; k++) {
            sum[k] += (double)x[k];
        }
        if (i % 1024 == 1023) {
            vector_rows_done(&r->pool.rows, i - 1023, i + 1);
        }
    }
    for (size_t k = 0; r->targets && k < r->width; k++) {
        r->targets[k] = (float)(sum[k] / (double)r->pool.rows.count);
    }
    mem_free(sum);
    mem_free(x);
    if (!r->targets) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a target");
    }
    unit(r->targets, r->width);
    r->count = 1;
    return WINNOW_OK;
}

/* One a subtask: the sum of its examples, in place. */
static void take_means(struct rounds *r, const struct choice_examples *e)
{
    size_t subtasks = 0;
    for (size_t i = 0; i < e->count; i++) {
        bool first = i == 0 || e->of[i] != e->of[i - 1];
        float *to = r->targets + (first ? subtasks++ : subtasks - 1) * r->width;
        const float *from = e->x + i * r->width;
        for (size_t k = 0; k < r->width; k++) {
            to[k] = (first ? 0 : to[k]) + from[k]; /* to never lies behind from */
        }
    }
    r->count = subtasks;
    for (size_t i = 0; i < subtasks; i++) {
        unit(r->targets + i * r->width, r->width);
    }
}

static winnow_status find_targets(struct rounds *r, struct winnow_error *err)
{
    if (r->p->target_count == 0) {
        return pool_mean(r, err);
    }
    struct choice_examples e;
    winnow_status st = choice_examples_make(r->p, FACTORS_STACKED, &e, err);
    if (st == WINNOW_OK) {
        r->targets = e.x;
        r->count = e.count;
        if (r->p->opt->objective == WINNOW_TARGET_MEAN) {
            take_means(r, &e);
        }
        e.x = NULL;
    }
    choice_examples_release(&e);
    return st;
}

/* Rows and targets in the principal directions of both. */
static winnow_status go_within(struct rounds *r, struct winnow_error *err)
{
    struct choice_examples e = {0};
    size_t before = r->width;
    winnow_status st =
        r->p->target_count > 0 ? choice_examples_make(r->p, FACTORS_STACKED, &e, err) : WINNOW_OK;
    if (st == WINNOW_OK) {
        st = subspace_make(r->p, &r->pool.rows, e.x, e.count, &r->within, err);
    }
    choice_examples_release(&e);
    TRY(st);
    r->pool.rows = r->within.rows;
    r->width = vector_rows_width(&r->pool.rows);
    float *targets = mem_alloc((r->count * r->width + 1) * sizeof *targets);
    for (size_t i = 0; i < r->count; i++) {
        subspace_project(&r->within, r->p->k, r->targets + i * before, targets + i * r->width);
        unit(targets + i * r->width, r->width);
    }
    mem_free(r->targets);
    r->targets = targets;
    return WINNOW_OK;
}

/* ---- a round ---- */

struct found {
    uint32_t row;
    double gain;
};

static int by_gain(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->gain != y->gain) {
        return x->gain < y->gain ? 1 : -1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

static size_t shard_rows(struct rounds *r, size_t shard)
{
    const struct store *s = r->p->pool;
    size_t n = 0;
    for (size_t i = 0; i < s->head->rows; i++) {
        bool mine = r->shards == 1 || s->rows[i].key % r->shards == shard;
        if (mine && !r->taken[i] && vector_rows_has(&r->pool.rows, i)) {
            r->which[n++] = (uint32_t)i;
        }
    }
    return n;
}

/* Two targets may each have found a copy of the same document: the second gives its weight to
 * the first. */
static void take_row(struct rounds *r, uint32_t row, size_t before)
{
    float *held = r->held + r->out->count * r->width;
    r->taken[row] = true;
    vector_rows_expand(&r->pool.rows, row, held);
    for (size_t i = before; i < r->out->count; i++) {
        const float *other = r->held + i * r->width;
        if (vector_dot(r->p->k, held, other, r->width) > r->p->opt->copy) {
            r->out->picks[i].weight += r->weight[row];
            r->out->picks[i].gain += r->gain[row];
            return;
        }
    }
    choice_add(r->out, (struct choice_pick){row, r->weight[row], r->gain[row]});
}

/* What the pursuits found, best first, as far as it fits. */
static size_t take_found(struct rounds *r, const struct pursuit *done, size_t most)
{
    size_t n = 0, cap = 0;
    double residual = 0;
    for (size_t t = 0; t < r->count; t++) {
        cap += done[t].count;
        residual += done[t].residual / (double)r->count;
    }
    struct found *found = mem_alloc((cap + 1) * sizeof *found);
    for (size_t t = 0; t < r->count; t++) {
        for (size_t i = 0; i < done[t].count; i++) {
            const struct pursuit_atom *a = &done[t].atoms[i];
            if (r->weight[a->row] == 0) {
                found[n++].row = a->row;
            }
            r->weight[a->row] += a->weight;
            r->gain[a->row] += a->gain / (double)r->count;
        }
    }
    for (size_t i = 0; i < n; i++) {
        found[i].gain = r->gain[found[i].row];
    }
    sort(found, n, sizeof *found, by_gain);
    size_t before = r->out->count;
    for (size_t i = 0; i < n; i++) {
        uint32_t row = found[i].row;
        if (r->out->count < before + most) {
            take_row(r, row, before);
        }
        r->weight[row] = r->gain[row] = 0;
    }
    mem_free(found);
    choice_point_add(r->out, (struct choice_point){r->out->count, residual});
    return r->out->count - before;
}

static winnow_status run_shard(struct rounds *r, size_t shard, size_t budget, size_t *found,
                               struct winnow_error *err)
{
    size_t left = r->p->budget - r->out->count, n = shard_rows(r, shard);
    budget = budget < left ? budget : left;
    struct pursuit *done = mem_zalloc(r->count * sizeof *done);
    struct pursuit_options opt = PURSUIT_OPTIONS_INIT;
    opt.copy = r->p->opt->copy;
    opt.floor = r->floor;
    const struct pursuit_problem problem = {.rows = &r->pool.rows,
                                            .which = r->which,
                                            .n = n,
                                            .targets = r->targets,
                                            .count = r->count,
                                            .budget = (budget + r->count - 1) / r->count,
                                            .taken = r->taken,
                                            .held = r->held,
                                            .held_count = r->out->count};
    winnow_status st = pursuit_run(&problem, &opt, r->p->k, r->p->threads, r->p->env, done, err);
    if (st == WINNOW_OK) {
        *found += take_found(r, done, budget);
    }
    for (size_t t = 0; t < r->count; t++) {
        pursuit_release(&done[t]);
    }
    mem_free(done);
    return st;
}

static winnow_status run_rounds(struct rounds *r, struct winnow_error *err)
{
    size_t n = r->pool.rows.count, most = pursuit_budget_max(n, r->width) * r->count;
    assert(most > 0); /* there is a target, and a row */
    r->shards = (r->p->budget + most - 1) / most;
    while (r->out->count < r->p->budget) {
        size_t left = r->p->budget - r->out->count, found = 0;
        for (size_t s = 0; s < r->shards && r->out->count < r->p->budget; s++) {
            TRY(run_shard(r, s, (left + r->shards - 1) / r->shards, &found, err));
        }
        r->out->rounds++;
        if (found == 0 && r->floor == 0) {
            r->out->exhausted = true;
            return WINNOW_OK;
        }
        r->floor = found == 0 ? 0 : r->floor;
    }
    return WINNOW_OK;
}

static winnow_status pursue(struct rounds *r, struct winnow_error *err)
{
    const struct store *s = r->p->pool;
    size_t n = s->head->rows;
    TRY(choice_rows_make(r->p, s, FACTORS_STACKED, &r->pool, err));
    TRY(find_targets(r, err));
    if (r->p->opt->subspace > 0 && r->p->opt->subspace < s->head->dim) {
        TRY(go_within(r, err));
    }
    r->taken = mem_zalloc((n + 1) * sizeof *r->taken);
    r->weight = mem_zalloc((n + 1) * sizeof *r->weight);
    r->gain = mem_zalloc((n + 1) * sizeof *r->gain);
    r->which = mem_alloc((n + 1) * sizeof *r->which);
    r->held = mem_try_alloc((r->p->budget * r->width + 1) * sizeof *r->held);
    if (!r->held) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %zu chosen vectors of %zu numbers",
                         r->p->budget, r->width);
    }
    r->floor = r->p->opt->no_floor ? 0 : pursuit_noise_floor(n, r->width);
    TRY(run_rounds(r, err));
    for (size_t i = 0; i < n; i++) { /* taken without being chosen: a copy */
        r->out->copies += r->taken[i];
    }
    r->out->copies -= r->out->count;
    return WINNOW_OK;
}

winnow_status choose_pursuit(const struct choice_problem *p, struct choice *out,
                             struct winnow_error *err)
{
    struct rounds r = {
        .p = p, .out = out, .width = (size_t)p->pool->head->parts * p->pool->head->dim};
    winnow_status st = pursue(&r, err);
    choice_rows_release(&r.pool);
    subspace_release(&r.within);
    mem_free(r.targets);
    mem_free(r.taken);
    mem_free(r.weight);
    mem_free(r.gain);
    mem_free(r.which);
    mem_free(r.held);
    return st;
}
