/* select_job.c -- the method of "Perplexed by Perplexity" under one seed.
 *
 * The pool is just as large as the arms need: scoring more would cost without
 * changing what is measured.  How many tokens a band of it will have is known
 * only after scoring, so the pool grows until the smallest band holds the budget;
 * that it grows depends on the scores alone, so a repeated run does the same. */
#include "prove/select_job.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/rng.h"
#include "eval/document_score.h"

#include <inttypes.h>
#include <math.h>

void selection_release(struct selection *s)
{
    mem_free(s->scores);
    *s = (struct selection){0};
}

uint64_t pool_tokens_needed(const struct experiment *x)
{
    double tokens = (double)x->tokens;
    return (uint64_t)(x->opt->fixed_pool ? tokens * x->opt->pool_share
                                         : tokens / x->opt->rate * 1.02);
}

/* ---- training ---- */

/* NOLINTNEXTLINE(readability-function-size): its parameters are all different things */
static winnow_status train_reference(const struct experiment *x, uint64_t seed,
                                     const struct draw_line *line, const char *folder,
                                     const struct winnow_env *env, struct model *m,
                                     struct selection *out, struct winnow_error *err)
{
    uint64_t tokens = x->reference_steps * x->packer.batch_tokens;
    out->reference_end = draw_line_reach(line, 0, tokens);
    if (draw_line_tokens(line, 0, out->reference_end) < tokens ||
        out->reference_end >= line->count) {
        return error_set(
            err, WINNOW_E_FORMAT,
            "the corpus holds %.2f M tokens, too few for a reference model's %.2f M and "
            "a pool beside them; lower --tokens or --reference-tokens",
            (double)draw_line_tokens(line, 0, line->count) / 1e6, (double)tokens / 1e6);
    }
    out->u = line->draws[out->reference_end - 1];
    struct arm_draw part = {0};
    arm_draw_range(line, 0, out->reference_end, &part);
    arm_draw_order(&part, line->set, tokens, rng_mix(seed));
    struct fit_options opt = {.packer = x->packer, .folder = folder, .stage = "reference"};
    small_model_trainer(&x->opt->model, x->reference_steps, &opt.trainer);
    const struct fit_data data = {&line->set->docs, part.order, part.order_count};
    struct pool *pool = pool_new(1);
    struct fit_result result;
    model_init_random(m, rng_mix(seed ^ 0x7265666572ULL));
    winnow_status st = fit(m, pool, &data, &opt, env, &result, err);
    out->reference_flops = result.flops;
    out->reference_tokens = tokens;
    out->loss = result.loss;
    fit_result_release(&result);
    arm_draw_release(&part);
    pool_free(pool);
    return st;
}

/* ---- scoring ---- */

struct scoring {
    const struct experiment *x;
    const struct draw_line *line;
    struct engine *engine;
    struct document_scorer *scorer;
    struct length_curve curve;
    double *means; /* as measured, of items from reference_end */
    uint64_t *counts;
    struct selection *out;
};

static winnow_status score_up_to(struct scoring *s, size_t to, const struct winnow_env *env,
                                 struct winnow_error *err)
{
    size_t from = s->out->reference_end;
    for (size_t i = s->out->pool_end; i < to; i++) {
        TRY(env_check(env, err));
        size_t n;
        const uint32_t *tokens = token_docs_at(&s->line->set->docs, s->line->items[i], &n);
        struct document_nll nll;
        TRY(document_score(s->scorer, s->engine, &s->x->config, tokens, n, &nll, err));
        s->means[i - from] = nll.mean;
        s->counts[i - from] = nll.tokens;
        if (s->x->opt->fixed_length > 0) {
            length_curve_add(&s->curve, nll.nll, nll.tokens);
        }
        s->out->scoring_flops += nll.flops;
        s->out->scored_tokens += nll.computed;
    }
    s->out->pool_end = to;
    for (size_t i = 0; i < to - from; i++) {
        s->out->scores[i] = s->means[i];
        if (s->x->opt->fixed_length > 0) {
            s->out->scores[i] += length_curve_correction(&s->curve, s->counts[i]);
        }
    }
    return WINNOW_OK;
}

