/* features_rows.c -- the vectors of one checkpoint, batch by batch. */
#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "vectors/features_internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct filling {
    struct making *m;
    size_t part;
    const struct checkpoint *c;
    struct engine_examples *examples; /* of gradients */
    size_t width;                     /* numbers that the engine gives a row */
    uint32_t *place;                  /* [width] where a number is folded to ... */
    float *sign;                      /* ... and with which sign; NULL: not folded */
    float *scale;                     /* of weights, hashed sketches */
    float *sketches, *row, *states;
    size_t states_cap;
    double *nll;
    struct tune_batch batch;
    size_t rows[FEATURES_BATCH_ROWS], count;
    uint64_t tokens, done, resumed; /* tokens */
    double started;
    bool told;
};

/* Folding by a signed hash keeps inner products on the mean; the same at all checkpoints. */
static void plan_fold(struct filling *f)
{
    uint32_t dim = f->m->writer.head.dim;
    if (f->width == dim) {
        return;
    }
    f->place = mem_alloc(f->width * sizeof *f->place);
    f->sign = mem_alloc(f->width * sizeof *f->sign);
    for (size_t i = 0; i < f->width; i++) {
        uint64_t h = rng_mix(f->m->writer.head.seed * 0x9e3779b97f4a7c15ULL + i + 1);
        f->place[i] = (uint32_t)((h >> 1) % dim);
        f->sign[i] = h & 1 ? -1.0F : 1.0F;
    }
}

static winnow_status open_gradients(struct filling *f, struct winnow_error *err)
{
    struct making *m = f->m;
    struct example_options opt = {.seed = m->writer.head.seed};
    if (m->opt.sketch == WINNOW_HASHED) {
        opt.hashed = m->writer.head.dim;
        if (f->c->moments) {
            size_t n = model_values_count(f->c->model);
            f->scale = mem_try_alloc(n * sizeof *f->scale);
            if (!f->scale) {
                return error_set(err, WINNOW_E_NOMEM, "no memory for the scale of %zu weights", n);
            }
            moments_scale(f->c->moments, n, f->scale);
            opt.scale = f->scale;
        }
    } else {
        opt.rank = m->opt.rank;
    }
    TRY(engine_examples_new(f->c->engine, &opt, &f->examples, err));
    if (opt.rank > 0) {
        projections_use(&f->c->projections, model_config(f->c->model), f->examples);
    }
    f->width = engine_examples_width(f->examples);
    plan_fold(f);
    f->sketches = mem_try_alloc(FEATURES_BATCH_ROWS * f->width * sizeof *f->sketches);
    return f->sketches
               ? WINNOW_OK
               : error_set(err, WINNOW_E_NOMEM, "no memory for sketches of %zu numbers", f->width);
}

/* The next rows that have no vector of this part; false where none is left. */
static bool next_rows(struct filling *f, size_t *at)
{
    const struct feature_texts *t = &f->m->texts;
    uint64_t tokens = 0;
    f->count = 0;
    for (; *at < t->count && f->count < FEATURES_BATCH_ROWS; (*at)++) {
        const struct store_row *r = &f->m->writer.rows[*at];
        if (r->flags & STORE_EMPTY || r->done >> f->part & 1U) {
            continue;
        }
        if (f->count > 0 && tokens + r->tokens > FEATURES_BATCH_TOKENS) {
            break;
        }
        tokens += r->tokens;
        f->rows[f->count++] = *at;
    }
    feature_texts_batch(t, f->rows, f->count, &f->batch);
    f->tokens = tokens;
    return f->count > 0;
}

/* ---- gradients ---- */

static void fold(const struct filling *f, const float *sketch)
{
    memset(f->row, 0, f->m->writer.head.dim * sizeof *f->row);
    for (size_t i = 0; i < f->width; i++) {
        f->row[f->place[i]] += f->sign[i] * sketch[i];
    }
}

static winnow_status put_gradients(struct filling *f, struct winnow_error *err)
{
    const struct example_results out = {.sketches = f->sketches, .nll = f->nll};
    struct store_writer *w = &f->m->writer;
    TRY(engine_gradient_examples(f->c->engine, &f->batch.batch, 1, NULL, f->examples, &out, err));
    for (size_t i = 0; i < f->count; i++) {
        struct store_row *r = &w->rows[f->rows[i]];
        float *sketch = f->sketches + i * f->width;
        for (size_t k = 0; k < f->width; k++) { /* of the mean over its targets */
            sketch[k] /= (float)r->targets;
        }
        if (f->part + 1 == w->head.parts) {
            r->nll = (float)(f->nll[i] / r->targets);
        }
        if (f->place) {
            fold(f, sketch);
        }
        TRY(store_put(w, f->rows[i], (uint32_t)f->part, f->place ? f->row : sketch, err));
    }
    return WINNOW_OK;
}

