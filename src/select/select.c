/* select.c -- the stage `select`:
 *
 *   1. survey    the documents in order, compared with the rows of the vectors
 *   2. choice    by the selector that a proof drives, too (select_selector.h)
 *   3. verdicts  chosen ones stay, with weight, order and gain; all others go
 */
#include "select/select.h"

#include "base/env.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "base/map.h"
#include "base/mem.h"
#include "option/budget.h"
#include "option/tables.h"
#include "prune/prune_attribute.h"
#include "select/loss_drop.h"
#include "select/select_selector.h"
#include "select/select_story.h"
#include "vectors/corpus_rows.h"

#include <inttypes.h>
#include <math.h>

#define PROGRAM_BYTES ((uint64_t)24 << 20)
#define NOT_CHOSEN    UINT32_MAX
#define ROW_KEPT      (24U + 40U) /* of a document to the end: its id, row and place; a choice */
#define ROW_CHOSEN    (sizeof(struct selector_item) + sizeof(uint32_t)) /* while it is chosen */

struct select {
    struct stage *stage;
    const struct winnow_select_options *opt;
    struct corpus_rows rows;
    uint32_t *pick_of; /* by row */
    struct selector *selector;
    struct story story;
    double *scores; /* by row, of a method by scores */
    double flops;   /* of those */
};

/* ---- options ---- */

static winnow_status check_select(const void *options, const struct stage_plan *plan,
                                  struct winnow_error *err)
{
    const struct winnow_select_options *o = options;
    TRY(SELECT_SELECTOR.check(options, err));
    if (o->method == WINNOW_LOSS_DROP) {
        uint64_t bytes;
        TRY(loss_drop_memory(o, plan->threads, &bytes, err));
        return memory_need(plan->memory_max, "select", bytes + STAGE_MEMORY_LEAST + PROGRAM_BYTES,
                           "use fewer threads (-t), or a smaller --model", err);
    }
    if (!o->features) {
        return WINNOW_OK;
    }
    struct store s;
    TRY(store_open(o->features, &s, err));
    uint64_t n = s.head->rows;
    size_t budget = 0;
    winnow_status st = budget_read(o->budget, n, &budget, err);
    if (st == WINNOW_OK) {
        uint64_t least = STAGE_MEMORY_LEAST + n * ROW_KEPT,
                 chosen = select_choice_bytes(o, s.head, budget);
        chosen += n * (ROW_KEPT + sizeof(struct store_row) + ROW_CHOSEN) + PROGRAM_BYTES;
        st = memory_need(plan->memory_max, "select", chosen > least ? chosen : least,
                         "lower --budget, or make vectors of a smaller --dim", err);
    }
    store_close(&s);
    return st;
}

/* ---- 1. survey ---- */

static winnow_status align(struct select *s, struct winnow_error *err)
{
    struct store pool;
    if (!s->opt->features) {
        corpus_rows_number(&s->rows);
        return WINNOW_OK;
    }
    TRY(store_open(s->opt->features, &pool, err));
    winnow_status st = corpus_rows_align(&s->rows, &pool, s->opt->features, err);
    store_close(&pool);
    return st;
}

static winnow_status run_survey(struct select *s, struct winnow_error *err)
{
    TRY(corpus_rows_survey(&s->rows, s->stage, err));
    if (s->rows.documents == 0) {
        return error_set(err, WINNOW_E_FORMAT, "there is no document to choose from");
    }
    size_t unused;
    return budget_read(s->opt->budget, s->rows.documents, &unused, err);
}

/* ---- scores, where the method ranks by them ---- */

struct reading {
    struct select *s;
    struct map rows; /* hash of an id -> row */
    size_t found;
};

static winnow_status take_score(void *ctx, struct str id, struct json_value attributes,
                                const struct attribute_place *place, struct winnow_error *err)
{
    (void)place;
    (void)err;
    struct reading *r = ctx;
    uint64_t key = hash64(id, 0);
    key = key > 0 ? key : 1;
    const uint64_t *row = map_get(&r->rows, (struct str){(const char *)&key, sizeof key});
    if (row) { /* else: of a document that is not among these */
        r->s->scores[*row] = attribute_score(attributes, r->s->opt->score_name);
        r->found += isnan(r->s->scores[*row]) ? 0 : 1;
    }
    return WINNOW_OK;
}

static winnow_status read_scores(struct select *s, struct winnow_error *err)
{
    struct reading r = {.s = s};
    for (size_t i = 0; i < s->rows.ordinals; i++) {
        if (s->rows.ids[i] > 0) {
            const struct str key = {(const char *)&s->rows.ids[i], sizeof s->rows.ids[i]};
            *map_put(&r.rows, key, NULL) = s->rows.row_of[i];
        }
    }
    for (size_t i = 0; i < s->rows.documents; i++) {
        s->scores[i] = (double)NAN;
    }
    winnow_status st = attribute_each(s->opt->scores, take_score, &r, err);
    map_release(&r.rows);
    if (st == WINNOW_OK && r.found == 0) {
        st = error_set(err, WINNOW_E_FORMAT,
                       "%s holds no \"%s\" of any of these documents: values are of other "
                       "documents, or have another name (--score-name)",
                       s->opt->scores, s->opt->score_name);
    }
    return st;
}

