/* rankings.c -- methods that look at each document alone: top-k, round-robin, random. */
#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"
#include "corpus/split.h"
#include "select/choice.h"

#include <math.h>
#include <string.h>

struct ranked {
    float score;
    uint32_t row;
};

static int by_score(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->score != y->score) {
        return x->score < y->score ? 1 : -1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

/* Scores of all rows with each of `count` vectors, eight at a time, given to take(). */
static winnow_status score(const struct choice_problem *p, const struct choice_rows *rows,
                           const float *x, size_t count,
                           void (*take)(void *ctx, size_t which, const float *scores), void *ctx,
                           struct winnow_error *err)
{
    size_t n = rows->rows.count, width = vector_rows_width(&rows->rows);
    float *scores = mem_try_alloc((VECTOR_SWEEP_MAX * n + 1) * sizeof *scores);
    if (!scores) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the scores of %zu documents", n);
    }
    for (size_t from = 0; from < count; from += VECTOR_SWEEP_MAX) {
        size_t some = count - from < VECTOR_SWEEP_MAX ? count - from : VECTOR_SWEEP_MAX;
        const struct vector_sweep s = {
            .rows = &rows->rows, .n = n, .x = x + from * width, .count = some, .out = scores};
        vector_sweep(&s, p->k, p->threads);
        for (size_t i = 0; i < some; i++) {
            take(ctx, from + i, scores + i * n);
        }
    }
    mem_free(scores);
    return WINNOW_OK;
}

/* ---- top-k ---- */

static void take_largest(void *ctx, size_t which, const float *scores)
{
    struct ranked *best = ctx;
    for (size_t i = 0; best[i].row != UINT32_MAX; i++) {
        best[i].score = which == 0 || scores[i] > best[i].score ? scores[i] : best[i].score;
    }
}

/* LESS: the mean over a subtask's examples of the rate-weighted cosine (which is the cosine
 * with their mean, for parts of norm 1), the largest over subtasks. */
static winnow_status rank_by_means(const struct choice_problem *p, const struct choice_rows *rows,
                                   struct choice_examples *e, struct ranked *best,
                                   struct winnow_error *err)
{
    size_t subtasks = 0, width = e->width;
    for (size_t i = 0, of = 0; i < e->count; i++) {
        bool first = i == 0 || e->of[i] != e->of[i - 1];
        of = first ? 1 : of + 1;
        float *to = e->x + (first ? subtasks++ : subtasks - 1) * width;
        const float *from = e->x + i * width;
        for (size_t k = 0; k < width; k++) {
            to[k] = ((first ? 0 : to[k]) * (float)(of - 1) + from[k]) / (float)of;
        }
    }
    return score(p, rows, e->x, subtasks, take_largest, best, err);
}

winnow_status choose_top_k(const struct choice_problem *p, struct choice *out,
                           struct winnow_error *err)
{
    struct choice_rows rows = {0};
    struct choice_examples e = {0};
    size_t n = p->pool->head->rows;
    struct ranked *best = mem_alloc((n + 1) * sizeof *best);
    for (size_t i = 0; i <= n; i++) {
        best[i] = (struct ranked){0, i < n ? (uint32_t)i : UINT32_MAX};
    }
    winnow_status st = choice_rows_make(p, p->pool, FACTORS_COSINE, &rows, err);
    if (st == WINNOW_OK) {
        st = choice_examples_make(p, FACTORS_COSINE, &e, err);
    }
    if (st == WINNOW_OK) {
        st = rank_by_means(p, &rows, &e, best, err);
    }
    sort(best, st == WINNOW_OK ? n : 0, sizeof *best, by_score);
    for (size_t i = 0; st == WINNOW_OK && i < n && out->count < p->budget; i++) {
        if (vector_rows_has(&rows.rows, best[i].row) && best[i].score > VECTOR_NO_PRODUCT) {
            choice_add(out, (struct choice_pick){best[i].row, 1, (double)best[i].score});
        }
    }
    mem_free(best);
    choice_rows_release(&rows);
    choice_examples_release(&e);
    return st;
}

/* ---- round-robin ---- */

struct lists {
    struct ranked *all, *scratch; /* [examples][depth]; [rows] */
    size_t depth, rows;
    const struct vector_rows *has;
};

/* The best `depth` rows of one example. */
static void take_list(void *ctx, size_t which, const float *scores)
{
    struct lists *l = ctx;
    size_t n = 0;
    for (size_t i = 0; i < l->rows; i++) {
        if (vector_rows_has(l->has, i) && scores[i] > VECTOR_NO_PRODUCT) {
            l->scratch[n++] = (struct ranked){scores[i], (uint32_t)i};
        }
    }
    sort(l->scratch, n, sizeof *l->scratch, by_score);
    struct ranked *to = l->all + which * l->depth;
    for (size_t i = 0; i < l->depth; i++) {
        to[i] = i < n ? l->scratch[i] : (struct ranked){0, UINT32_MAX};
    }
}

/* Nobody can lose more rows to others than the budget holds: lists that deep do. */
static winnow_status make_lists(const struct choice_problem *p, struct lists *l,
                                const struct choice_rows *rows, const struct choice_examples *e,
                                struct winnow_error *err)
{
    l->rows = p->pool->head->rows;
    l->depth = p->budget < l->rows ? p->budget : l->rows;
    l->has = &rows->rows;
    l->all = mem_try_alloc((e->count * l->depth + 1) * sizeof *l->all);
    l->scratch = mem_try_alloc((l->rows + 1) * sizeof *l->scratch);
    if (!l->all || !l->scratch) {
        return error_set(err, WINNOW_E_NOMEM,
                         "no memory for the best %zu documents of each of "
                         "%zu examples",
                         l->depth, e->count);
    }
    return score(p, rows, e->x, e->count, take_list, l, err);
}

