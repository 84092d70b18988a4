/* select_job.c -- a selector driven over the pool of one seed.
 *
 * The pool is just as large as the arms need: scoring more would cost without
 * changing what is measured.  How many tokens are chosen of it is known
 * only after scoring, so the pool grows until the smallest arm holds the budget;
 * that it grows depends on the scores alone, so a repeated run does the same. */
#include "prove/select_job.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

void selection_release(struct selection *s)
{
    mem_free(s->scores);
    mem_free(s->chosen);
    mem_free(s->weights);
    *s = (struct selection){0};
}

uint64_t pool_tokens_needed(const struct experiment *x)
{
    double tokens = (double)x->tokens;
    return (uint64_t)(x->opt->fixed_pool ? tokens * x->opt->pool_share
                                         : tokens / x->traits.share * 1.02);
}

/* ---- driving the selector ---- */

struct pick {
    const struct experiment *x;
    const struct draw_line *line;
    const struct selector_kind *kind;
    struct selector *selector;
    void *worker;
    struct winnow_env env; /* with the seed's own seed */
    struct buf text;
    struct selection *out;
};

/* Document i of the line; its text, which tokens are kept of, only where it is asked for. */
static winnow_status document_at(struct pick *p, size_t i, bool text, struct selector_document *d,
                                 struct winnow_error *err)
{
    uint32_t item = p->line->items[i];
    *d = (struct selector_document){.ordinal = i, .key = p->line->set->meta[item].key};
    selector_place(d, p->env.seed);
    if (text) {
        size_t n;
        const uint32_t *tokens = token_docs_at(&p->line->set->docs, item, &n);
        buf_clear(&p->text);
        TRY(tokenizer_decode(p->x->tokenizer, tokens, n, 0, &p->text, err));
        d->text = buf_str(&p->text);
    }
    return WINNOW_OK;
}

static winnow_status offer_all(struct pick *p, struct winnow_error *err)
{
    for (size_t i = 0; p->kind->offer && i < p->line->count; i++) {
        struct selector_document d;
        TRY(document_at(p, i, false, &d, err));
        if (p->kind->wants(p->selector, &d)) {
            TRY(env_check(&p->env, err));
            TRY(document_at(p, i, true, &d, err));
            p->kind->offer(p->selector, &d);
        }
    }
    return WINNOW_OK;
}

/* Where the pool begins: behind all that was spent. */
static winnow_status find_pool(struct pick *p, struct winnow_error *err)
{
    struct selection *out = p->out;
    for (size_t i = 0; p->kind->spent && i < p->line->count; i++) {
        struct selector_document d;
        TRY(document_at(p, i, false, &d, err));
        out->reference_end = p->kind->spent(p->selector, &d) ? i + 1 : out->reference_end;
    }
    if (out->reference_end >= p->line->count) {
        return error_set(err, WINNOW_E_FORMAT,
                         "no document is left behind those that train the reference");
    }
    out->u = out->reference_end > 0 ? p->line->draws[out->reference_end - 1] : 0;
    out->pool_end = out->reference_end;
    size_t n = p->line->count - out->reference_end + 1;
    out->scores = mem_zalloc(n * sizeof *out->scores);
    out->chosen = mem_zalloc(n * sizeof *out->chosen);
    out->weights = experiment_weighs(p->x) ? mem_zalloc(n * sizeof *out->weights) : NULL;
    return WINNOW_OK;
}

static winnow_status score_up_to(struct pick *p, size_t to, struct winnow_error *err)
{
    struct selection *out = p->out;
    for (; p->kind->score && out->pool_end < to; out->pool_end++) {
        struct selector_document d;
        struct selector_score score;
        TRY(env_check(&p->env, err));
        TRY(document_at(p, out->pool_end, true, &d, err));
        TRY(p->kind->score(p->worker, &d, &score, err));
        out->scores[out->pool_end - out->reference_end] = score.value;
        out->scoring_flops += score.flops;
        out->scored_tokens += score.computed;
    }
    out->pool_end = to;
    return WINNOW_OK;
}

/* A document's source where a band is one of each source; else all are one group. */
static uint32_t group_of(const struct text_meta *m, const struct selector_traits *traits)
{
    return traits->by_source && m->named ? m->source + 1 : 0;
}

/* An earlier arm that is the same selection, used in another way; arm itself: none. */
static uint32_t same_selection(const struct experiment *x, uint32_t arm)
{
    for (uint32_t i = 0; i < arm; i++) {
        if (x->arms[i].kind == ARM_BAND && x->arms[i].options == x->arms[arm].options) {
            return i;
        }
    }
    return arm;
}

