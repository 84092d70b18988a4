/* select_selector.c -- vectors of the corpus and of targets, and the choice among those of a pool.
 *
 * Documents and rows are matched by the hash of their ids: in the order of the corpus each is its
 * own row, in a proof's pool they come in another order and only some of them. */
#include "select/select_selector.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/map.h"
#include "base/mem.h"
#include "math/kernels.h"
#include "option/belongs.h"
#include "option/budget.h"
#include "option/tables.h"
#include "select/subspace.h"
#include "vectors/features.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define TARGETS_MAX 64U
#define CARD_BYTES  ((size_t)1 << 20)

struct selector {
    const struct winnow_select_options *opt;
    struct selector_home home;
    const struct kernels *kernels;
    struct store pool;
    bool has_pool;
    struct store stores[TARGETS_MAX];
    struct choice_target targets[TARGETS_MAX];
    size_t target_count;
    uint64_t leaks, examples;
    double flops; /* of the vectors of the whole store */

    struct map rows; /* hash of an id -> row; filled when documents come in another order */
    /* Of the last choose(). */
    struct store_head bare_head;
    struct store_row *bare; /* rows of ids alone, where there are no vectors */
    struct store bare_store;
    bool *inside;
    double *scores; /* by row, of a method by scores */
    size_t budget;
    struct choice choice;
    double used; /* tokens of its pool, of the whole store's */
};

/* ---- options ---- */

bool select_by_scores(const struct winnow_select_options *o)
{
    return o->method == WINNOW_LOSS_DROP || o->method == WINNOW_SHAPLEY;
}

static winnow_status check_scored(const struct winnow_select_options *o, struct winnow_error *err)
{
    if (o->features || o->target_features.count > 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--method %s compares no vectors; leave --features and --target-features "
                         "out",
                         select_method_name(o));
    }
    if (o->method == WINNOW_SHAPLEY && !o->scores) {
        return error_set(err, WINNOW_E_USAGE,
                         "--method shapley needs values: gather them with winnow train --value "
                         "TARGET and name the folder with --scores MODEL/value");
    }
    if (o->method == WINNOW_LOSS_DROP && (!o->model || o->targets.count == 0)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--method loss-drop warms a model on examples of what is wanted: --model "
                         "PATH and --target FILE");
    }
    return WINNOW_OK;
}

static bool needs_target(int method)
{
    return method == WINNOW_TOP_K || method == WINNOW_ROUND_ROBIN || method == WINNOW_RDS;
}

const char *select_method_name(const struct winnow_select_options *o)
{
    return option_find(&SELECT_TABLE, STR_LIT("method"))->choices[o->method];
}

/* Options that other methods would pass over. */
static winnow_status check_read(const struct winnow_select_options *o, struct winnow_error *err)
{
    static const char *const OF_PURSUIT[] = {"objective", "subspace", "copy", "no-floor", NULL};
    static const char *const OF_FACILITY[] = {"partition", NULL};
    if (o->method != WINNOW_GTP && o->method != WINNOW_PROJECTION) {
        TRY(option_belong(&SELECT_TABLE, o, OF_PURSUIT, "--method gtp or projection", err));
    }
    return o->method == WINNOW_FACILITY
               ? WINNOW_OK
               : option_belong(&SELECT_TABLE, o, OF_FACILITY, "--method facility", err);
}

static winnow_status check_method(const struct winnow_select_options *o, struct winnow_error *err)
{
    size_t targets = o->targets.count + o->target_features.count;
    if (select_by_scores(o)) {
        return check_scored(o, err);
    }
    if (o->method != WINNOW_RANDOM && !o->features) {
        return error_set(err, WINNOW_E_USAGE,
                         "--method %s compares vectors: make them with winnow features and name "
                         "them with --features",
                         select_method_name(o));
    }
    if (needs_target(o->method) && targets == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--method %s needs examples of what is wanted: --target FILE",
                         select_method_name(o));
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
    if (states && s->head->kind == STORE_GRADIENT) {
        return error_set(err, WINNOW_E_USAGE,
                         "--method %s compares hidden states, and %s holds gradients: make others "
                         "with winnow features --vectors states --pooling weighted",
                         select_method_name(o), o->features);
    }
    if (o->method == WINNOW_GTP && s->head->kind != STORE_GRADIENT) {
        return error_set(err, WINNOW_E_USAGE,
                         "--method gtp pursues gradients, and %s holds hidden states: --method "
                         "projection pursues those",
                         o->features);
    }
    return WINNOW_OK;
}