static winnow_status find_scores(struct select *s, struct winnow_error *err)
{
    if (!select_by_scores(s->opt)) {
        return WINNOW_OK;
    }
    s->scores = mem_try_alloc((s->rows.documents + 1) * sizeof *s->scores);
    if (!s->scores) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the scores of %zu documents",
                         s->rows.documents);
    }
    if (s->opt->method == WINNOW_SHAPLEY) {
        return read_scores(s, err);
    }
    struct loss_drop drop = {.stage = s->stage,
                             .opt = s->opt,
                             .row_of = s->rows.row_of,
                             .scores = s->scores,
                             .rows = s->rows.documents};
    winnow_status st = loss_drop_run(&drop, err);
    s->flops = drop.flops;
    return st;
}

/* ---- 2. choice ---- */

/* Examples of the target that stand in the corpus would be chosen first, and be measured on
 * later. */
static void warn_of_leaks(const struct select *s)
{
    uint64_t examples, leaks = select_selector_leaks(s->selector, &examples);
    if (leaks > 0) {
        env_log(stage_env(s->stage), WINNOW_LOG_WARNING,
                "%" PRIu64 " of %" PRIu64
                " target examples stand in the corpus, word for word: they will be chosen first, "
                "and nothing may be measured on them",
                leaks, examples);
    }
}

static void warn_of_marked(const struct select *s)
{
    uint64_t marked = 0, empty = 0;
    const struct store *pool = select_selector_pool(s->selector);
    for (size_t i = 0; pool && i < pool->head->rows; i++) {
        marked += (pool->rows[i].flags & (STORE_NOT_FINITE | STORE_ZERO)) > 0;
        empty += (pool->rows[i].flags & STORE_EMPTY) > 0;
    }
    if (marked + empty > 0) {
        env_log(stage_env(s->stage), WINNOW_LOG_WARNING,
                "%" PRIu64 " documents have no vector and %" PRIu64
                " one that is zero or not finite: they are not chosen",
                empty, marked);
    }
}

static void write_choice(const struct select *s, struct json_writer *w)
{
    const struct choice *c = select_selector_choice(s->selector);
    uint64_t examples, leaks = select_selector_leaks(s->selector, &examples);
    json_open(w, '{');
    json_member_text(w, "method", select_method_name(s->opt));
    json_member_u64(w, "documents", s->rows.documents);
    json_member_u64(w, "budget", select_selector_budget(s->selector));
    json_member_u64(w, "chosen", c->count);
    json_member_u64(w, "copies_left_out", c->copies);
    json_member_u64(w, "targets_in_corpus", leaks);
    json_member_u64(w, "rounds", c->rounds);
    json_member_open(w, "residual", '[');
    for (size_t i = 0; i < c->curve_count; i++) {
        json_open(w, '[');
        json_u64(w, c->curve[i].picks);
        json_double(w, c->curve[i].residual);
        json_close(w, ']');
    }
    json_close(w, ']');
    story_write(&s->story, c, w);
    json_close(w, '}');
}

static winnow_status write_summary(const struct select *s, struct winnow_error *err)
{
    struct buf text = {0}, path = {0};
    struct json_writer w = {.out = &text};
    write_choice(s, &w);
    stage_owns(s->stage, "select.json");
    buf_add_char(&text, '\n');
    winnow_status st = file_write_atomic(file_join(&path, stage_folder(s->stage), "select.json"),
                                         buf_str(&text), err);
    buf_release(&text);
    buf_release(&path);
    return st;
}

static void number_picks(struct select *s)
{
    const struct choice *c = select_selector_choice(s->selector);
    s->pick_of = mem_alloc((s->rows.documents + 1) * sizeof *s->pick_of);
    for (size_t i = 0; i < s->rows.documents; i++) {
        s->pick_of[i] = NOT_CHOSEN;
    }
    for (size_t i = 0; i < c->count; i++) {
        s->pick_of[c->picks[i].row] = (uint32_t)i;
    }
}

static winnow_status choose_documents(struct select *s, struct winnow_error *err)
{
    struct selector_item *items = mem_try_alloc((s->rows.documents + 1) * sizeof *items);
    if (!items) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to choose from %zu documents",
                         s->rows.documents);
    }
    for (size_t i = 0, n = 0; i < s->rows.ordinals; i++) {
        if (s->rows.ids[i] > 0) {
            items[n] = (struct selector_item){.id = s->rows.ids[i]};
            items[n].score = s->scores ? s->scores[n] : 0;
            n++;
        }
    }
    winnow_status st =
        SELECT_SELECTOR.choose(s->selector, s->opt, items, s->rows.documents, 1, err);
    mem_free(items);
    return st;
}

