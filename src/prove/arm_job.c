/* arm_job.c -- one arm under one seed: draw, train, measure, write down.
 *
 * All arms of a seed start from the same weights, take the same number of tokens and
 * are measured on the same yardstick, so their difference is paired.  A job runs on
 * one thread (others run beside it) and writes its result as one file: a proof that
 * was killed does over only what has no file. */
#include "prove/arm_job.h"

#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/rng.h"
#include "run/json_copy.h"

#include <assert.h>
#include <math.h>

enum { CURVE_RAW, CURVE_CLEAN };

static winnow_status make_scorer(const struct experiment *x, struct engine *e,
                                 struct eval_scorer **out, struct winnow_error *err)
{
    struct eval_scorer_options opt = EVAL_SCORER_OPTIONS_INIT;
    opt.window = x->config.context;
    opt.start = x->config.bos;
    opt.batch_tokens = 4096;
    return eval_scorer_new(e, x->tokenizer, &opt, out, err);
}

static winnow_status measure_curve(void *ctx, struct engine *engine, double *values,
                                   struct winnow_error *err)
{
    const struct experiment *x = ctx;
    struct eval_scorer *scorer = NULL;
    struct yard_curve curve = {0};
    winnow_status st = make_scorer(x, engine, &scorer, err);
    if (st == WINNOW_OK) {
        st = yardstick_read_curve(&x->yard, scorer, &curve, err);
    }
    eval_scorer_free(scorer);
    values[CURVE_RAW] = curve.raw;
    values[CURVE_CLEAN] = curve.clean;
    return st;
}

static winnow_status read_yardstick(const struct experiment *x, const struct model *m,
                                    struct pool *pool, const struct winnow_env *env,
                                    struct yard_reading *out, struct winnow_error *err)
{
    struct engine_options opt = ENGINE_OPTIONS_INIT;
    opt.compute = x->opt->model.compute == WINNOW_BF16 ? ENGINE_BF16 : ENGINE_F32;
    struct engine *e = NULL;
    struct eval_scorer *scorer = NULL;
    winnow_status st = engine_new(m, pool, &opt, env, &e, err);
    if (st == WINNOW_OK) {
        st = make_scorer(x, e, &scorer, err);
    }
    if (st == WINNOW_OK) {
        st = yardstick_read(&x->yard, scorer, out, err);
    }
    eval_scorer_free(scorer);
    engine_free(e);
    return st;
}

/* Points were measured with some of the texts.  What these differ from all of them by is about
 * the same at every point: a curve moved by it ends where the tables say. */
static void move_curve(const struct experiment *x, struct arm_result *r)
{
    if (r->curve_count == 0) {
        return;
    }
    const struct yard_curve all = yardstick_means(&x->yard, &r->reading);
    const double *last = r->curve[r->curve_count - 1].values;
    double raw = all.raw - last[CURVE_RAW], clean = all.clean - last[CURVE_CLEAN];
    for (size_t i = 0; i < r->curve_count; i++) {
        r->curve[i].values[CURVE_RAW] += raw;
        r->curve[i].values[CURVE_CLEAN] += clean;
    }
}

static void count_shares(const struct experiment *x, uint32_t arm, const struct arm_draw *d,
                         struct arena *keep, struct arm_result *out)
{
    const struct text_set *set = &x->sets[x->arms[arm].set];
    size_t sources = x->names.map.count;
    uint64_t *documents = mem_zalloc((sources + 1) * sizeof *documents);
    uint64_t *tokens = mem_zalloc((sources + 1) * sizeof *tokens);
    for (size_t i = 0; i < d->count; i++) {
        size_t n;
        (void)token_docs_at(&set->docs, d->items[i], &n);
        uint32_t s = set->meta[d->items[i]].source;
        documents[s]++;
        tokens[s] += packer_stream(&x->packer, n);
    }
    out->shares = ARENA_NEW(keep, struct arm_share, sources + 1);
    for (uint32_t s = 0; s < sources; s++) {
        if (documents[s] > 0) {
            out->shares[out->share_count++] = (struct arm_share){
                s, (double)documents[s] / (double)d->count, (double)tokens[s] / (double)d->tokens};
        }
    }
    mem_free(documents);
    mem_free(tokens);
}