/* The vectors that are held, what pursuits keep of as many candidates, a partition. */
uint64_t select_choice_bytes(const struct winnow_select_options *o, const struct store_head *h,
                             uint64_t budget)
{
    bool pursued = o->method == WINNOW_GTP || o->method == WINNOW_PROJECTION;
    bool within = pursued && o->subspace > 0 && o->subspace < h->dim;
    uint64_t n = h->rows, width = (uint64_t)h->parts * (within ? o->subspace : h->dim);
    uint64_t bytes = n * (VECTOR_SWEEP_MAX * 4 + 40 + 8 * (uint64_t)h->parts);
    if (o->method == WINNOW_FACILITY) {
        uint64_t part = o->partition < n ? o->partition : n;
        return bytes + part * (part + width) * sizeof(float);
    }
    if (within) {
        bytes += subspace_bytes(o->subspace, h);
    }
    if (pursued) {
        uint64_t most = pursuit_budget_max(n, width), of_one = budget < most ? budget : most;
        return bytes + 5 * budget * width * sizeof(float) + 144 * budget * of_one;
    }
    return bytes;
}

static winnow_status check(const void *options, struct winnow_error *err)
{
    const struct winnow_select_options *o = options;
    size_t unused;
    struct store s = {0};
    TRY(check_read(o, err));
    TRY(check_method(o, err));
    TRY(budget_read(o->budget, 0, &unused, err));
    if (!o->features) {
        return WINNOW_OK;
    }
    TRY(store_open(o->features, &s, err));
    winnow_status st = check_vectors(o, &s, err);
    store_close(&s);
    return st;
}

/* Of a number of documents the share is known where the vectors are. */
static double share_of(const struct winnow_select_options *o, uint64_t rows)
{
    struct winnow_error unused;
    size_t budget = 0, of = rows > 0 ? rows : 1000000;
    bool good = budget_read(o->budget, of, &budget, &unused) == WINNOW_OK;
    return good && budget > 0 ? (double)budget / (double)of : 1;
}

static void traits(const void *options, struct selector_traits *out)
{
    const struct winnow_select_options *o = options;
    struct winnow_error unused;
    struct store s = {0};
    *out = (struct selector_traits){.share = share_of(o, 0), .weighs = true};
    if (o->features && store_open(o->features, &s, &unused) == WINNOW_OK) {
        uint64_t rows = s.head->rows;
        out->share = share_of(o, rows);
        out->bytes = select_choice_bytes(o, s.head, (uint64_t)(out->share * (double)rows)) +
                     rows * (sizeof(bool) + 64);
        store_close(&s);
    }
}

/* ---- life ---- */

static struct selector *open_selector(const void *options, const struct selector_home *home)
{
    struct selector *s = mem_zalloc(sizeof *s);
    s->opt = options;
    s->home = *home;
    return s;
}

static void close_selector(struct selector *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < s->target_count; i++) {
        store_close(&s->stores[i]);
    }
    if (s->has_pool) {
        store_close(&s->pool);
    }
    map_release(&s->rows);
    mem_free(s->bare);
    mem_free(s->inside);
    mem_free(s->scores);
    choice_release(&s->choice);
    mem_free(s);
}

/* ---- prepare ---- */

static winnow_status open_target(struct selector *s, const char *folder, const char *name,
                                 struct winnow_error *err)
{
    struct store *t = &s->stores[s->target_count];
    TRY(store_open(folder, t, err));
    s->targets[s->target_count++] = (struct choice_target){t, name};
    return store_alike(&s->pool, s->opt->features, t, name, err);
}

/* Half a target would choose other documents: it is refused, also by the next call. */
static winnow_status make_vectors(const struct selector *s, struct features_job job,
                                  const char *store, struct winnow_error *err)
{
    struct input_account account = {0};
    struct winnow_features_result r;
    job.account = &account;
    winnow_status st = file_make_dirs(job.work, err);
    st = st == WINNOW_OK ? features_make(&job, s->home.env, &r, err) : st;
    st = st == WINNOW_OK ? account_need_all(&account, err) : st;
    if (st != WINNOW_OK) {
        struct winnow_error ignored;
        (void)file_remove_tree(store, &ignored);
        st = error_wrap(err, st, "the target %s", job.of);
    }
    account_release(&account);
    return st;
}