/* ---- hidden states ---- */

/* Of count states: the mean, the mean with weights 1, 2, 3 ..., or the last. */
static void pool_states(const struct filling *f, const float *states, size_t count)
{
    size_t dim = f->m->writer.head.dim;
    memset(f->row, 0, dim * sizeof *f->row);
    for (size_t t = 0; t < count; t++) {
        float weight = 1;
        if (f->m->opt.pooling == WINNOW_WEIGHTED) {
            weight = (float)(t + 1);
        } else if (f->m->opt.pooling == WINNOW_LAST) {
            weight = t + 1 == count ? 1 : 0;
        }
        for (size_t i = 0; i < dim; i++) {
            f->row[i] += weight * states[t * dim + i];
        }
    }
    float all = f->m->opt.pooling == WINNOW_WEIGHTED ? (float)count * (float)(count + 1) / 2
                : f->m->opt.pooling == WINNOW_MEAN   ? (float)count
                                                     : 1;
    for (size_t i = 0; i < dim; i++) {
        f->row[i] /= all;
    }
}

static winnow_status put_states(struct filling *f, struct winnow_error *err)
{
    size_t dim = f->m->writer.head.dim, need = f->tokens * dim;
    if (need > f->states_cap) {
        mem_free(f->states);
        f->states = mem_try_alloc(need * sizeof *f->states);
        f->states_cap = f->states ? need : 0;
    }
    if (!f->states) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %zu hidden states", need / dim);
    }
    TRY(engine_states(f->c->engine, &f->batch.batch, f->states, err));
    const uint32_t *starts = f->batch.batch.starts;
    assert(starts); /* a batch was filled */
    for (size_t i = 0; i < f->count; i++) {
        pool_states(f, f->states + starts[i] * dim, starts[i + 1] - starts[i]);
        TRY(store_put(&f->m->writer, f->rows[i], (uint32_t)f->part, f->row, err));
    }
    return WINNOW_OK;
}

/* ---- the loop ---- */

static void tell_time(struct filling *f)
{
    const struct making *m = f->m;
    double spent = env_seconds() - f->started;
    uint64_t made = f->done - f->resumed;
    if (f->told || spent < 2 || made == 0) {
        return;
    }
    f->told = true;
    double rate = (double)made / spent;
    uint64_t left = (m->texts.tokens - f->done) + (m->count - f->part - 1) * m->texts.tokens;
    env_log(m->env, WINNOW_LOG_INFO, "features: %.0f tokens a second; about %.0f minutes to go",
            rate, ceil((double)left / rate / 60));
}

static void progress(struct filling *f)
{
    const struct making *m = f->m;
    if (m->env->progress) {
        uint64_t before = f->part * m->texts.tokens;
        const struct winnow_progress p = {"features",       "tokens",
                                          before + f->done, m->count * m->texts.tokens,
                                          (double)NAN,      before + f->resumed};
        m->env->progress(m->env->user, &p);
    }
}

static winnow_status fill(struct filling *f, struct winnow_error *err)
{
    struct making *m = f->m;
    f->row = mem_alloc(m->writer.head.dim * sizeof *f->row);
    f->nll = mem_alloc(FEATURES_BATCH_ROWS * sizeof *f->nll);
    if (m->opt.vectors == WINNOW_GRADIENTS) {
        TRY(open_gradients(f, err));
    }
    for (size_t i = 0; i < m->texts.count; i++) {
        f->done += m->writer.rows[i].done >> f->part & 1U ? m->texts.rows[i].tokens : 0;
    }
    f->resumed = f->done;
    f->started = env_seconds();
    progress(f);
    for (size_t at = 0; next_rows(f, &at);) {
        winnow_status st = env_check(m->env, err);
        if (st != WINNOW_OK) {
            struct winnow_error unused;
            (void)store_sync(&m->writer, &unused);
            return st;
        }
        TRY(m->opt.vectors == WINNOW_GRADIENTS ? put_gradients(f, err) : put_states(f, err));
        TRY(store_sync_now_and_then(&m->writer, err));
        f->done += f->tokens;
        progress(f);
        tell_time(f);
    }
    return store_sync(&m->writer, err);
}

winnow_status making_fill(struct making *m, size_t t, const struct checkpoint *c,
                          struct winnow_error *err)
{
    struct filling f = {.m = m, .part = t, .c = c};
    winnow_status st = fill(&f, err);
    engine_examples_free(f.examples);
    mem_free(f.place);
    mem_free(f.sign);
    mem_free(f.scale);
    mem_free(f.sketches);
    mem_free(f.row);
    mem_free(f.states);
    mem_free(f.nll);
    tune_batch_release(&f.batch);
    return st;
}