static winnow_status cut(const struct experiment *x, const struct draw_line *line,
                         const struct selection *s, enum winnow_criterion c, struct arm_draw *out,
                         struct winnow_error *err)
{
    size_t n = s->pool_end - s->reference_end;
    struct band_item *items = mem_zalloc((n + 1) * sizeof *items);
    for (size_t i = 0; i < n; i++) {
        uint32_t item = line->items[s->reference_end + i];
        items[i] = (struct band_item){.score = s->scores[i], .key = line->set->meta[item].key};
    }
    struct band_edges edges;
    winnow_status st = band_cut(items, n, c, x->opt->rate, &edges, 1, err);
    if (st == WINNOW_OK) {
        arm_draw_kept(line, s->reference_end, s->pool_end, items, out);
    }
    mem_free(items);
    return st;
}

static winnow_status smallest_band(const struct experiment *x, const struct draw_line *line,
                                   const struct selection *s, uint64_t *tokens, uint32_t *arm,
                                   struct winnow_error *err)
{
    *tokens = UINT64_MAX;
    for (uint32_t i = 0; i < x->arm_count; i++) {
        if (x->arms[i].kind == ARM_BAND) {
            struct arm_draw d = {0};
            TRY(cut(x, line, s, x->arms[i].criterion, &d, err));
            if (d.tokens < *tokens) {
                *tokens = d.tokens;
                *arm = i;
            }
            arm_draw_release(&d);
        }
    }
    return WINNOW_OK;
}

static winnow_status grow_pool(struct scoring *s, const struct winnow_env *env,
                               struct winnow_error *err)
{
    const struct experiment *x = s->x;
    uint64_t need = pool_tokens_needed(x);
    for (;;) {
        size_t to = draw_line_reach(s->line, s->out->reference_end, need);
        TRY(score_up_to(s, to, env, err));
        uint64_t least;
        uint32_t arm = 0;
        TRY(smallest_band(x, s->line, s->out, &least, &arm, err));
        if (least >= x->tokens || (x->opt->fixed_pool && least > 0)) {
            return WINNOW_OK;
        }
        if (to == s->line->count) {
            return error_set(err, WINNOW_E_FORMAT,
                             "behind the reference's part the pool holds %" PRIu64
                             " tokens, of which the %s band at rate %g is %" PRIu64
                             ": too few for the %" PRIu64
                             " that an arm trains on; lower --tokens or "
                             "--reference-tokens, or repeat with --fixed-pool",
                             draw_line_tokens(s->line, s->out->reference_end, to),
                             x->arms[arm].name, x->opt->rate, least, x->tokens);
        }
        double factor = (double)x->tokens / (double)(least > 0 ? least : 1) * 1.02;
        need = (uint64_t)((double)need * (factor < 1.1 ? 1.1 : factor > 4 ? 4 : factor));
    }
}

static winnow_status score_pool(const struct experiment *x, const struct draw_line *line,
                                const struct model *m, const struct winnow_env *env,
                                struct selection *out, struct winnow_error *err)
{
    uint32_t window = x->config.context;
    struct engine_options engine = ENGINE_OPTIONS_INIT;
    engine.compute = x->opt->model.compute == WINNOW_BF16 ? ENGINE_BF16 : ENGINE_F32;
    const struct document_score_options opt = {x->config.bos, window, window / 2,
                                               x->opt->fixed_length};
    size_t n = line->count - out->reference_end + 1;
    struct pool *pool = pool_new(1);
    struct scoring s = {.x = x, .line = line, .out = out, .scorer = document_scorer_new(&opt)};
    length_curve_init(&s.curve, x->opt->fixed_length);
    s.means = mem_zalloc(n * sizeof *s.means);
    s.counts = mem_zalloc(n * sizeof *s.counts);
    out->scores = mem_zalloc(n * sizeof *out->scores);
    out->pool_end = out->reference_end;
    winnow_status st = engine_new(m, pool, &engine, env, &s.engine, err);
    if (st == WINNOW_OK) {
        st = grow_pool(&s, env, err);
    }
    if (st == WINNOW_OK) {
        out->v = line->draws[out->pool_end - 1];
    }
    engine_free(s.engine);
    document_scorer_free(s.scorer);
    length_curve_release(&s.curve);
    mem_free(s.means);
    mem_free(s.counts);
    pool_free(pool);
    return st;
}