static winnow_status make_target(struct selector *s, size_t i, struct winnow_error *err)
{
    const char *file = s->opt->targets.items[i];
    struct buf name = {0}, folder = {0}, work = {0};
    buf_addf(&name, "target-%02zu", i);
    const char *to = file_join(&folder, s->home.folder, buf_cstr(&name));
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
static void look_for_leaks(struct selector *s)
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
    s->examples = examples;
    map_release(&keys);
}

static winnow_status find_targets(struct selector *s, struct winnow_error *err)
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

/* What making the vectors cost, as their card says it. */
static winnow_status read_cost(struct selector *s, struct winnow_error *err)
{
    struct buf path = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    winnow_status st = json_read_file(file_join(&path, s->opt->features, "store.json"), CARD_BYTES,
                                      parser, &root, err);
    if (st == WINNOW_OK) {
        (void)json_as_double(json_get(root, "flops"), &s->flops);
    }
    json_parser_free(parser);
    buf_release(&path);
    return st;
}

static winnow_status prepare(struct selector *s, struct winnow_error *err)
{
    TRY(kernels_pick(s->home.env->kernels, &s->kernels, err));
    if (!s->opt->features) {
        return WINNOW_OK;
    }
    TRY(store_open(s->opt->features, &s->pool, err));
    s->has_pool = true;
    s->pool.forget = s->home.env->memory_max > 0;
    TRY(check_vectors(s->opt, &s->pool, err));
    TRY(read_cost(s, err));
    return find_targets(s, err);
}

static void cost(const struct selector *s, struct selector_cost *out)
{
    *out = (struct selector_cost){.measuring = s->flops * s->used, .loss = (double)NAN};
}

/* ---- choose ---- */

static winnow_status not_there(const struct selector *s, size_t item, struct winnow_error *err)
{
    return error_set(err, WINNOW_E_FORMAT,
                     "%s holds no vector of document %zu of the pool: it holds those of another "
                     "corpus; make them anew with winnow features",
                     s->opt->features, item);
}

static uint64_t row_id(const struct store *s, size_t row)
{
    return s->rows[row].id > 0 ? s->rows[row].id : 1;
}

static void number_rows(struct selector *s)
{
    size_t n = s->rows.count > 0 ? 0 : s->pool.head->rows; /* once */
    for (size_t i = 0; i < n; i++) {
        uint64_t id = row_id(&s->pool, i);
        *map_put(&s->rows, key_bytes(&id), NULL) = i;
    }
}

/* rows[i]: that of item i.  What is outside of the pool is no candidate. */
static winnow_status find_rows(struct selector *s, const struct selector_item *items, size_t count,
                               uint32_t *rows, struct winnow_error *err)
{
    size_t all = s->pool.head->rows, same = 0;
    mem_free(s->inside);
    s->inside = NULL;
    while (same < count && same < all && items[same].id == row_id(&s->pool, same)) {
        rows[same] = (uint32_t)same;
        same++;
    }
    if (same == count && count == all) {
        return WINNOW_OK;
    }
    s->inside = mem_zalloc((all + 1) * sizeof *s->inside);
    number_rows(s);
    for (size_t i = 0; i < count; i++) {
        const uint64_t *row = map_get(&s->rows, key_bytes(&items[i].id));
        if (!row) {
            return not_there(s, i, err);
        }
        rows[i] = (uint32_t)*row;
        s->inside[*row] = true;
    }
    return WINNOW_OK;
}

static void measure_pool(struct selector *s)
{
    double all = 0, used = 0;
    for (size_t i = 0; i < s->pool.head->rows; i++) {
        all += s->pool.rows[i].tokens;
        used += !s->inside || s->inside[i] ? s->pool.rows[i].tokens : 0;
    }
    s->used = all > 0 ? used / all : 0;
}

static void make_bare(struct selector *s, const struct selector_item *items, size_t count)
{
    mem_free(s->bare);
    s->bare_head = (struct store_head){.parts = 1, .dim = 1, .rows = count};
    s->bare = mem_zalloc((count + 1) * sizeof *s->bare);
    for (size_t i = 0; i < count; i++) {
        s->bare[i].id = items[i].id;
    }
    s->bare_store = (struct store){.head = &s->bare_head, .rows = s->bare};
}

