/* pursuit.c -- all targets together: a sweep, their steps, and so on until all are done. */
#include "select/pursuit.h"

#include "base/mem.h"
#include "base/sort.h"
#include "select/pursuit_internal.h"

#include <math.h>
#include <string.h>

void pursuit_release(struct pursuit *p)
{
    mem_free(p->atoms);
    mem_free(p->curve);
    *p = (struct pursuit){0};
}

double pursuit_noise_floor(size_t n, size_t width)
{
    return sqrt(2 * log((double)(n > 2 ? n : 2)) / (double)width);
}

size_t pursuit_budget_max(size_t n, size_t width)
{
    size_t low = 1, high = n > 1 ? n : 1;
    while (low < high) { /* m ln(n / m) rises up to n / e */
        size_t m = (low + high + 1) / 2;
        bool fits = m <= n / 3 && (double)m * log((double)n / (double)m) <= 0.4 * (double)width;
        if (fits) {
            low = m;
        } else {
            high = m - 1;
        }
    }
    return low;
}

/* ---- a group of targets that share a sweep ---- */

struct group {
    struct chase *of[VECTOR_SWEEP_MAX];
    size_t count;
    float *x, *correlations; /* [8][width], [8][n] */
    bool *near;              /* of all their candidates, one behind the other */
    const struct pursuit_problem *p;
    const struct pursuit_options *opt;
    const struct kernels *k;
};

static void look_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct group *g = ctx;
    chase_look(g->of[piece], g->correlations + piece * g->p->n);
}

static void step_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct group *g = ctx;
    chase_step(g->of[piece]);
}

/* Candidate `piece` of the group's, and whose it is. */
static struct chase *candidate_at(const struct group *g, size_t piece, uint32_t *row)
{
    size_t i = 0;
    while (piece >= g->of[i]->candidate_count) {
        piece -= g->of[i++]->candidate_count;
    }
    *row = g->p->which[g->of[i]->candidates[piece]];
    return g->of[i];
}

static void near_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct group *g = ctx;
    const struct pursuit_problem *p = g->p;
    size_t width = vector_rows_width(p->rows);
    uint32_t row;
    (void)candidate_at(g, piece, &row);
    float *column = mem_alloc(width * sizeof *column);
    vector_rows_expand(p->rows, row, column);
    g->near[piece] = false;
    for (size_t i = 0; i < p->held_count && !g->near[piece]; i++) {
        g->near[piece] = vector_dot(g->k, column, p->held + i * width, width) > g->opt->copy;
    }
    mem_free(column);
}

static void leave_out_taken(struct chase *c)
{
    size_t left = 0;
    for (size_t i = 0; i < c->candidate_count; i++) {
        if (!c->p->taken[c->p->which[c->candidates[i]]]) {
            c->candidates[left++] = c->candidates[i];
        }
    }
    c->candidate_count = left;
}

/* Near copies of rows that are held are taken as well, for good.  True where nothing but such
 * was found for somebody, who then looks again. */
static void drop_copies(struct group *g, struct pool *pool)
{
    size_t all = 0;
    for (size_t i = 0; i < g->count; i++) {
        all += g->of[i]->candidate_count;
    }
    if (g->p->held_count == 0 || all == 0) {
        return;
    }
    g->near = mem_alloc(all * sizeof *g->near);
    pool_run(pool, all, near_piece, g);
    for (size_t i = 0; i < all; i++) {
        uint32_t row;
        (void)candidate_at(g, i, &row);
        g->p->taken[row] = g->p->taken[row] || g->near[i];
    }
    for (size_t i = 0; i < g->count; i++) {
        leave_out_taken(g->of[i]);
    }
    mem_free(g->near);
}

/* Candidates for all of the group; those of one who finds only copies are looked for again, as
 * long as there are some. */
static void find_candidates(struct group *g, struct pool *pool)
{
    for (bool again = true; again;) {
        size_t found[VECTOR_SWEEP_MAX] = {0};
        pool_run(pool, g->count, look_piece, g);
        for (size_t i = 0; i < g->count; i++) {
            found[i] = g->of[i]->candidate_count;
        }
        drop_copies(g, pool);
        again = false;
        for (size_t i = 0; i < g->count; i++) {
            again = again || (found[i] > 0 && g->of[i]->candidate_count < found[i]);
        }
    }
}

