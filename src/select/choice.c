/* choice.c -- rows with the factors of a method, targets in f32, and who does the choosing. */
#include "select/choice.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

void choice_release(struct choice *c)
{
    mem_free(c->picks);
    mem_free(c->curve);
    *c = (struct choice){0};
}

void choice_add(struct choice *c, struct choice_pick pick)
{
    if (c->count == c->cap) {
        size_t cap = c->cap > 0 ? 2 * c->cap : 256;
        c->picks = mem_realloc(c->picks, c->cap * sizeof *c->picks, cap * sizeof *c->picks);
        c->cap = cap;
    }
    c->picks[c->count++] = pick;
}

void choice_point_add(struct choice *c, struct choice_point point)
{
    if (c->curve_count == c->curve_cap) {
        size_t cap = c->curve_cap > 0 ? 2 * c->curve_cap : 64;
        c->curve = mem_realloc(c->curve, c->curve_cap * sizeof *c->curve, cap * sizeof *c->curve);
        c->curve_cap = cap;
    }
    c->curve[c->curve_count++] = point;
}

/* ---- factors ---- */

/* Root of the mean square norm of each part. */
static void mean_norms(const struct choice_problem *p, double *norms)
{
    const struct store *s = p->pool;
    uint32_t parts = s->head->parts;
    for (uint32_t t = 0; t < parts; t++) {
        double sum = 0;
        size_t n = 0;
        for (size_t i = 0; i < s->head->rows; i++) {
            double norm = (double)s->norms[i * parts + t];
            norm = p->inside && !p->inside[i] ? 0 : norm;
            sum += norm * norm;
            n += norm > 0;
        }
        norms[t] = n > 0 ? sqrt(sum / (double)n) : 1;
    }
}

/* Learning rates as shares of their sum; equal where none is known. */
static void rate_shares(const struct store *s, double *shares)
{
    double sum = 0;
    uint32_t parts = s->head->parts;
    for (uint32_t t = 0; t < parts; t++) {
        sum += s->parts[t].rate;
    }
    for (uint32_t t = 0; t < parts; t++) {
        shares[t] = sum > 0 ? s->parts[t].rate / sum : 1.0 / parts;
    }
}

static void row_factors(const struct store *s, size_t row, const double *norms,
                        const double *shares, enum choice_factors factors, float *out)
{
    uint32_t parts = s->head->parts;
    double sum = 0;
    for (uint32_t t = 0; t < parts; t++) {
        double norm = (double)s->norms[row * parts + t], x = shares[t];
        if (factors == FACTORS_STACKED) {
            x = norm / norms[t] * sqrt(shares[t]);
        }
        x = norm > 0 ? x : 0;
        sum += x * x;
        out[t] = (float)x;
    }
    for (uint32_t t = 0; t < parts && factors == FACTORS_STACKED; t++) {
        out[t] = sum > 0 ? (float)((double)out[t] / sqrt(sum)) : 0;
    }
}

winnow_status choice_rows_make(const struct choice_problem *p, const struct store *s,
                               enum choice_factors factors, struct choice_rows *out,
                               struct winnow_error *err)
{
    double norms[STORE_PARTS_MAX] = {0}, shares[STORE_PARTS_MAX] = {0};
    size_t n = s->head->rows, parts = s->head->parts;
    out->scales = mem_try_alloc((n * parts + 1) * sizeof *out->scales);
    if (!out->scales) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the factors of %zu vectors", n);
    }
    mean_norms(p, norms);
    rate_shares(p->pool, shares);
    for (size_t i = 0; i < n; i++) {
        row_factors(s, i, norms, shares, factors, out->scales + i * parts);
        if (s == p->pool && p->inside && !p->inside[i]) {
            memset(out->scales + i * parts, 0, parts * sizeof *out->scales);
        }
    }
    out->rows =
        (struct vector_rows){s->data, n, s->head->parts, s->head->dim, out->scales, s->forget};
    return WINNOW_OK;
}

void choice_rows_release(struct choice_rows *r)
{
    mem_free(r->scales);
    *r = (struct choice_rows){0};
}

/* ---- targets ---- */

static winnow_status add_examples(const struct choice_problem *p, size_t subtask,
                                  enum choice_factors factors, struct choice_examples *out,
                                  struct winnow_error *err)
{
    const struct store *s = p->targets[subtask].store;
    struct choice_rows rows = {0};
    TRY(choice_rows_make(p, s, factors, &rows, err));
    size_t before = out->count;
    for (size_t i = 0; i < s->head->rows; i++) {
        if (!vector_rows_has(&rows.rows, i)) {
            continue;
        }
        for (uint32_t t = 0; t < s->head->parts && factors == FACTORS_COSINE; t++) {
            float *scale = &rows.scales[i * s->head->parts + t];
            *scale = *scale > 0 ? 1 : 0; /* the rates are on the other side */
        }
        vector_rows_expand(&rows.rows, i, out->x + out->count * out->width);
        out->of[out->count++] = (uint32_t)subtask;
    }
    vector_rows_done(&rows.rows, 0, s->head->rows);
    choice_rows_release(&rows);
    return out->count > before
               ? WINNOW_OK
               : error_set(err, WINNOW_E_FORMAT,
                           "the target %s has no example with a vector: nothing in it has a loss",
                           p->targets[subtask].name);
}

winnow_status choice_examples_make(const struct choice_problem *p, enum choice_factors factors,
                                   struct choice_examples *out, struct winnow_error *err)
{
    size_t n = 0;
    *out = (struct choice_examples){.width = (size_t)p->pool->head->parts * p->pool->head->dim};
    for (size_t i = 0; i < p->target_count; i++) {
        n += p->targets[i].store->head->rows;
    }
    out->x = mem_try_alloc((n * out->width + 1) * sizeof *out->x);
    out->of = mem_try_alloc((n + 1) * sizeof *out->of);
    if (!out->x || !out->of) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the vectors of %zu target examples",
                         n);
    }
    for (size_t i = 0; i < p->target_count; i++) {
        TRY(add_examples(p, i, factors, out, err));
    }
    return WINNOW_OK;
}

void choice_examples_release(struct choice_examples *e)
{
    mem_free(e->x);
    mem_free(e->of);
    *e = (struct choice_examples){0};
}

/* ---- who chooses ---- */

/* Weights of any scale become factors of the loss that are 1 on the mean. */
static void scale_weights(struct choice *c)
{
    double sum = 0;
    for (size_t i = 0; i < c->count; i++) {
        sum += c->picks[i].weight;
    }
    for (size_t i = 0; i < c->count; i++) {
        c->picks[i].weight = sum > 0 ? c->picks[i].weight * (double)c->count / sum : 1;
    }
}

winnow_status choose(const struct choice_problem *p, struct choice *out, struct winnow_error *err)
{
    static winnow_status (*const METHODS[])(const struct choice_problem *, struct choice *,
                                            struct winnow_error *) = {
        [WINNOW_GTP] = choose_pursuit,
        [WINNOW_TOP_K] = choose_top_k,
        [WINNOW_ROUND_ROBIN] = choose_round_robin,
        [WINNOW_RDS] = choose_round_robin,
        [WINNOW_PROJECTION] = choose_pursuit,
        [WINNOW_FACILITY] = choose_facility,
        [WINNOW_RANDOM] = choose_random,
        [WINNOW_LOSS_DROP] = choose_scored,
        [WINNOW_SHAPLEY] = choose_scored};
    *out = (struct choice){0};
    TRY(METHODS[p->opt->method](p, out, err));
    scale_weights(out);
    return WINNOW_OK;
}