/* NOLINTNEXTLINE(readability-function-size): its parameters are all different things */
static winnow_status train_arm(const struct experiment *x, uint64_t seed, uint32_t arm,
                               const struct arm_draw *d, const char *folder,
                               const struct winnow_env *env, struct model *m, struct pool *pool,
                               struct arena *keep, struct arm_result *out, struct winnow_error *err)
{
    /* measure() takes no const: it gets the experiment to read only */
    union {
        const struct experiment *in;
        void *ctx;
    } shared = {x};
    struct fit_options opt = {
        .packer = x->packer,
        .sampling = &x->arms[arm].way.sampling,
        .seed = rng_mix(seed),
        .folder = folder,
        .stage = x->arms[arm].name,
        .points = x->opt->curve_points,
        .measure = measure_curve,
        .ctx = shared.ctx,
    };
    assert(opt.points <= ARM_CURVE_MAX);
    if (x->arms[arm].way.use == ARM_USE_WEIGHTS) {
        opt.packer.weights = d->weights;
    }
    arm_trainer(x, arm, &opt.trainer);
    opt.trainer.dropout_seed = rng_mix(seed);
    const struct fit_data data = {&x->sets[x->arms[arm].set].docs, d->order, d->order_count};
    struct fit_result fitted;
    model_init_random(m, rng_mix(seed)); /* the same start for all arms of a seed */
    winnow_status st = fit(m, pool, &data, &opt, env, &fitted, err);
    if (st == WINNOW_OK) {
        out->loss = fitted.loss;
        out->flops = fitted.flops;
        out->tokens_trained = x->tokens;
        out->epochs = (double)fitted.used / (double)d->tokens;
        out->curve_count = fitted.curve_count;
        out->told = arena_strndup(keep, buf_cstr(&fitted.told), fitted.told.len);
        memcpy(out->curve, fitted.curve, fitted.curve_count * sizeof *fitted.curve);
    }
    fit_result_release(&fitted);
    return st;
}

/* NOLINTNEXTLINE(readability-function-size): its parameters are all different things */
winnow_status arm_job_run(const struct experiment *x, uint64_t seed, const struct selection *s,
                          uint32_t arm, const char *folder, const struct winnow_env *env,
                          struct arena *keep, struct arm_result *out, struct winnow_error *err)
{
    *out = (struct arm_result){0};
    struct arm_draw draw = {0};
    TRY(seed_arm_draw(x, seed, s, arm, &draw, err));
    out->documents = draw.count;
    out->tokens_available = draw.tokens;
    count_shares(x, arm, &draw, keep, out);
    yard_reading_init(&out->reading, &x->yard, keep);
    struct model *m = NULL;
    struct pool *pool = pool_new(1);
    winnow_status st = model_new(&x->config, &m, err);
    if (st == WINNOW_OK) {
        st = train_arm(x, seed, arm, &draw, folder, env, m, pool, keep, out, err);
    }
    if (st == WINNOW_OK) {
        st = read_yardstick(x, m, pool, env, &out->reading, err);
    }
    if (st == WINNOW_OK) {
        move_curve(x, out);
    }
    model_free(m);
    pool_free(pool);
    arm_draw_release(&draw);
    return st;
}

/* ---- as a file ---- */

static void write_shares(const struct experiment *x, const struct arm_result *r,
                         struct json_writer *w)
{
    json_member_open(w, "shares", '[');
    for (size_t i = 0; i < r->share_count; i++) {
        json_open(w, '[');
        json_u64(w, r->shares[i].source);
        json_str(w, source_name(&x->names, r->shares[i].source));
        json_double(w, r->shares[i].documents);
        json_double(w, r->shares[i].tokens);
        json_close(w, ']');
    }
    json_close(w, ']');
}

static void write_reading(const struct experiment *x, const struct yard_reading *r,
                          struct json_writer *w)
{
    json_member_open(w, "nll", '[');
    for (size_t i = 0; i < x->yard.text_count; i++) {
        json_double(w, r->nll[i]);
    }
    json_close(w, ']');
    json_member_open(w, "tokens", '[');
    for (size_t i = 0; i < x->yard.text_count; i++) {
        json_u64(w, r->tokens[i]);
    }
    json_close(w, ']');
    json_member_open(w, "acc", '[');
    for (size_t i = 0; i < x->yard.item_count; i++) {
        json_double(w, (double)r->acc[i]);
    }
    json_close(w, ']');
}

winnow_status arm_result_write(const struct experiment *x, const struct arm_result *r,
                               const char *path, struct winnow_error *err)
{
    struct buf out = {0};
    struct json_writer w = {.out = &out};
    json_open(&w, '{');
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"documents", (double)r->documents},
                   {"tokens_available", (double)r->tokens_available},
                   {"tokens_trained", (double)r->tokens_trained},
                   {"epochs", r->epochs},
                   {"loss", r->loss},
                   {"flops", r->flops}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        json_member_double(&w, numbers[i].key, numbers[i].value);
    }
    json_member_raw(&w, "sampler", str_of(r->told));
    write_shares(x, r, &w);
    json_member_open(&w, "curve", '[');
    for (size_t i = 0; i < r->curve_count; i++) {
        json_open(&w, '[');
        json_u64(&w, r->curve[i].step);
        json_u64(&w, r->curve[i].tokens);
        json_double(&w, r->curve[i].values[CURVE_RAW]);
        json_double(&w, r->curve[i].values[CURVE_CLEAN]);
        json_close(&w, ']');
    }
    json_close(&w, ']');
    write_reading(x, &r->reading, &w);
    json_close(&w, '}');
    winnow_status st = file_write_atomic(path, buf_str(&out), err);
    buf_release(&out);
    return st;
}