/* ---- what is told of it ---- */

static winnow_status meet_document(void *state, void *worker, const struct document *d,
                                   struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    (void)r;
    (void)err;
    struct select *s = state;
    story_meet(&s->story, s->rows.row_of[d->ordinal], d);
    return WINNOW_OK;
}

/* The texts that are shown are found by one more pass. */
static winnow_status tell_choice(struct select *s, struct winnow_error *err)
{
    if (select_selector_pool(s->selector)) {
        const struct choice_problem p = select_selector_problem(s->selector, s->opt);
        TRY(story_find(&p, select_selector_choice(s->selector), &s->story, err));
        s->story.lock = &s->rows.lock;
        const struct stage_pass pass = {.name = "shown", .state = s, .document = meet_document};
        TRY(stage_run_pass(s->stage, &pass, err));
    }
    return write_summary(s, err);
}

static winnow_status make_choice(struct select *s, struct winnow_error *err)
{
    const struct winnow_env *env = stage_env(s->stage);
    struct buf folder = {0};
    (void)stage_path(s->stage, "", &folder);
    folder.len--; /* the slash */
    const struct selector_home home = {
        .env = env, .pool = stage_pool(s->stage), .folder = buf_cstr(&folder)};
    s->selector = SELECT_SELECTOR.open(s->opt, &home);
    double start = env_seconds();
    winnow_status st = SELECT_SELECTOR.prepare(s->selector, err);
    warn_of_leaks(s);
    warn_of_marked(s);
    stage_timing(s->stage, "prepare_seconds", env_seconds() - start);
    start = env_seconds();
    st = st == WINNOW_OK ? choose_documents(s, err) : st;
    stage_timing(s->stage, "choice_seconds", env_seconds() - start);
    buf_release(&folder);
    TRY(st);
    const struct choice *c = select_selector_choice(s->selector);
    size_t budget = select_selector_budget(s->selector);
    if (c->count < budget) {
        env_log(env, WINNOW_LOG_WARNING,
                "%zu of the budget of %zu documents are chosen: no other points to the target, or "
                "has a vector",
                c->count, budget);
    }
    struct selector_cost cost;
    SELECT_SELECTOR.cost(s->selector, &cost);
    stage_note_double(s->stage, "flops", cost.measuring + s->flops);
    number_picks(s);
    return tell_choice(s, err);
}

/* ---- 3. verdicts ---- */

static winnow_status judge(void *state, void *worker, const struct document *d,
                           struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    (void)err;
    struct select *s = state;
    uint32_t at = s->pick_of[s->rows.row_of[d->ordinal]];
    if (at == NOT_CHOSEN) {
        r->verdict = STAGE_REMOVE;
        r->rule = "select.not_chosen";
        return WINNOW_OK;
    }
    const struct choice_pick *p = &select_selector_choice(s->selector)->picks[at];
    r->score = p->weight;
    buf_addf(&r->detail, "\"order\":%u,\"gain\":%.9g", at + 1, p->gain);
    stage_add_score(&r->attributes[0], "winnow__weight", d->text, p->weight);
    stage_add_score(&r->attributes[0], "winnow__order", d->text, (double)at + 1);
    stage_add_score(&r->attributes[0], "winnow__gain", d->text, p->gain);
    return WINNOW_OK;
}

static winnow_status run_steps(struct select *s, struct winnow_error *err)
{
    static const char *const NAMES[] = {"select", NULL};
    TRY(run_survey(s, err));
    TRY(align(s, err));
    TRY(find_scores(s, err));
    TRY(make_choice(s, err));
    const struct store *pool = select_selector_pool(s->selector);
    if (pool && pool->forget) { /* what follows needs the choice alone */
        file_map_forget(pool->map.bytes);
    }
    const struct stage_pass pass = {
        .name = "select", .verdicts = true, .attributes = NAMES, .state = s, .document = judge};
    return stage_run_pass(s->stage, &pass, err);
}

static winnow_status run_select(struct stage *stage, const void *options, struct winnow_error *err)
{
    struct select *s = mem_zalloc(sizeof *s);
    s->stage = stage;
    s->opt = options;
    corpus_rows_init(&s->rows);
    winnow_status st = run_steps(s, err);
    story_release(&s->story);
    mem_free(s->scores);
    SELECT_SELECTOR.close(s->selector);
    mem_free(s->pick_of);
    corpus_rows_release(&s->rows);
    mem_free(s);
    return st;
}

const struct stage_kind SELECT_STAGE = {.table = &SELECT_TABLE,
                                        .check = check_select,
                                        .run = run_select,
                                        .many_passes = true,
                                        .uses_kernels = true};