winnow_status select_job_run(const struct experiment *x, uint64_t seed, const char *folder,
                             const struct winnow_env *env, struct selection *out,
                             struct winnow_error *err)
{
    *out = (struct selection){0};
    struct draw_line line;
    draw_line_init(&line, &x->sets[x->pool], &x->excluded, &x->packer, seed);
    struct model *m = NULL;
    winnow_status st = model_new(&x->config, &m, err);
    if (st == WINNOW_OK) {
        st = train_reference(x, seed, &line, folder, env, m, out, err);
    }
    if (st == WINNOW_OK) {
        st = score_pool(x, &line, m, env, out, err);
    }
    model_free(m);
    draw_line_release(&line);
    return st;
}

/* ---- as a file ---- */

winnow_status selection_write(const struct selection *s, const char *path, struct winnow_error *err)
{
    struct buf out = {0};
    struct json_writer w = {.out = &out};
    json_open(&w, '{');
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {{"reference_end", s->reference_end},
                  {"pool_end", s->pool_end},
                  {"u", s->u},
                  {"v", s->v},
                  {"reference_tokens", s->reference_tokens},
                  {"scored_tokens", s->scored_tokens}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        json_member_u64(&w, counts[i].key, counts[i].value);
    }
    json_member_double(&w, "reference_flops", s->reference_flops);
    json_member_double(&w, "scoring_flops", s->scoring_flops);
    json_member_double(&w, "loss", s->loss);
    json_member_open(&w, "scores", '[');
    for (size_t i = 0; i < s->pool_end - s->reference_end; i++) {
        json_double(&w, s->scores[i]);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    winnow_status st = file_write_atomic(path, buf_str(&out), err);
    buf_release(&out);
    return st;
}

static bool take_selection(struct json_value root, struct selection *s)
{
    uint64_t from, to;
    struct json_value scores = json_get(root, "scores");
    if (!json_as_u64(json_get(root, "reference_end"), &from) ||
        !json_as_u64(json_get(root, "pool_end"), &to) || to < from ||
        json_count(scores) != to - from || !json_as_u64(json_get(root, "u"), &s->u) ||
        !json_as_u64(json_get(root, "v"), &s->v) ||
        !json_as_u64(json_get(root, "reference_tokens"), &s->reference_tokens) ||
        !json_as_u64(json_get(root, "scored_tokens"), &s->scored_tokens) ||
        !json_as_double(json_get(root, "reference_flops"), &s->reference_flops) ||
        !json_as_double(json_get(root, "scoring_flops"), &s->scoring_flops) ||
        !json_as_double(json_get(root, "loss"), &s->loss)) {
        return false;
    }
    s->reference_end = from;
    s->pool_end = to;
    s->scores = mem_alloc((to - from + 1) * sizeof *s->scores);
    struct json_iter it = json_walk(scores);
    for (size_t i = 0; json_next(&it); i++) {
        s->scores[i] = (double)NAN;
        (void)json_as_double(it.value, &s->scores[i]);
    }
    return true;
}

winnow_status selection_read(const char *path, struct selection *out, struct winnow_error *err)
{
    *out = (struct selection){0};
    struct buf text = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    winnow_status st = file_read(path, (size_t)1 << 31, &text, err);
    if (st == WINNOW_OK) {
        st = json_parse(parser, buf_str(&text), &root, err);
    }
    if (st == WINNOW_OK && !take_selection(root, out)) {
        st = error_set(err, WINNOW_E_FORMAT, "%s is no selection; remove it to do it again", path);
    }
    json_parser_free(parser);
    buf_release(&text);
    return st;
}

/* ---- arms ---- */

static winnow_status too_few(const struct experiment *x, uint32_t arm, const struct arm_draw *d,
                             struct winnow_error *err)
{
    return error_set(
        err, WINNOW_E_FORMAT,
        "arm \"%s\" holds %" PRIu64 " tokens, fewer than the %" PRIu64
        " that each arm trains on; lower --tokens, or repeat documents with --fixed-pool",
        x->arms[arm].name, d->tokens, x->tokens);
}

static uint32_t first_arm(const struct experiment *x, enum arm_kind kind, uint32_t other_than)
{
    for (uint32_t i = 0; i < x->arm_count; i++) {
        if (x->arms[i].kind == kind && x->arms[i].set != other_than) {
            return i;
        }
    }
    return UINT32_MAX;
}

/* From U to V, or as far as the budget needs. */
static void corpus_range(const struct experiment *x, const struct draw_line *line,
                         const struct selection *s, struct arm_draw *out)
{
    size_t from = s ? draw_line_above(line, s->u) : 0;
    uint64_t need = s || x->opt->fixed_pool ? pool_tokens_needed(x) : x->tokens;
    size_t to = x->opt->fixed_pool && !s ? line->count : draw_line_reach(line, from, need);
    if (s) {
        size_t v = draw_line_above(line, s->v);
        bool enough = draw_line_tokens(line, from, v) >= x->tokens || x->opt->fixed_pool;
        to = enough ? v : draw_line_reach(line, from, x->tokens);
    }
    arm_draw_range(line, from, to, out);
}

/* What a random subset is compared with: a band, or a selected corpus. */
static winnow_status draw_model(const struct experiment *x, uint64_t seed,
                                const struct selection *s, const struct draw_line *pool,
                                struct arm_draw *out, struct winnow_error *err)
{
    if (s) {
        uint64_t tokens;
        uint32_t arm = 0;
        TRY(smallest_band(x, pool, s, &tokens, &arm, err));
        return cut(x, pool, s, x->arms[arm].criterion, out, err);
    }
    uint32_t arm = first_arm(x, ARM_CORPUS, x->pool);
    if (arm == UINT32_MAX) {
        return error_set(err, WINNOW_E_USAGE,
                         "a random arm needs a selected one to be as large as: name a band or "
                         "NAME=PATH");
    }
    struct draw_line line;
    draw_line_init(&line, &x->sets[x->arms[arm].set], &x->excluded, &x->packer, seed);
    arm_draw_range(&line, 0, line.count, out);
    draw_line_release(&line);
    return WINNOW_OK;
}

static winnow_status random_arm(const struct experiment *x, uint64_t seed,
                                const struct selection *s, uint32_t arm,
                                const struct draw_line *pool, struct arm_draw *out,
                                struct winnow_error *err)
{
    struct arm_draw model = {0};
    winnow_status st = draw_model(x, seed, s, pool, &model, err);
    if (st != WINNOW_OK) {
        arm_draw_release(&model);
        return st;
    }
    bool matched = x->arms[arm].kind == ARM_MATCHED;
    if (matched && !s) { /* strata are counted over documents of one set */
        arm_draw_release(&model);
        return error_set(err, WINNOW_E_USAGE, "the arm \"matched\" needs a band to match");
    }
    arm_draw_random(pool, s ? s->reference_end : 0, s ? s->pool_end : pool->count, model.tokens,
                    matched ? &model : NULL, seed, out);
    arm_draw_release(&model);
    return WINNOW_OK;
}

winnow_status seed_arm_draw(const struct experiment *x, uint64_t seed, const struct selection *s,
                            uint32_t arm, struct arm_draw *out, struct winnow_error *err)
{
    const struct arm *a = &x->arms[arm];
    const struct text_set *set = &x->sets[a->set];
    struct draw_line line;
    draw_line_init(&line, set, &x->excluded, &x->packer, seed);
    winnow_status st = WINNOW_OK;
    switch (a->kind) {
    case ARM_CORPUS:
        corpus_range(x, &line, s, out);
        break;
    case ARM_BAND:
        st = cut(x, &line, s, a->criterion, out, err);
        break;
    case ARM_RANDOM:
    case ARM_MATCHED:
        st = random_arm(x, seed, s, arm, &line, out, err);
        break;
    }
    draw_line_release(&line);
    if (st == WINNOW_OK && (out->tokens < x->tokens && (!x->opt->fixed_pool || out->count == 0))) {
        st = too_few(x, arm, out, err);
    }
    if (st == WINNOW_OK) {
        arm_draw_order(out, set, x->tokens, seed);
    } else {
        arm_draw_release(out);
        *out = (struct arm_draw){0};
    }
    return st;
}