/* A number of documents is, of a part of the corpus, the same share of that part. */
static winnow_status find_budget(struct selector *s, const struct winnow_select_options *o,
                                 size_t count, struct winnow_error *err)
{
    size_t all = s->has_pool ? s->pool.head->rows : count;
    TRY(budget_read(o->budget, all, &s->budget, err));
    if (count < all) {
        s->budget = (size_t)((double)s->budget * (double)count / (double)all + 0.5);
        s->budget = s->budget > 0 ? s->budget : 1;
    }
    return WINNOW_OK;
}

/* How many examples the targets have is known by now. */
static winnow_status need_room(const struct selector *s, const struct winnow_select_options *o,
                               struct winnow_error *err)
{
    uint64_t width = (uint64_t)s->pool.head->parts * s->pool.head->dim;
    return memory_need(s->home.env->memory_max, "select",
                       mem_resident() + s->examples * width * sizeof(float) +
                           select_choice_bytes(o, s->pool.head, s->budget),
                       "lower --budget, or make vectors of a smaller --dim", err);
}

struct choice_problem select_selector_problem(const struct selector *s,
                                              const struct winnow_select_options *o)
{
    return (struct choice_problem){.opt = o,
                                   .pool = s->has_pool ? &s->pool : &s->bare_store,
                                   .scores = s->scores,
                                   .inside = s->inside,
                                   .targets = s->targets,
                                   .target_count = s->target_count,
                                   .budget = s->budget,
                                   .threads = s->home.pool,
                                   .k = s->kernels,
                                   .env = s->home.env};
}

/* Documents that share a row are chosen together. */
static void mark_kept(const struct selector *s, const uint32_t *rows, size_t count,
                      struct selector_item *items)
{
    size_t all = s->has_pool ? s->pool.head->rows : count;
    uint32_t *picked = mem_zalloc((all + 1) * sizeof *picked); /* number of its pick, from 1 */
    for (size_t i = 0; i < s->choice.count; i++) {
        picked[s->choice.picks[i].row] = (uint32_t)i + 1;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t pick = picked[rows ? rows[i] : i];
        items[i].kept = pick > 0;
        items[i].weight = pick > 0 ? (float)s->choice.picks[pick - 1].weight : 0;
    }
    mem_free(picked);
}

static winnow_status choose_among(struct selector *s, const struct winnow_select_options *o,
                                  struct selector_item *items, size_t count, uint32_t *rows,
                                  struct winnow_error *err)
{
    TRY(find_budget(s, o, count, err));
    if (s->has_pool) {
        TRY(find_rows(s, items, count, rows, err));
        TRY(need_room(s, o, err));
        measure_pool(s);
    } else {
        make_bare(s, items, count);
    }
    mem_free(s->scores);
    s->scores = NULL;
    if (select_by_scores(o)) { /* without vectors: an item is a row */
        s->scores = mem_alloc((count + 1) * sizeof *s->scores);
        for (size_t i = 0; i < count; i++) {
            s->scores[i] = items[i].score;
        }
    }
    choice_release(&s->choice);
    const struct choice_problem p = select_selector_problem(s, o);
    TRY(choose(&p, &s->choice, err));
    mark_kept(s, s->has_pool ? rows : NULL, count, items);
    return WINNOW_OK;
}

static winnow_status choose_items(struct selector *s, const void *options,
                                  struct selector_item *items, size_t count, size_t groups,
                                  struct winnow_error *err)
{
    (void)groups;
    uint32_t *rows = mem_try_alloc((count + 1) * sizeof *rows);
    if (!rows) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the rows of %zu documents", count);
    }
    winnow_status st = choose_among(s, options, items, count, rows, err);
    mem_free(rows);
    return st;
}

const struct selector_kind SELECT_SELECTOR = {.name = "select",
                                              .table = &SELECT_TABLE,
                                              .check = check,
                                              .traits = traits,
                                              .open = open_selector,
                                              .close = close_selector,
                                              .prepare = prepare,
                                              .cost = cost,
                                              .choose = choose_items};

/* ---- for the stage ---- */

const struct store *select_selector_pool(const struct selector *s)
{
    return s->has_pool ? &s->pool : NULL;
}

const struct choice_target *select_selector_target(const struct selector *s, size_t i)
{
    return i < s->target_count ? &s->targets[i] : NULL;
}

uint64_t select_selector_leaks(const struct selector *s, uint64_t *examples)
{
    *examples = s->examples;
    return s->leaks;
}

const struct choice *select_selector_choice(const struct selector *s)
{
    return &s->choice;
}

size_t select_selector_budget(const struct selector *s)
{
    return s->budget;
}
