/* recall.c -- the examples' gradient, preconditioned, and its product with the gradient of every
 * document, batch by batch.
 *
 * Curvature is kept in a file once it is fitted, and the numbers of the documents so far in
 * another, now and then: both belong to the folder of one call. */
#include "correct/recall.h"

#include "base/env.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/state_file.h"
#include "correct/kfac.h"

#include <math.h>
#include <string.h>

#define KIND         "winnowRC"
#define BATCH_ROWS   64U
#define BATCH_TOKENS 16384U
#define SAVE_SECONDS 20

struct recalling {
    const struct recall_options *opt;
    const struct feature_texts *documents, *examples;
    struct engine *engine;
    struct pool *pool;
    const struct winnow_env *env;
    struct influence *influence;
    float *direction;
    size_t count;  /* of its numbers */
    uint64_t done; /* documents */
    double flops;
    struct tune_batch batch;
    double *dots; /* of its passages */
    size_t dots_cap;
    struct buf path;
};

static double pass_flops(const struct recalling *r, const struct token_batch *b)
{
    double sum = 0;
    for (size_t i = 0; i < b->sequences; i++) {
        sum += 3 * model_config_flops(model_config(engine_model(r->engine)),
                                      b->starts[i + 1] - b->starts[i]);
    }
    return sum;
}

/* Rows from *at on, as many as make a batch; false where none is left. */
static bool next_batch(const struct feature_texts *t, uint32_t context, uint64_t *at, size_t *rows,
                       size_t *count, struct tune_batch *out)
{
    uint64_t tokens = 0;
    *count = 0;
    for (; *at < t->count && *count < BATCH_ROWS; (*at)++) {
        const struct store_row *row = &t->rows[*at];
        if (row->targets == 0) {
            continue;
        }
        if (*count > 0 && tokens + row->tokens > BATCH_TOKENS) {
            break;
        }
        tokens += row->tokens;
        rows[(*count)++] = *at;
    }
    if (*count > 0) {
        passages_batch(t, rows, *count, context, out);
    }
    return *count > 0;
}

/* Of the mean loss of all targets of the examples. */
static winnow_status examples_gradient(struct recalling *r, struct winnow_error *err)
{
    size_t rows[BATCH_ROWS], count;
    double nll;
    memset(r->direction, 0, r->count * sizeof *r->direction);
    for (uint64_t at = 0; next_batch(r->examples, r->opt->context, &at, rows, &count, &r->batch);) {
        TRY(env_check(r->env, err));
        TRY(engine_gradient(r->engine, &r->batch.batch, (float)(1.0 / (double)r->examples->targets),
                            r->direction, &nll, NULL, err));
        r->flops += pass_flops(r, &r->batch.batch);
    }
    return WINNOW_OK;
}

/* ---- curvature ---- */

struct calibration {
    struct recalling *r;
    size_t *rows;
};

static bool calibration_next(void *ctx, size_t i, struct token_batch *out)
{
    struct calibration *c = ctx;
    if (i >= c->r->opt->calibration || c->rows[i] == SIZE_MAX) {
        return false;
    }
    passages_clear(&c->r->batch);
    passages_add(c->r->documents, c->rows[i], 0, c->r->opt->context, &c->r->batch);
    *out = c->r->batch.batch;
    return true;
}

static uint64_t hash_of(const struct recalling *r, size_t row)
{
    return r->documents->rows[row].key;
}

/* Those of least hash, in that order: a random choice that does not depend on the order of the
 * corpus. */
static size_t choose_calibration(const struct recalling *r, size_t *rows)
{
    size_t want = r->opt->calibration, have = 0;
    for (size_t i = 0; i < r->documents->count; i++) {
        if (r->documents->rows[i].targets == 0 ||
            (have == want && hash_of(r, i) >= hash_of(r, rows[want - 1]))) {
            continue;
        }
        size_t at = have < want ? have++ : want - 1;
        for (; at > 0 && hash_of(r, i) < hash_of(r, rows[at - 1]); at--) {
            rows[at] = rows[at - 1];
        }
        rows[at] = i;
    }
    return have;
}