static void take_choice(struct selection *out, uint32_t arm, const struct selector_item *items,
                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out->chosen[i] = (uint16_t)((unsigned)out->chosen[i] | (items[i].kept ? 1U << arm : 0U));
        if (out->weights) { /* of all arms the same: only select weighs, which is one selection */
            out->weights[i] = items[i].weight;
        }
    }
}

/* For every arm that is a selection of its own. */
static winnow_status choose(struct pick *p, struct winnow_error *err)
{
    const struct experiment *x = p->x;
    struct selection *out = p->out;
    size_t n = out->pool_end - out->reference_end;
    struct selector_item *items = mem_zalloc((n + 1) * sizeof *items);
    memset(out->chosen, 0, n * sizeof *out->chosen);
    for (size_t i = 0; i < n; i++) {
        const struct text_meta *m = &p->line->set->meta[p->line->items[out->reference_end + i]];
        items[i] = (struct selector_item){.score = out->scores[i], .key = m->key, .id = m->id};
    }
    winnow_status st = WINNOW_OK;
    for (uint32_t a = 0; st == WINNOW_OK && a < x->arm_count; a++) {
        if (x->arms[a].kind != ARM_BAND) {
            continue;
        }
        if (same_selection(x, a) < a) {
            unsigned bit = 1U << same_selection(x, a);
            for (size_t i = 0; i < n; i++) {
                unsigned in = out->chosen[i];
                out->chosen[i] = (uint16_t)(in | (in & bit ? 1U << a : 0U));
            }
            continue;
        }
        struct selector_traits traits;
        p->kind->traits(x->arms[a].options, &traits);
        for (size_t i = 0; i < n; i++) {
            uint32_t item = p->line->items[out->reference_end + i];
            items[i].group = group_of(&p->line->set->meta[item], &traits);
        }
        size_t groups = traits.by_source ? x->names.map.count + 1 : 1;
        st = p->kind->choose(p->selector, x->arms[a].options, items, n, groups, err);
        if (st == WINNOW_OK) {
            take_choice(out, a, items, n);
        }
    }
    mem_free(items);
    return st;
}

static uint64_t chosen_tokens(const struct draw_line *line, const struct selection *s, uint32_t arm)
{
    uint64_t tokens = 0;
    for (size_t i = s->reference_end; i < s->pool_end; i++) {
        bool in = ((unsigned)s->chosen[i - s->reference_end] >> arm) & 1U;
        tokens += in ? draw_line_tokens(line, i, i + 1) : 0;
    }
    return tokens;
}

static uint32_t smallest_band(const struct experiment *x, const struct draw_line *line,
                              const struct selection *s, uint64_t *tokens)
{
    uint32_t arm = 0;
    *tokens = UINT64_MAX;
    for (uint32_t i = 0; i < x->arm_count; i++) {
        uint64_t n = x->arms[i].kind == ARM_BAND ? chosen_tokens(line, s, i) : UINT64_MAX;
        arm = n < *tokens ? i : arm;
        *tokens = n < *tokens ? n : *tokens;
    }
    return arm;
}

static winnow_status grow_pool(struct pick *p, struct winnow_error *err)
{
    const struct experiment *x = p->x;
    uint64_t need = pool_tokens_needed(x);
    for (;;) {
        size_t to = draw_line_reach(p->line, p->out->reference_end, need);
        TRY(score_up_to(p, to, err));
        TRY(choose(p, err));
        uint64_t least;
        uint32_t arm = smallest_band(x, p->line, p->out, &least);
        if (least >= x->tokens || (x->opt->fixed_pool && least > 0)) {
            return WINNOW_OK;
        }
        if (to == p->line->count) {
            return error_set(err, WINNOW_E_FORMAT,
                             "behind the reference's part the pool holds %" PRIu64
                             " tokens, of which the arm %s at rate %g has %" PRIu64
                             ": too few for the %" PRIu64
                             " that an arm trains on; lower --tokens or "
                             "--reference-tokens, or repeat with --fixed-pool",
                             draw_line_tokens(p->line, p->out->reference_end, to),
                             x->arms[arm].name, x->traits.share, least, x->tokens);
        }
        double factor = (double)x->tokens / (double)(least > 0 ? least : 1) * 1.02;
        need = (uint64_t)((double)need * (factor < 1.1 ? 1.1 : factor > 4 ? 4 : factor));
    }
}

/* A stage takes the tokens that are there; a proof that names them itself is not to be
 * another one than it says. */
static winnow_status check_enough(const struct experiment *x, const struct draw_line *line,
                                  struct winnow_error *err)
{
    uint64_t have = draw_line_tokens(line, 0, line->count);
    if (x->shipped || have > x->traits.tokens) {
        return WINNOW_OK;
    }
    return error_set(err, WINNOW_E_FORMAT,
                     "the corpus holds %.2f M tokens, too few for a reference model's %.2f M and "
                     "a pool beside them; lower --tokens or --reference-tokens",
                     (double)have / 1e6, (double)x->traits.tokens / 1e6);
}

