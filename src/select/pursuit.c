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
    bool looks[VECTOR_SWEEP_MAX];
    double *held_tails;
    const struct pursuit_problem *p;
    const struct pursuit_options *opt;
    const struct kernels *k;
};

static void look_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct group *g = ctx;
    if (g->looks[piece]) {
        chase_look(g->of[piece], g->correlations + piece * g->p->n);
    }
}

static void step_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct group *g = ctx;
    chase_step(g->of[piece]);
}

/* Whose the `piece`-th fresh row is, and which of his. */
static void widen_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct group *g = ctx;
    size_t i = 0;
    for (; piece >= g->of[i]->fresh; i++) {
        piece -= g->of[i]->fresh;
    }
    chase_widen(g->of[i], piece);
}

static void multiply_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct group *g = ctx;
    size_t i = 0;
    for (; piece >= chase_tiles(g->of[i]); i++) {
        piece -= chase_tiles(g->of[i]);
    }
    chase_multiply(g->of[i], piece);
}

static bool let_in_blocks(struct group *g, struct pool *pool)
{
    size_t fresh = 0, tiles = 0;
    for (size_t i = 0; i < g->count; i++) {
        fresh += chase_fetch(g->of[i]);
        tiles += chase_tiles(g->of[i]);
    }
    pool_run(pool, fresh, widen_piece, g);
    pool_run(pool, tiles, multiply_piece, g);
    for (size_t i = 0; i < g->count; i++) {
        chase_accept(g->of[i]);
    }
    return fresh > 0;
}

/* The best correlated rows come in.  Where near copies of rows that are held were among them,
 * those are taken for good, and who has room because of that looks again. */
static void let_in(struct group *g, struct pool *pool)
{
    for (size_t i = 0; i < g->count; i++) {
        g->of[i]->had = g->of[i]->count;
        g->looks[i] = true;
    }
    for (bool again = true; again;) {
        pool_run(pool, g->count, look_piece, g);
        while (let_in_blocks(g, pool)) {
        }
        again = false;
        for (size_t i = 0; i < g->count; i++) {
            g->looks[i] = chase_look_again(g->of[i]);
            again = again || g->looks[i];
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
    let_in(g, pool);
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
                                   .held_tails = g->held_tails,
                                   .out = &out[first + i]};
        g->of[i] = &chases[i];
    }
    for (size_t i = 0; i < count; i++) {
        TRY(chase_open(&chases[i], err));
    }
    return WINNOW_OK;
}

static void find_tails(struct group *g)
{
    const struct pursuit_problem *p = g->p;
    const struct chase any = {.p = p, .k = g->k, .width = vector_rows_width(p->rows)};
    g->held_tails = mem_alloc((p->held_count + 1) * sizeof *g->held_tails);
    for (size_t i = 0; i < p->held_count; i++) {
        g->held_tails[i] = chase_tail(&any, p->held + i * any.width);
    }
}

winnow_status pursuit_run(const struct pursuit_problem *p, const struct pursuit_options *opt,
                          const struct kernels *k, struct pool *pool, const struct winnow_env *env,
                          struct pursuit *out, struct winnow_error *err)
{
    size_t width = vector_rows_width(p->rows);
    size_t together = p->count < VECTOR_SWEEP_MAX ? p->count : VECTOR_SWEEP_MAX;
    struct group g = {.p = p, .opt = opt, .k = k};
    memset(out, 0, p->count * sizeof *out);
    find_tails(&g);
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
    mem_free(g.held_tails);
    return st;
}
