/* select.c -- the stage `select`:
 *
 *   1. survey    the documents in order, compared with the rows of the vectors
 *   2. targets   vectors of their examples, made like those of the corpus
 *   3. choice    choice.h
 *   4. verdicts  chosen ones stay, with weight, order and gain; all others go
 */
#include "select/select.h"

#include "base/env.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "base/map.h"
#include "base/mem.h"
#include "math/kernels.h"
#include "option/tables.h"
#include "select/choice.h"
#include "vectors/features.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TARGETS_MAX   64U
#define PROGRAM_BYTES ((uint64_t)24 << 20)
#define NOT_CHOSEN    UINT32_MAX
#define ROW_KEPT      (24U + 40U) /* of a document to the end: its id, row and place; a choice */

struct select {
    struct stage *stage;
    const struct winnow_select_options *opt;
    pthread_mutex_t lock;
    uint64_t *ids; /* by ordinal: hash of the id + 1, or 0 where there is no document */
    size_t ordinals, cap;
    uint32_t *row_of;  /* by ordinal */
    uint32_t *pick_of; /* by row */
    size_t documents;
    struct store pool;
    struct store stores[TARGETS_MAX];
    struct choice_target targets[TARGETS_MAX];
    size_t target_count, stores_open;
    struct choice choice;
    size_t budget;
    uint64_t leaks;
};

/* ---- options ---- */

static bool needs_target(int method)
{
    return method == WINNOW_TOP_K || method == WINNOW_ROUND_ROBIN || method == WINNOW_RDS;
}

static const char *method_name(const struct winnow_select_options *o)
{
    return option_find(&SELECT_TABLE, STR_LIT("method"))->choices[o->method];
}

/* "5%" or "0.05" are shares, "500" and "2k" numbers. */
static winnow_status read_budget(const char *text, size_t documents, size_t *out,
                                 struct winnow_error *err)
{
    char *end = NULL;
    double x = text ? strtod(text, &end) : 0;
    if (!text || end == text || !(x > 0)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--budget \"%s\" is neither a number of documents nor a share (5%%)",
                         text ? text : "");
    }
    bool share = (end[0] == '%' && end[1] == '\0') || (x < 1 && end[0] == '\0');
    if (end[0] == 'k' && end[1] == '\0') {
        x *= 1000;
    } else if (end[0] == 'M' && end[1] == '\0') {
        x *= 1e6;
    } else if (!share && end[0] != '\0') {
        return error_set(err, WINNOW_E_USAGE,
                         "--budget \"%s\" is neither a number of documents nor a share (5%%)",
                         text);
    }
    if (share) {
        x = (end[0] == '%' ? x / 100 : x) * (double)documents;
    }
    x = share && x < 1 ? 1 : floor(x + 0.5);
    if (documents > 0 && x > (double)documents) {
        return error_set(err, WINNOW_E_FORMAT,
                         "--budget %s is more than the %zu documents of the corpus", text,
                         documents);
    }
    *out = (size_t)x;
    return WINNOW_OK;
}

static winnow_status check_method(const struct winnow_select_options *o, struct winnow_error *err)
{
    size_t targets = o->targets.count + o->target_features.count;
    if (o->method != WINNOW_RANDOM && !o->features) {
        return error_set(err, WINNOW_E_USAGE,
                         "--method %s compares vectors: make them with winnow features and name "
                         "them with --features",
                         method_name(o));
    }
    if (needs_target(o->method) && targets == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--method %s needs examples of what is wanted: --target FILE",
                         method_name(o));
    }
    if (o->match_length && (o->method != WINNOW_RANDOM || targets == 0 || !o->features)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--match-length belongs to --method random with --target and --features");
    }
    if (targets > TARGETS_MAX) {
        return error_set(err, WINNOW_E_USAGE, "more than %u targets", TARGETS_MAX);
    }
    return WINNOW_OK;
}