static winnow_status drive(struct pick *p, struct winnow_error *err)
{
    TRY(offer_all(p, err));
    TRY(p->kind->prepare(p->selector, err));
    TRY(find_pool(p, err));
    p->worker = p->kind->worker_new ? p->kind->worker_new(p->selector) : NULL;
    TRY(grow_pool(p, err));
    struct selector_cost cost;
    p->kind->cost(p->selector, &cost);
    p->out->reference_flops = cost.preparing;
    p->out->reference_tokens = cost.tokens;
    p->out->scoring_flops += cost.measuring;
    p->out->loss = cost.loss;
    p->out->v = p->line->draws[p->out->pool_end - 1];
    return WINNOW_OK;
}

winnow_status select_job_run(const struct experiment *x, uint64_t seed, const char *folder,
                             const struct winnow_env *env, struct selection *out,
                             struct winnow_error *err)
{
    *out = (struct selection){0};
    struct draw_line line;
    draw_line_init(&line, &x->sets[x->pool], &x->excluded, &x->packer, seed);
    struct pick p = {.x = x, .line = &line, .kind = x->method.kind, .env = *env, .out = out};
    p.env.seed = seed;
    struct pool *pool = pool_new(1);
    const struct selector_home home = {.env = &p.env,
                                       .pool = pool,
                                       .folder = folder,
                                       .tokenizer = x->shipped ? NULL : x->tokenizer};
    winnow_status st = check_enough(x, &line, err);
    if (st == WINNOW_OK) {
        p.selector = p.kind->open(x->method.options, &home);
        st = drive(&p, err);
    }
    if (p.worker) {
        p.kind->worker_free(p.worker);
    }
    p.kind->close(p.selector);
    pool_free(pool);
    buf_release(&p.text);
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
    json_key(&w, "chosen");
    json_open(&w, '[');
    for (size_t i = 0; i < s->pool_end - s->reference_end; i++) {
        json_u64(&w, s->chosen[i]);
    }
    json_close(&w, ']');
    if (s->weights) {
        json_member_open(&w, "weights", '[');
        for (size_t i = 0; i < s->pool_end - s->reference_end; i++) {
            json_double(&w, (double)s->weights[i]);
        }
        json_close(&w, ']');
    }
    json_close(&w, '}');
    winnow_status st = file_write_atomic(path, buf_str(&out), err);
    buf_release(&out);
    return st;
}

/* Where there are any; false: they are none. */
static bool take_weights(struct json_value weights, size_t count, struct selection *s)
{
    if (json_count(weights) != count) {
        return json_kind(weights) == JSON_NONE;
    }
    s->weights = mem_zalloc((count + 1) * sizeof *s->weights);
    struct json_iter it = json_walk(weights);
    for (size_t i = 0; json_next(&it); i++) {
        double v;
        if (!json_as_double(it.value, &v) || !(v >= 0 && v <= (double)FLT_MAX)) {
            return false;
        }
        s->weights[i] = (float)v;
    }
    return true;
}

static bool take_selection(struct json_value root, struct selection *s)
{
    uint64_t from, to;
    struct json_value scores = json_get(root, "scores"), chosen = json_get(root, "chosen");
    if (!json_as_u64(json_get(root, "reference_end"), &from) ||
        !json_as_u64(json_get(root, "pool_end"), &to) || to < from ||
        json_count(scores) != to - from || json_count(chosen) != to - from ||
        !json_as_u64(json_get(root, "u"), &s->u) || !json_as_u64(json_get(root, "v"), &s->v) ||
        !json_as_u64(json_get(root, "reference_tokens"), &s->reference_tokens) ||
        !json_as_u64(json_get(root, "scored_tokens"), &s->scored_tokens) ||
        !json_as_double(json_get(root, "reference_flops"), &s->reference_flops) ||
        !json_as_double(json_get(root, "scoring_flops"), &s->scoring_flops)) {
        return false;
    }
    s->loss = (double)NAN; /* where nothing was trained */
    (void)json_as_double(json_get(root, "loss"), &s->loss);
    s->reference_end = from;
    s->pool_end = to;
    s->scores = mem_alloc((to - from + 1) * sizeof *s->scores);
    struct json_iter it = json_walk(scores);
    for (size_t i = 0; json_next(&it); i++) {
        s->scores[i] = (double)NAN;
        (void)json_as_double(it.value, &s->scores[i]);
    }
    s->chosen = mem_zalloc((to - from + 1) * sizeof *s->chosen);
    it = json_walk(chosen);
    for (size_t i = 0; json_next(&it); i++) {
        uint64_t mask = 0;
        (void)json_as_u64(it.value, &mask);
        s->chosen[i] = (uint16_t)mask;
    }
    return take_weights(json_get(root, "weights"), to - from, s);
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
        x->arms[arm].name, d->tokens, arm_way_tokens(&x->arms[arm].way, x->tokens));
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