static winnow_status fit(struct recalling *r, const char *path, struct kfac *k,
                         struct winnow_error *err)
{
    struct calibration c = {.r = r};
    c.rows = mem_alloc((r->opt->calibration + 1) * sizeof *c.rows);
    size_t have = choose_calibration(r, c.rows);
    c.rows[have] = SIZE_MAX;
    const struct kfac_documents documents = {&c, calibration_next, have};
    winnow_status st = kfac_fit(r->engine, r->pool, &documents, r->opt->seed, r->env, k, err);
    mem_free(c.rows);
    return st == WINNOW_OK ? kfac_save(k, path, err) : st;
}

static uint64_t first_passage(const struct recalling *r, size_t row)
{
    uint32_t n = r->documents->rows[row].tokens;
    return n < r->opt->context ? n : r->opt->context;
}

/* What fitting cost, whether it was this process or an earlier one: both passes look at logits. */
static void count_fit(struct recalling *r)
{
    size_t *rows = mem_alloc((r->opt->calibration + 1) * sizeof *rows);
    size_t have = choose_calibration(r, rows);
    for (size_t i = 0; i < have; i++) {
        r->flops +=
            2 * 4 *
            model_config_flops(model_config(engine_model(r->engine)), first_passage(r, rows[i]));
    }
    mem_free(rows);
}

static winnow_status precondition(struct recalling *r, struct winnow_error *err)
{
    const struct model *m = engine_model(r->engine);
    struct kfac k = {0};
    const struct kernels *kernels;
    TRY(kernels_pick(r->env->kernels, &kernels, err));
    const char *path = file_join(&r->path, r->opt->folder, "curvature.bin");
    winnow_status st =
        file_exists(path) ? kfac_load(path, model_config(m), &k, err) : fit(r, path, &k, err);
    if (st == WINNOW_OK) {
        count_fit(r);
        kfac_precondition(&k, m, r->opt->damping, r->pool, kernels, r->direction);
    }
    kfac_release(&k);
    return st;
}

/* ---- documents ---- */

static winnow_status save(struct recalling *r, struct winnow_error *err)
{
    const struct str parts[] = {
        state_part(&r->done, sizeof r->done),
        state_part(r->influence, r->documents->count * sizeof *r->influence)};
    return state_file_write(file_join(&r->path, r->opt->folder, "influence.bin"), KIND, parts, 2,
                            err);
}

static winnow_status load(struct recalling *r, struct winnow_error *err)
{
    struct state_file f;
    const char *path = file_join(&r->path, r->opt->folder, "influence.bin");
    if (!file_exists(path)) {
        return WINNOW_OK;
    }
    TRY(state_file_open(path, KIND, &f, err));
    bool good = f.left.len == sizeof r->done + r->documents->count * sizeof *r->influence &&
                state_file_take(&f, &r->done, sizeof r->done) &&
                state_file_take(&f, r->influence, r->documents->count * sizeof *r->influence);
    state_file_close(&f);
    return good ? WINNOW_OK
                : error_set(err, WINNOW_E_FORMAT, "%s is about other documents; remove it", path);
}

/* The passages' products to their documents. */
static void take_dots(struct recalling *r, const size_t *rows, size_t count)
{
    size_t passage = 0;
    for (size_t i = 0; i < count; i++) {
        struct influence *to = &r->influence[rows[i]];
        *to = (struct influence){.best = -(double)INFINITY};
        for (uint32_t p = 0; p < passages_of(r->documents, rows[i], r->opt->context); p++) {
            double dot = r->dots[passage++];
            to->all += dot;
            if (dot > to->best) {
                to->best = dot;
                to->passage = p;
            }
        }
    }
}