static winnow_status check_vectors(const struct winnow_select_options *o, const struct store *s,
                                   struct winnow_error *err)
{
    bool states = o->method == WINNOW_RDS || o->method == WINNOW_PROJECTION;
    if (states && s->head->kind != STORE_HIDDEN) {
        return error_set(err, WINNOW_E_USAGE,
                         "--method %s compares hidden states, and %s holds gradients: make others "
                         "with winnow features --vectors states --pooling weighted",
                         method_name(o), o->features);
    }
    if (o->method == WINNOW_GTP && s->head->kind != STORE_GRADIENT) {
        return error_set(err, WINNOW_E_USAGE,
                         "--method gtp pursues gradients, and %s holds hidden states: --method "
                         "projection pursues those",
                         o->features);
    }
    return WINNOW_OK;
}

/* While it is chosen: factors, orders and scores of the rows; the vectors that are held, and what
 * pursuits keep of as many candidates; a partition. */
static uint64_t choice_bytes(const struct winnow_select_options *o, const struct store_head *h,
                             uint64_t budget)
{
    uint64_t n = h->rows, width = (uint64_t)h->parts * h->dim;
    uint64_t bytes = n * (VECTOR_SWEEP_MAX * 4 + 40 + 8 * (uint64_t)h->parts);
    if (o->method == WINNOW_FACILITY) {
        uint64_t part = o->partition < n ? o->partition : n;
        return bytes + part * (part + width) * sizeof(float);
    }
    if (o->method == WINNOW_GTP || o->method == WINNOW_PROJECTION) {
        uint64_t most = pursuit_budget_max(n, width), of_one = budget < most ? budget : most;
        return bytes + 5 * budget * width * sizeof(float) + 144 * budget * of_one;
    }
    return bytes;
}

static winnow_status check_select(const void *options, const struct stage_plan *plan,
                                  struct winnow_error *err)
{
    const struct winnow_select_options *o = options;
    size_t unused;
    TRY(check_method(o, err));
    TRY(read_budget(o->budget, 0, &unused, err));
    if (!o->features) {
        return WINNOW_OK;
    }
    struct store s;
    TRY(store_open(o->features, &s, err));
    winnow_status st = check_vectors(o, &s, err);
    uint64_t n = s.head->rows;
    size_t budget = 0;
    if (st == WINNOW_OK) {
        st = read_budget(o->budget, n, &budget, err);
    }
    if (st == WINNOW_OK) {
        uint64_t least = STAGE_MEMORY_LEAST + n * ROW_KEPT,
                 chosen = choice_bytes(o, s.head, budget);
        chosen += n * (ROW_KEPT + sizeof(struct store_row)) + PROGRAM_BYTES;
        st = memory_need(plan->memory_max, "select", chosen > least ? chosen : least,
                         "lower --budget, or make vectors of a smaller --dim", err);
    }
    store_close(&s);
    return st;
}

/* ---- 1. survey ---- */