/* From U to V, or as far as the budget of this many tokens needs. */
static void corpus_range(const struct experiment *x, const struct draw_line *line,
                         const struct selection *s, uint64_t tokens, struct arm_draw *out)
{
    size_t from = s ? draw_line_above(line, s->u) : 0;
    uint64_t need = s || x->opt->fixed_pool ? pool_tokens_needed(x) : tokens;
    size_t to = x->opt->fixed_pool && !s ? line->count : draw_line_reach(line, from, need);
    if (s) {
        size_t v = draw_line_above(line, s->v);
        bool enough = draw_line_tokens(line, from, v) >= tokens || x->opt->fixed_pool;
        to = enough ? v : draw_line_reach(line, from, tokens);
    }
    arm_draw_range(line, from, to, out);
}

/* What a random subset is compared with: a band, or a selected corpus, one of which there is
 * (experiment_init). */
static void draw_model(const struct experiment *x, uint64_t seed, const struct selection *s,
                       const struct draw_line *pool, struct arm_draw *out)
{
    if (s) {
        uint64_t tokens;
        uint32_t arm = smallest_band(x, pool, s, &tokens);
        arm_draw_chosen(pool, s->reference_end, s->pool_end, s->chosen, (uint16_t)(1U << arm), out);
        return;
    }
    uint32_t arm = first_arm(x, ARM_CORPUS, x->pool);
    struct draw_line line;
    draw_line_init(&line, &x->sets[x->arms[arm].set], &x->excluded, &x->packer, seed);
    arm_draw_range(&line, 0, line.count, out);
    draw_line_release(&line);
}

static void random_arm(const struct experiment *x, uint64_t seed, const struct selection *s,
                       uint32_t arm, const struct draw_line *pool, struct arm_draw *out)
{
    struct arm_draw model = {0};
    draw_model(x, seed, s, pool, &model);
    bool matched = x->arms[arm].kind == ARM_MATCHED;
    arm_draw_random(pool, s ? s->reference_end : 0, s ? s->pool_end : pool->count, model.tokens,
                    matched ? &model : NULL, seed, out);
    arm_draw_release(&model);
}

/* What the selection's weights do to an arm that uses them. */
static winnow_status weigh(const struct experiment *x, const struct selection *s, uint32_t arm,
                           const struct draw_line *line, struct arm_draw *out,
                           struct winnow_error *err)
{
    if (x->arms[arm].way.use == ARM_USE_SUPPORT) {
        return WINNOW_OK;
    }
    if (!s->weights || !arm_draw_weigh(out, line, s->reference_end, s->pool_end, s->weights)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "arm \"%s\": what was chosen has no weight above 0; name the arm final",
                         x->arms[arm].name);
    }
    return WINNOW_OK;
}

/* What of the documents is trained on, and in what order. */
static winnow_status order_arm(const struct experiment *x, uint64_t seed, const struct selection *s,
                               uint32_t arm, const struct draw_line *line, struct arm_draw *out,
                               struct winnow_error *err)
{
    const struct arm_way *way = &x->arms[arm].way;
    uint64_t need = arm_way_tokens(way, x->tokens);
    uint64_t reads = (uint64_t)ceil((double)x->tokens * sampling_reads(&way->sampling));
    if (out->tokens < need && (!x->opt->fixed_pool || out->count == 0)) {
        return too_few(x, arm, out, err);
    }
    if (arm_way_passes(way) > 1) {
        arm_draw_cut(out, line->set, &x->packer, need);
    }
    TRY(weigh(x, s, arm, line, out, err));
    if (way->use == ARM_USE_COPIES) {
        arm_draw_order_copies(out, line->set, &x->packer, reads, seed);
    } else {
        arm_draw_order(out, line->set, reads, seed);
    }
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
    case ARM_WITHOUT:
        draw_line_leave_out(&line, a->source);
        corpus_range(x, &line, s, arm_way_tokens(&a->way, x->tokens), out);
        break;
    case ARM_CORPUS:
        corpus_range(x, &line, s, arm_way_tokens(&a->way, x->tokens), out);
        break;
    case ARM_BAND:
        arm_draw_chosen(&line, s->reference_end, s->pool_end, s->chosen, (uint16_t)(1U << arm),
                        out);
        break;
    case ARM_RANDOM:
    case ARM_MATCHED:
        random_arm(x, seed, s, arm, &line, out);
        break;
    }
    if (st == WINNOW_OK) {
        st = order_arm(x, seed, s, arm, &line, out, err);
    }
    draw_line_release(&line);
    if (st != WINNOW_OK) {
        arm_draw_release(out);
    }
    return st;
}