static void take_turns(const struct choice_problem *p, const struct lists *l,
                       const struct choice_examples *e, struct choice *out)
{
    bool *taken = mem_zalloc((l->rows + 1) * sizeof *taken), any = true;
    size_t *at = mem_zalloc((e->count + 1) * sizeof *at);
    while (any && out->count < p->budget) {
        any = false;
        for (size_t q = 0; q < e->count && out->count < p->budget; q++) {
            const struct ranked *list = l->all + q * l->depth;
            while (at[q] < l->depth && list[at[q]].row != UINT32_MAX && taken[list[at[q]].row]) {
                at[q]++;
            }
            if (at[q] < l->depth && list[at[q]].row != UINT32_MAX) {
                const struct ranked *best = &list[at[q]];
                taken[best->row] = any = true;
                choice_add(out, (struct choice_pick){best->row, 1, (double)best->score});
            }
        }
    }
    mem_free(taken);
    mem_free(at);
}

winnow_status choose_round_robin(const struct choice_problem *p, struct choice *out,
                                 struct winnow_error *err)
{
    struct choice_rows rows = {0};
    struct choice_examples e = {0};
    struct lists l = {0};
    winnow_status st = choice_rows_make(p, p->pool, FACTORS_COSINE, &rows, err);
    if (st == WINNOW_OK) {
        st = choice_examples_make(p, FACTORS_COSINE, &e, err);
    }
    if (st == WINNOW_OK) {
        st = make_lists(p, &l, &rows, &e, err);
    }
    if (st == WINNOW_OK) {
        take_turns(p, &l, &e, out);
    }
    mem_free(l.all);
    mem_free(l.scratch);
    choice_rows_release(&rows);
    choice_examples_release(&e);
    return st;
}

/* ---- scores that are there ---- */

struct scored {
    double score;
    uint32_t row;
};

static int by_score_given(const void *a, const void *b)
{
    const struct scored *x = a, *y = b;
    if (x->score != y->score) {
        return x->score < y->score ? 1 : -1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

winnow_status choose_scored(const struct choice_problem *p, struct choice *out,
                            struct winnow_error *err)
{
    size_t rows = p->pool->head->rows, n = 0;
    struct scored *all = mem_try_alloc((rows + 1) * sizeof *all);
    if (!all) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to rank %zu documents", rows);
    }
    for (size_t i = 0; i < rows; i++) {
        if (!isnan(p->scores[i]) && (!p->inside || p->inside[i])) {
            all[n++] = (struct scored){p->scores[i], (uint32_t)i};
        }
    }
    sort(all, n, sizeof *all, by_score_given);
    for (size_t i = 0; i < n && i < p->budget; i++) {
        choice_add(out, (struct choice_pick){all[i].row, 1, all[i].score});
    }
    mem_free(all);
    return WINNOW_OK;
}

/* ---- random ---- */

struct drawn {
    uint64_t draw;
    uint32_t row, tokens;
};

static int by_draw(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    if (x->draw != y->draw) {
        return x->draw < y->draw ? -1 : 1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

static int by_tokens(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    return x->tokens != y->tokens ? (x->tokens > y->tokens) - (x->tokens < y->tokens)
                                  : by_draw(a, b);
}

/* For each example of the targets in turn, one of the rows that are nearest to it in length:
 * of 32 that are left, the one of least draw. */
static void match_lengths(const struct choice_problem *p, struct drawn *all, size_t n,
                          struct choice *out)
{
    sort(all, n, sizeof *all, by_tokens);
    for (size_t turn = 0; out->count < p->budget && n > 0; turn++) {
        const struct store *s = p->targets[turn % p->target_count].store;
        uint32_t want = s->rows[turn / p->target_count % s->head->rows].tokens;
        size_t at = 0;
        for (size_t high = n; at < high;) {
            size_t middle = (at + high) / 2;
            if (all[middle].tokens < want) {
                at = middle + 1;
            } else {
                high = middle;
            }
        }
        size_t from = at > 16 ? at - 16 : 0, to = from + 32 < n ? from + 32 : n;
        from = to > 32 ? to - 32 : 0;
        size_t best = from;
        for (size_t i = from; i < to; i++) {
            best = all[i].draw < all[best].draw ? i : best;
        }
        choice_add(out, (struct choice_pick){all[best].row, 1, 0});
        memmove(all + best, all + best + 1, (n - best - 1) * sizeof *all);
        n--;
    }
}

winnow_status choose_random(const struct choice_problem *p, struct choice *out,
                            struct winnow_error *err)
{
    size_t rows = p->pool->head->rows, n = 0;
    struct drawn *all = mem_try_alloc((rows + 1) * sizeof *all);
    if (!all) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to draw from %zu documents", rows);
    }
    for (size_t i = 0; i < rows; i++) {
        const struct store_row *r = &p->pool->rows[i];
        if (!(r->flags & STORE_EMPTY) && (!p->inside || p->inside[i])) {
            all[n++] = (struct drawn){split_draw(r->key ^ rng_mix(r->id), p->env->seed, "select"),
                                      (uint32_t)i, r->tokens};
        }
    }
    if (p->opt->match_length) {
        match_lengths(p, all, n, out);
    } else {
        sort(all, n, sizeof *all, by_draw);
        for (size_t i = 0; i < n && i < p->budget; i++) {
            choice_add(out, (struct choice_pick){all[i].row, 1, 0});
        }
    }
    mem_free(all);
    return WINNOW_OK;
}