static winnow_status survey_document(void *state, void *worker, const struct document *d,
                                     struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    (void)r;
    struct select *s = state;
    winnow_status st = WINNOW_OK;
    (void)pthread_mutex_lock(&s->lock);
    if (d->ordinal >= s->cap) {
        size_t cap = d->ordinal + d->ordinal / 2 + 1024;
        if (mem_try_grow((void **)&s->ids, s->cap * sizeof *s->ids, cap * sizeof *s->ids)) {
            memset(s->ids + s->cap, 0, (cap - s->cap) * sizeof *s->ids);
            s->cap = cap;
        } else {
            st = error_set(err, WINNOW_E_NOMEM, "no memory for %zu documents", cap);
        }
    }
    if (st == WINNOW_OK) {
        uint64_t id = hash64(d->id, 0);
        s->ids[d->ordinal] = id > 0 ? id : 1;
        s->ordinals = d->ordinal >= s->ordinals ? d->ordinal + 1 : s->ordinals;
        s->documents++;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return st;
}

/* The i-th document is the i-th row. */
static winnow_status align(struct select *s, struct winnow_error *err)
{
    s->row_of = mem_alloc((s->ordinals + 1) * sizeof *s->row_of);
    size_t row = 0;
    for (size_t i = 0; i < s->ordinals; i++) {
        s->row_of[i] = (uint32_t)row;
        if (s->ids[i] == 0) {
            continue;
        }
        uint64_t want = row < s->pool.head->rows ? s->pool.rows[row].id : 0;
        if (row >= s->pool.head->rows || s->ids[i] != (want > 0 ? want : 1)) {
            return error_set(err, WINNOW_E_FORMAT,
                             "%s holds vectors of another corpus, or of other documents in another "
                             "order: its row %zu is not the document at this place; make them anew "
                             "with winnow features",
                             s->opt->features, row);
        }
        row++;
    }
    return row == s->pool.head->rows
               ? WINNOW_OK
               : error_set(err, WINNOW_E_FORMAT,
                           "%s holds vectors of %" PRIu64 " documents, the corpus has %zu: make "
                           "them anew with winnow features",
                           s->opt->features, s->pool.head->rows, row);
}

/* A choice by chance needs no vectors: rows of ids alone. */
struct bare_store {
    struct store_head head;
    struct store_row *rows;
};

static void make_bare(struct select *s, struct bare_store *bare)
{
    bare->head = (struct store_head){.parts = 1, .dim = 1, .rows = s->documents};
    bare->rows = mem_zalloc((s->documents + 1) * sizeof *bare->rows);
    s->row_of = mem_alloc((s->ordinals + 1) * sizeof *s->row_of);
    for (size_t i = 0, row = 0; i < s->ordinals; i++) {
        s->row_of[i] = (uint32_t)row;
        if (s->ids[i] > 0) {
            bare->rows[row++].id = s->ids[i];
        }
    }
    s->pool = (struct store){.head = &bare->head, .rows = bare->rows};
}

static winnow_status run_survey(struct select *s, struct winnow_error *err)
{
    const struct stage_pass pass = {.name = "survey", .state = s, .document = survey_document};
    TRY(stage_run_pass(s->stage, &pass, err));
    if (s->documents == 0) {
        return error_set(err, WINNOW_E_FORMAT, "there is no document to choose from");
    }
    return read_budget(s->opt->budget, s->documents, &s->budget, err);
}

/* ---- 2. targets ---- */

static winnow_status open_target(struct select *s, const char *folder, const char *name,
                                 struct winnow_error *err)
{
    struct store *t = &s->stores[s->target_count];
    TRY(store_open(folder, t, err));
    s->targets[s->target_count++] = (struct choice_target){t, name};
    return store_alike(&s->pool, s->opt->features, t, name, err);
}

/* Half a target would choose other documents: it is refused, also by the next call. */
static winnow_status make_vectors(const struct select *s, struct features_job job,
                                  const char *store, struct winnow_error *err)
{
    struct input_account account = {0};
    struct winnow_features_result r;
    job.account = &account;
    winnow_status st = file_make_dirs(job.work, err);
    st = st == WINNOW_OK ? features_make(&job, stage_env(s->stage), &r, err) : st;
    st = st == WINNOW_OK ? account_need_all(&account, err) : st;
    if (st != WINNOW_OK) {
        struct winnow_error ignored;
        (void)file_remove_tree(store, &ignored);
        st = error_wrap(err, st, "the target %s", job.of);
    }
    account_release(&account);
    return st;
}

static winnow_status make_target(struct select *s, size_t i, struct winnow_error *err)
{
    const char *file = s->opt->targets.items[i];
    struct buf name = {0}, folder = {0}, work = {0};
    buf_addf(&name, "target-%02zu", i);
    const char *to = stage_path(s->stage, buf_cstr(&name), &folder);
    struct winnow_features_options opt = WINNOW_FEATURES_OPTIONS_INIT;
    opt.like = s->opt->features;
    const char *path = file;
    const struct features_job job = {.opt = &opt,
                                     .paths = {&path, 1},
                                     .output = to,
                                     .of = file,
                                     .work = file_join(&work, to, "checkpoint")};
    struct buf done = {0};
    const char *store = file_join(&done, to, STORE_FILE);
    winnow_status st = file_exists(store) ? WINNOW_OK : make_vectors(s, job, store, err);
    st = st == WINNOW_OK ? file_remove_tree(job.work, err) : st; /* or a killed call's */
    st = st == WINNOW_OK ? open_target(s, to, file, err) : st;
    buf_release(&name);
    buf_release(&folder);
    buf_release(&work);
    buf_release(&done);
    return st;
}

static struct str key_bytes(const uint64_t *key)
{
    return (struct str){(const char *)key, sizeof *key};
}

/* Examples of the target that stand in the corpus would be chosen first, and be measured on
 * later. */
static void look_for_leaks(struct select *s)
{
    struct map keys = {0};
    uint64_t examples = 0;
    bool is_new;
    for (size_t t = 0; t < s->target_count; t++) {
        const struct store *x = &s->stores[t];
        examples += x->head->rows;
        for (size_t i = 0; i < x->head->rows; i++) {
            uint64_t *v = map_put(&keys, key_bytes(&x->rows[i].key), &is_new);
            *v = is_new ? 0 : *v;
        }
    }
    for (size_t i = 0; examples > 0 && i < s->pool.head->rows; i++) {
        uint64_t *v = map_get(&keys, key_bytes(&s->pool.rows[i].key));
        if (v && *v == 0) {
            *v = 1;
            s->leaks++;
        }
    }
    map_release(&keys);
    if (s->leaks > 0) {
        env_log(stage_env(s->stage), WINNOW_LOG_WARNING,
                "%" PRIu64 " of %" PRIu64
                " target examples stand in the corpus, word for word: they will be chosen first, "
                "and nothing may be measured on them",
                s->leaks, examples);
    }
}

static winnow_status find_targets(struct select *s, struct winnow_error *err)
{
    for (size_t i = 0; i < s->opt->target_features.count; i++) {
        const char *folder = s->opt->target_features.items[i];
        TRY(open_target(s, folder, folder, err));
    }
    for (size_t i = 0; i < s->opt->targets.count; i++) {
        TRY(make_target(s, i, err));
    }
    look_for_leaks(s);
    return WINNOW_OK;
}

static void warn_of_marked(const struct select *s)
{
    uint64_t marked = 0, empty = 0;
    for (size_t i = 0; i < s->pool.head->rows; i++) {
        marked += (s->pool.rows[i].flags & (STORE_NOT_FINITE | STORE_ZERO)) > 0;
        empty += (s->pool.rows[i].flags & STORE_EMPTY) > 0;
    }
    if (marked + empty > 0) {
        env_log(stage_env(s->stage), WINNOW_LOG_WARNING,
                "%" PRIu64 " documents have no vector and %" PRIu64
                " one that is zero or not finite: they are not chosen",
                empty, marked);
    }
}

/* ---- 3. choice ---- */

static void write_choice(const struct select *s, struct json_writer *w)
{
    const struct choice *c = &s->choice;
    json_open(w, '{');
    json_member_text(w, "method", method_name(s->opt));
    json_member_u64(w, "documents", s->documents);
    json_member_u64(w, "budget", s->budget);
    json_member_u64(w, "chosen", c->count);
    json_member_u64(w, "copies_left_out", c->copies);
    json_member_u64(w, "targets_in_corpus", s->leaks);
    json_member_u64(w, "rounds", c->rounds);
    json_member_open(w, "residual", '[');
    for (size_t i = 0; i < c->curve_count; i++) {
        json_open(w, '[');
        json_u64(w, c->curve[i].picks);
        json_double(w, c->curve[i].residual);
        json_close(w, ']');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static winnow_status write_summary(const struct select *s, struct winnow_error *err)
{
    struct buf text = {0}, path = {0};
    struct json_writer w = {.out = &text};
    write_choice(s, &w);
    stage_note(s->stage, "choice", buf_str(&text));
    buf_add_char(&text, '\n');
    winnow_status st =
        file_write_atomic(stage_path(s->stage, "select.json", &path), buf_str(&text), err);
    buf_release(&text);
    buf_release(&path);
    return st;
}

/* How many examples the targets have is known now. */
static winnow_status need_room(const struct select *s, struct winnow_error *err)
{
    uint64_t examples = 0, width = (uint64_t)s->pool.head->parts * s->pool.head->dim;
    for (size_t t = 0; t < s->target_count; t++) {
        examples += s->stores[t].head->rows;
    }
    return memory_need(stage_env(s->stage)->memory_max, "select",
                       mem_resident() + examples * width * sizeof(float) +
                           choice_bytes(s->opt, s->pool.head, s->budget),
                       "lower --budget, or make vectors of a smaller --dim", err);
}

static winnow_status make_choice(struct select *s, struct winnow_error *err)
{
    const struct winnow_env *env = stage_env(s->stage);
    const struct kernels *k;
    TRY(kernels_pick(env->kernels, &k, err));
    TRY(need_room(s, err));
    const struct choice_problem p = {.opt = s->opt,
                                     .pool = &s->pool,
                                     .targets = s->targets,
                                     .target_count = s->target_count,
                                     .budget = s->budget,
                                     .threads = stage_pool(s->stage),
                                     .k = k,
                                     .env = env};
    double start = env_seconds();
    TRY(choose(&p, &s->choice, err));
    stage_timing(s->stage, "choice_seconds", env_seconds() - start);
    if (s->choice.count < s->budget) {
        env_log(env, WINNOW_LOG_WARNING,
                "%zu of the budget of %zu documents are chosen: no other points to the target, or "
                "has a vector",
                s->choice.count, s->budget);
    }
    s->pick_of = mem_alloc((s->pool.head->rows + 1) * sizeof *s->pick_of);
    for (size_t i = 0; i < s->pool.head->rows; i++) {
        s->pick_of[i] = NOT_CHOSEN;
    }
    for (size_t i = 0; i < s->choice.count; i++) {
        s->pick_of[s->choice.picks[i].row] = (uint32_t)i;
    }
    return write_summary(s, err);
}

/* ---- 4. verdicts ---- */

static winnow_status judge(void *state, void *worker, const struct document *d,
                           struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    (void)err;
    struct select *s = state;
    uint32_t at = s->pick_of[s->row_of[d->ordinal]];
    if (at == NOT_CHOSEN) {
        r->verdict = STAGE_REMOVE;
        r->rule = "select.not_chosen";
        return WINNOW_OK;
    }
    const struct choice_pick *p = &s->choice.picks[at];
    r->score = p->weight;
    buf_addf(&r->detail, "\"order\":%u,\"gain\":%.9g", at + 1, p->gain);
    stage_add_score(&r->attributes[0], "winnow__weight", d->text, p->weight);
    stage_add_score(&r->attributes[0], "winnow__order", d->text, (double)at + 1);
    stage_add_score(&r->attributes[0], "winnow__gain", d->text, p->gain);
    return WINNOW_OK;
}

static winnow_status run_steps(struct select *s, struct bare_store *bare, struct winnow_error *err)
{
    static const char *const NAMES[] = {"select", NULL};
    TRY(run_survey(s, err));
    if (s->opt->features) {
        TRY(store_open(s->opt->features, &s->pool, err));
        s->pool.forget = stage_env(s->stage)->memory_max > 0;
        TRY(align(s, err));
        TRY(find_targets(s, err));
        warn_of_marked(s);
    } else {
        make_bare(s, bare);
    }
    TRY(make_choice(s, err));
    if (s->pool.forget) { /* what follows needs the choice alone */
        file_map_forget(s->pool.map.bytes);
    }
    const struct stage_pass pass = {
        .name = "select", .verdicts = true, .attributes = NAMES, .state = s, .document = judge};
    return stage_run_pass(s->stage, &pass, err);
}

static winnow_status run_select(struct stage *stage, const void *options, struct winnow_error *err)
{
    struct select *s = mem_zalloc(sizeof *s);
    struct bare_store bare = {0};
    s->stage = stage;
    s->opt = options;
    (void)pthread_mutex_init(&s->lock, NULL);
    winnow_status st = run_steps(s, &bare, err);
    for (size_t i = 0; i < s->target_count; i++) {
        store_close(&s->stores[i]);
    }
    if (!bare.rows) {
        store_close(&s->pool);
    }
    mem_free(bare.rows);
    choice_release(&s->choice);
    mem_free(s->ids);
    mem_free(s->row_of);
    mem_free(s->pick_of);
    (void)pthread_mutex_destroy(&s->lock);
    mem_free(s);
    return st;
}

static bool reads_examples(const void *options)
{
    (void)options;
    return true;
}

const struct stage_kind SELECT_STAGE = {.table = &SELECT_TABLE,
                                        .check = check_select,
                                        .run = run_select,
                                        .many_passes = true,
                                        .reads_examples = reads_examples,
                                        .uses_kernels = true};