static double number(struct json_value v)
{
    double d = (double)NAN;
    (void)json_as_double(v, &d);
    return d;
}

/* The members of a small array, NaN where there are fewer. */
static void numbers(struct json_value v, double *out, size_t n)
{
    struct json_iter it = json_walk(v);
    for (size_t i = 0; i < n; i++) {
        out[i] = json_next(&it) ? number(it.value) : (double)NAN;
    }
}

static void take_lists(const struct experiment *x, struct json_value root, struct arena *keep,
                       struct arm_result *r)
{
    struct json_value shares = json_get(root, "shares");
    size_t sources = json_count(shares);
    r->shares = ARENA_NEW(keep, struct arm_share, sources + 1);
    struct json_iter it = json_walk(shares);
    while (json_next(&it)) {
        double v[4];
        numbers(it.value, v, 4);
        if (v[0] >= 0 && v[0] < (double)x->names.map.count) {
            r->shares[r->share_count++] = (struct arm_share){(uint32_t)v[0], v[2], v[3]};
        }
    }
    it = json_walk(json_get(root, "curve"));
    while (json_next(&it) && r->curve_count <= ARM_CURVE_MAX) {
        double v[4];
        numbers(it.value, v, 4);
        struct fit_point *p = &r->curve[r->curve_count++];
        *p = (struct fit_point){.step = v[0] > 0 ? (uint64_t)v[0] : 0,
                                .tokens = v[1] > 0 ? (uint64_t)v[1] : 0};
        p->values[CURVE_RAW] = v[2];
        p->values[CURVE_CLEAN] = v[3];
    }
}

static const char *copy_told(struct json_value sampler, struct arena *keep)
{
    if (json_kind(sampler) != JSON_OBJECT) {
        return "null";
    }
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_copy(&w, sampler);
    const char *told = arena_strndup(keep, buf_cstr(&text), text.len);
    buf_release(&text);
    return told;
}

static bool take_result(const struct experiment *x, struct json_value root, struct arena *keep,
                        struct arm_result *r)
{
    struct json_value nll = json_get(root, "nll"), tokens = json_get(root, "tokens");
    struct json_value acc = json_get(root, "acc");
    if (json_count(nll) != x->yard.text_count || json_count(tokens) != x->yard.text_count ||
        json_count(acc) != x->yard.item_count) {
        return false;
    }
    r->documents = (uint64_t)number(json_get(root, "documents"));
    r->tokens_available = (uint64_t)number(json_get(root, "tokens_available"));
    r->tokens_trained = (uint64_t)number(json_get(root, "tokens_trained"));
    r->epochs = number(json_get(root, "epochs"));
    r->loss = number(json_get(root, "loss"));
    r->flops = number(json_get(root, "flops"));
    r->told = copy_told(json_get(root, "sampler"), keep);
    take_lists(x, root, keep, r);
    yard_reading_init(&r->reading, &x->yard, keep);
    struct json_iter it = json_walk(nll);
    for (size_t i = 0; json_next(&it); i++) {
        r->reading.nll[i] = number(it.value);
    }
    it = json_walk(tokens);
    for (size_t i = 0; json_next(&it); i++) {
        r->reading.tokens[i] = (uint32_t)number(it.value);
    }
    it = json_walk(acc);
    for (size_t i = 0; json_next(&it); i++) {
        r->reading.acc[i] = (float)number(it.value);
    }
    return true;
}

winnow_status arm_result_read(const struct experiment *x, const char *path, struct arena *keep,
                              struct arm_result *out, struct winnow_error *err)
{
    *out = (struct arm_result){0};
    struct buf text = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    winnow_status st = file_read(path, (size_t)1 << 31, &text, err);
    if (st == WINNOW_OK) {
        st = json_parse(parser, buf_str(&text), &root, err);
    }
    if (st == WINNOW_OK && !take_result(x, root, keep, out)) {
        st = error_set(err, WINNOW_E_FORMAT, "%s is no arm's result; remove it to do it again",
                       path);
    }
    json_parser_free(parser);
    buf_release(&text);
    return st;
}