static winnow_status meet_batch(struct recalling *r, struct engine_examples *x, const size_t *rows,
                                size_t count, struct winnow_error *err)
{
    const struct token_batch *b = &r->batch.batch;
    if (b->sequences > r->dots_cap) {
        mem_free(r->dots);
        r->dots_cap = 2 * b->sequences;
        r->dots = mem_alloc(r->dots_cap * sizeof *r->dots);
    }
    const struct example_results out = {.dots = r->dots};
    TRY(engine_gradient_examples(r->engine, b, 1, NULL, x, &out, err));
    take_dots(r, rows, count);
    return WINNOW_OK;
}

static winnow_status meet_documents(struct recalling *r, struct engine_examples *x,
                                    struct winnow_error *err)
{
    size_t rows[BATCH_ROWS], count;
    double saved = env_seconds();
    uint64_t at = r->done;
    while (next_batch(r->documents, r->opt->context, &at, rows, &count, &r->batch)) {
        winnow_status st = env_check(r->env, err);
        if (st != WINNOW_OK) {
            struct winnow_error unused;
            (void)save(r, &unused);
            return st;
        }
        TRY(meet_batch(r, x, rows, count, err));
        r->done = at;
        env_progress(r->env, "influence", "documents", r->done, r->documents->count);
        if (env_seconds() - saved > SAVE_SECONDS) {
            TRY(save(r, err));
            saved = env_seconds();
        }
    }
    r->done = r->documents->count;
    return save(r, err);
}

static winnow_status by_gradients(struct recalling *r, struct winnow_error *err)
{
    struct engine_examples *x;
    r->count = model_values_count(engine_model(r->engine));
    r->direction = mem_try_alloc(r->count * sizeof *r->direction);
    if (!r->direction) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a gradient of %zu numbers", r->count);
    }
    TRY(load(r, err));
    TRY(examples_gradient(r, err));
    if (r->opt->kind == RECALL_EKFAC) {
        TRY(precondition(r, err));
    }
    const struct example_options how = {.direction = r->direction};
    TRY(engine_examples_new(r->engine, &how, &x, err));
    winnow_status st = meet_documents(r, x, err);
    engine_examples_free(x);
    for (size_t i = 0; i < r->documents->count; i++) {
        uint64_t n = r->documents->rows[i].tokens, c = r->opt->context, whole = n / c;
        const struct model_config *shape = model_config(engine_model(r->engine));
        r->flops +=
            3 * ((double)whole * model_config_flops(shape, c) + model_config_flops(shape, n % c));
    }
    return st;
}

uint64_t recall_memory(const struct recall_options *opt, const struct model_config *c,
                       uint32_t threads)
{
    uint64_t weights = model_config_parameters(c) * sizeof(float);
    uint64_t batch = 2 * ((uint64_t)BATCH_TOKENS + PASSAGES_DOCUMENT_TOKENS) * sizeof(uint32_t);
    return opt->kind == RECALL_TFIDF      ? (uint64_t)32 << 20
           : opt->kind == RECALL_GRADIENT ? weights + batch
                                          : weights + batch + kfac_memory(c, opt->context, threads);
}

winnow_status recall(const struct recall_options *opt, const struct recall_texts *texts,
                     struct engine *engine, struct pool *pool, const struct winnow_env *env,
                     struct recall_result *out, struct winnow_error *err)
{
    for (size_t i = 0; i < texts->documents->count; i++) {
        out->influence[i] = (struct influence){(double)NAN, (double)NAN, 0};
    }
    out->flops = 0;
    if (opt->kind == RECALL_TFIDF) {
        return recall_by_words(texts, opt->context, env, out->influence, err);
    }
    struct recalling r = {opt, texts->documents, texts->examples, engine, pool,
                          env, out->influence};
    winnow_status st = by_gradients(&r, err);
    out->flops = r.flops;
    mem_free(r.direction);
    mem_free(r.dots);
    tune_batch_release(&r.batch);
    buf_release(&r.path);
    return st;
}