static void step_group(struct group *g, struct pool *pool)
{
    size_t width = vector_rows_width(g->p->rows);
    for (size_t i = 0; i < g->count; i++) {
        for (size_t j = 0; j < width; j++) {
            g->x[i * width + j] = (float)g->of[i]->residual[j];
        }
    }
    const struct vector_sweep sweep = {.rows = g->p->rows,
                                       .which = g->p->which,
                                       .n = g->p->n,
                                       .x = g->x,
                                       .count = g->count,
                                       .out = g->correlations};
    vector_sweep(&sweep, g->k, pool);
    find_candidates(g, pool);
    pool_run(pool, g->count, step_piece, g);
}

static int by_weight(const void *a, const void *b)
{
    const struct pursuit_atom *x = a, *y = b;
    if (x->weight != y->weight) {
        return x->weight < y->weight ? 1 : -1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

/* A group runs to its end before the next one starts: only its columns are held. */
static winnow_status run_group(struct group *g, struct pool *pool, const struct winnow_env *env,
                               struct winnow_error *err)
{
    struct chase *all[VECTOR_SWEEP_MAX];
    size_t count = g->count;
    memcpy(all, g->of, sizeof all);
    for (;;) {
        g->count = 0;
        for (size_t i = 0; i < count; i++) {
            if (!all[i]->done) {
                g->of[g->count++] = all[i];
            }
        }
        if (g->count == 0) {
            break;
        }
        TRY(env_check(env, err));
        step_group(g, pool);
    }
    for (size_t i = 0; i < count; i++) {
        if (all[i]->status != WINNOW_OK) {
            *err = all[i]->err;
            return all[i]->status;
        }
        sort(all[i]->out->atoms, all[i]->out->count, sizeof *all[i]->out->atoms, by_weight);
    }
    return WINNOW_OK;
}

static winnow_status open_chases(struct group *g, struct chase *chases, size_t first, size_t count,
                                 struct pursuit *out, struct winnow_error *err)
{
    const struct pursuit_problem *p = g->p;
    size_t width = vector_rows_width(p->rows);
    enum pursuit_way way = g->opt->way;
    if (way == PURSUIT_AUTO) {
        way = p->budget <= pursuit_budget_max(p->n, width) ? PURSUIT_COSAMP : PURSUIT_BLOCK;
    }
    g->count = count;
    for (size_t i = 0; i < count; i++) {
        chases[i] = (struct chase){.p = p,
                                   .opt = g->opt,
                                   .k = g->k,
                                   .way = way,
                                   .b = p->targets + (first + i) * width,
                                   .width = width,
                                   .out = &out[first + i]};
        g->of[i] = &chases[i];
    }
    for (size_t i = 0; i < count; i++) {
        TRY(chase_open(&chases[i], err));
    }
    return WINNOW_OK;
}

winnow_status pursuit_run(const struct pursuit_problem *p, const struct pursuit_options *opt,
                          const struct kernels *k, struct pool *pool, const struct winnow_env *env,
                          struct pursuit *out, struct winnow_error *err)
{
    size_t width = vector_rows_width(p->rows);
    size_t together = p->count < VECTOR_SWEEP_MAX ? p->count : VECTOR_SWEEP_MAX;
    struct group g = {.p = p, .opt = opt, .k = k};
    memset(out, 0, p->count * sizeof *out);
    g.x = mem_try_alloc((together * width + 1) * sizeof *g.x);
    g.correlations = mem_try_alloc((together * p->n + 1) * sizeof *g.correlations);
    winnow_status st = WINNOW_OK;
    if (!g.x || !g.correlations) {
        st = error_set(err, WINNOW_E_NOMEM, "no memory to compare %zu documents", p->n);
    }
    for (size_t first = 0; st == WINNOW_OK && first < p->count; first += together) {
        size_t count = p->count - first < together ? p->count - first : together;
        struct chase chases[VECTOR_SWEEP_MAX];
        st = open_chases(&g, chases, first, count, out, err);
        if (st == WINNOW_OK) {
            st = run_group(&g, pool, env, err);
        }
        for (size_t i = 0; i < count; i++) {
            chase_release(&chases[i]);
        }
    }
    mem_free(g.x);
    mem_free(g.correlations);
    return st;
}
