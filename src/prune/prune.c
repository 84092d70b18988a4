/* prune.c -- the stage `prune`, the method of "Perplexed by Perplexity"
 * (Ankner et al. 2024):
 *
 *   1. survey     draw every document by the hash of its text; collect the
 *                 reference's part: the documents of least draw
 *   2. reference  train a small model on that part only
 *   3. score      mean NLL of every other document under it, as annotation
 *   4. band       rank the scores, keep the low, middle or high share
 *   5. verdicts   kept, removed, or aside where a document trained the reference
 *
 * With --reference-model step 2 and with --score-attribute steps 2 and 3 are
 * left out.  With --cross-fit the line of draws has two halves with a reference
 * each, and each scores the other's half. */
#include "prune/prune.h"

#include "winnow/prune.h"

#include "base/env.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "corpus/split.h"
#include "model/model_file.h"
#include "option/belongs.h"
#include "option/server_options.h"
#include "option/tables.h"
#include "prune/band_selector.h"
#include "prune/prune_attribute.h"
#include "prune/prune_estimate.h"
#include "prune/prune_groups.h"
#include "prune/prune_survey.h"
#include "prune/scoring.h"
#include "prune/server_scores.h"
#include "ranks/ranks.h"
#include "run/vanished.h"
#include "train/small_model.h"

#include <math.h>
#include <stdio.h>

#define SOURCE_BYTES  128U                 /* a name in the map */
#define PROGRAM_BYTES ((uint64_t)24 << 20) /* beside what is counted */

struct prune {
    struct stage *stage;
    const struct winnow_prune_options *opt; /* own, with the folder that --score-from means */
    const char *by;
    struct selector *selector;
    struct server_scores *served; /* with --url */
    pthread_mutex_t lock;
    struct survey survey;
    struct selector_item *items; /* by ordinal */
    size_t groups;
    struct prune_examples examples;
    char rule[32], score_name[32];
};

/* ---- memory ---- */

/* Of a document at the end: its row, score and rank, and what they are sorted by. */
#define DOCUMENT_BYTES (sizeof(struct survey_row) + sizeof(struct selector_item) + 2 * 24)

/* What the survey and the texts drawn by it hold. */
static uint64_t held_bytes(const struct prune *p)
{
    return p->survey.count * sizeof(struct survey_row) +
           (p->survey.sources.met.count + p->survey.groups.met.count) * SOURCE_BYTES +
           BAND_SELECTOR.held(p->selector);
}

static uint64_t growth(void *state)
{
    struct prune *p = state;
    (void)pthread_mutex_lock(&p->lock);
    uint64_t bytes = held_bytes(p);
    (void)pthread_mutex_unlock(&p->lock);
    return bytes;
}

/* With the lock held: how many documents there are is known when they are read. */
static winnow_status check_room(const struct prune *p, struct winnow_error *err)
{
    uint64_t rows = p->survey.count * (DOCUMENT_BYTES - sizeof(struct survey_row));
    return memory_need(stage_env(p->stage)->memory_max, "prune of as many documents",
                       held_bytes(p) + rows + STAGE_MEMORY_LEAST,
                       "take the first with --limit, or lower --reference-tokens", err);
}

/* What a reference takes before there is one: its texts, its training. */
static winnow_status need_reference(const struct winnow_prune_options *o,
                                    const struct stage_plan *plan, struct winnow_error *err)
{
    const struct model_config c = small_model_shape(&o->model);
    const struct least_draws t = reference_texts_for(o);
    uint64_t texts = (t.bytes_max < plan->input_bytes ? t.bytes_max : plan->input_bytes);
    uint64_t trained = small_model_memory(&o->model, &c, plan->threads);
    TRY(memory_need(plan->memory_max, "prune with a reference of its own",
                    (o->cross_fit ? 2 : 1) * texts + trained + PROGRAM_BYTES,
                    "lower --reference-tokens, --dim or --layers, or use fewer threads (-t)", err));
    return scoring_need_memory(&c, o->model.compute, plan->threads, plan->memory_max, "prune", err);
}

/* ---- 1. survey ---- */

static winnow_status survey_document(void *state, void *worker, const struct document *d,
                                     struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    (void)r;
    struct prune *p = state;
    struct selector_document at = {
        .ordinal = d->ordinal, .key = split_key(d->text), .text = d->text};
    selector_place(&at, stage_env(p->stage)->seed);
    (void)pthread_mutex_lock(&p->lock);
    survey_add(&p->survey, d, &at);
    if (p->by) {
        prune_group_document(&p->survey, p->by, d);
    }
    BAND_SELECTOR.offer(p->selector, &at);
    winnow_status st = check_room(p, err);
    (void)pthread_mutex_unlock(&p->lock);
    return st;
}

static winnow_status run_survey(struct prune *p, struct winnow_error *err)
{
    const struct stage_pass pass = {
        .name = "survey", .state = p, .document = survey_document, .growth = growth};
    TRY(stage_run_pass(p->stage, &pass, err));
    if (p->by && strcmp(p->by, PRUNE_BY_CLUSTER) == 0) {
        TRY(prune_group_clusters(p->stage, p->opt, &p->survey, err));
    }
    survey_finish(&p->survey);
    if (p->by) {
        TRY(prune_groups_check(&p->survey, p->by, err));
    }
    return p->survey.documents > 0
               ? WINNOW_OK
               : error_set(err, WINNOW_E_FORMAT, "there is no document to prune");
}

/* ---- 2. reference ---- */

static struct selector_document surveyed(const struct prune *p, uint64_t ordinal, struct str text)
{
    const struct survey_row *row = &p->survey.rows[ordinal];
    return (struct selector_document){
        .ordinal = ordinal, .draw = row->draw, .upper = row->upper, .text = text};
}

/* Of several ranks one trains, and the others load what it has left. */
static winnow_status prepare(struct prune *p, struct winnow_error *err)
{
    bool leads = stage_leads(p->stage);
    winnow_status st = leads ? BAND_SELECTOR.prepare(p->selector, err) : WINNOW_OK;
    TRY(ranks_agree(stage_ranks(p->stage), st, err));
    return leads ? WINNOW_OK : BAND_SELECTOR.prepare(p->selector, err);
}

static winnow_status get_references(struct prune *p, struct winnow_error *err)
{
    TRY(prepare(p, err));
    for (size_t i = 0; i < p->survey.count; i++) {
        struct survey_row *row = &p->survey.rows[i];
        const struct selector_document d = surveyed(p, i, STR_LIT(""));
        if (row->role == SURVEY_POOL && BAND_SELECTOR.spent(p->selector, &d)) {
            row->role = SURVEY_REFERENCE;
        }
    }
    return WINNOW_OK;
}

/* ---- 3. score ---- */

static void *score_worker_new(void *state)
{
    return BAND_SELECTOR.worker_new(((struct prune *)state)->selector);
}

static winnow_status score_document(void *state, void *worker, const struct document *d,
                                    struct stage_result *r, struct winnow_error *err)
{
    struct prune *p = state;
    if (p->survey.rows[d->ordinal].role == SURVEY_REFERENCE) {
        return WINNOW_OK;
    }
    const struct selector_document at = surveyed(p, d->ordinal, d->text);
    struct selector_score score;
    TRY(BAND_SELECTOR.score(worker, &at, &score, err));
    const struct document_nll nll = {.mean = score.value, .tokens = score.tokens};
    scoring_attributes(d->text, &nll, &r->attributes[0]);
    return WINNOW_OK;
}

static struct server_scores_options served_options(const struct winnow_prune_options *opt)
{
    return (struct server_scores_options){
        .server = &opt->server,
        .tokenizer = opt->tokenizer,
        .shape = {opt->window, opt->stride, opt->fixed_length},
    };
}

static winnow_status run_scoring(struct prune *p, struct winnow_error *err)
{
    static const char *const names[] = {"nll", NULL};
    if (p->opt->server.url) {
        const struct server_scores_options served = served_options(p->opt);
        return server_scores_run(p->stage, &served, names[0], false, &p->served, err);
    }
    const struct stage_pass pass = {.name = "score",
                                    .apart = true,
                                    .attributes = names,
                                    .state = p,
                                    .worker_new = score_worker_new,
                                    .worker_free = BAND_SELECTOR.worker_free,
                                    .document = score_document,
                                    .word_bytes = 64,
                                    .worker_bytes = band_selector_worker_bytes(p->selector)};
    return stage_run_pass(p->stage, &pass, err);
}

/* ---- 4. band ---- */

static winnow_status take_score(void *ctx, uint64_t ordinal, struct str id,
                                struct json_value attributes, struct winnow_error *err)
{
    (void)id;
    struct prune *p = ctx;
    if (ordinal >= p->survey.count) {
        return error_set(err, WINNOW_E_INTERNAL, "a score for a document that was not surveyed");
    }
    p->items[ordinal].score = attribute_score(attributes, "winnow__nll");
    return WINNOW_OK;
}

/* Documents without a score are removed; where that would be all of them, the scores
 * are not what they were taken for. */
static winnow_status check_scores(const struct prune *p, struct winnow_error *err)
{
    uint64_t pool = 0, scored = 0;
    for (size_t i = 0; i < p->survey.count; i++) {
        pool += p->survey.rows[i].role == SURVEY_POOL;
        scored += isnan(p->items[i].score) ? 0 : 1;
    }
    if (pool > 0 && scored == 0 && p->opt->score_attribute) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s holds no %s of any of the %llu documents: --score-attribute "
                         "wants a folder that score or quality wrote (attributes/NAME)",
                         p->opt->score_attribute, p->opt->score_name, (unsigned long long)pool);
    }
    if (pool > 0 && scored == 0) {
        const char *model = p->opt->reference_model;
        return error_set(err, WINNOW_E_FORMAT,
                         "%s%s gives none of the %llu documents a score: they have no text, or its "
                         "numbers overflow",
                         model ? "the model " : "the reference model that was trained here",
                         model ? model : "", (unsigned long long)pool);
    }
    if (scored < pool) {
        env_log(stage_env(p->stage), WINNOW_LOG_WARNING,
                "%llu of %llu documents have no finite score and are removed as prune.no_score",
                (unsigned long long)(pool - scored), (unsigned long long)pool);
    }
    return WINNOW_OK;
}

static winnow_status cut_band(struct prune *p, struct winnow_error *err)
{
    const struct survey *s = &p->survey;
    p->items = mem_try_alloc((s->count + 1) * sizeof *p->items);
    p->groups = p->by ? s->groups.met.count : 1;
    if (!p->items) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the scores of %zu documents",
                         s->count);
    }
    for (size_t i = 0; i < s->count; i++) {
        p->items[i] = (struct selector_item){
            .score = (double)NAN, .key = s->rows[i].id_hash, .group = s->rows[i].group};
    }
    if (p->opt->score_attribute) {
        const struct attribute_wanted want = {p->opt->score_attribute, p->opt->score_name,
                                              p->opt->score_from != NULL};
        TRY(attribute_read(&want, s, p->items, err));
    } else {
        TRY(stage_each_attribute(p->stage, "nll", take_score, p, err));
    }
    for (size_t i = 0; i < s->count; i++) {
        if (s->rows[i].role != SURVEY_POOL) {
            p->items[i].score = (double)NAN;
        }
    }
    TRY(check_scores(p, err));
    return BAND_SELECTOR.choose(p->selector, p->opt, p->items, s->count, p->groups, err);
}

/* ---- prune.json ---- */

static winnow_status take_example(void *state, void *worker, const struct document *d,
                                  struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    (void)r;
    (void)err;
    struct prune *p = state;
    for (size_t i = 0; i < p->examples.count; i++) {
        struct prune_example *e = &p->examples.items[i];
        if (e->ordinal == d->ordinal) { /* one document, one thread: no lock */
            size_t n = 0;
            for (int points = 0; n < d->text.len && points < 400; points++) {
                for (n++; n < d->text.len && utf8_continues(d->text.ptr[n]);) {
                    n++;
                }
            }
            struct buf id = {0}, text = {0};
            buf_add_str(&id, d->id);
            buf_add(&text, d->text.ptr, n);
            e->id = mem_strdup(buf_cstr(&id));
            e->text = mem_strdup(buf_cstr(&text));
            buf_release(&id);
            buf_release(&text);
        }
    }
    return WINNOW_OK;
}

static void write_references(const struct prune *p, struct json_writer *w)
{
    const struct reference *references;
    size_t count = band_selector_references(p->selector, &references);
    json_member_open(w, "reference", '[');
    for (size_t i = 0; i < count; i++) {
        const struct reference *r = &references[i];
        json_open(w, '{');
        json_member_u64(w, "side", i);
        json_member_u64(w, "documents", r->documents);
        json_member_u64(w, "tokens", r->tokens);
        json_member_u64(w, "parameters", r->parameters);
        json_member_double(w, "loss", r->loss);
        json_member_bool(w, "learnt_little", r->learnt_little);
        json_member_text(w, "folder", r->folder);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* For sentences: "by ...". */
static void write_scorer(const struct prune *p, struct json_writer *w)
{
    struct buf by = {0};
    if (p->opt->score_attribute) {
        buf_addf(&by, "the scores in %s", p->opt->score_attribute);
    } else if (p->served) {
        buf_addf(&by, "the served model %s", server_scores_model(p->served));
    } else if (p->opt->reference_model) {
        buf_addf(&by, "the model %s", p->opt->reference_model);
    } else {
        buf_add_text(&by, p->opt->cross_fit ? "the reference trained on the other half"
                                            : "the reference trained for it");
    }
    json_member_str(w, "scored_by", buf_str(&by));
    buf_release(&by);
}

static void write_counts(const struct prune *p, struct json_writer *w)
{
    uint64_t reference = 0, pool = 0, kept = 0;
    for (size_t i = 0; i < p->survey.count; i++) {
        reference += p->survey.rows[i].role == SURVEY_REFERENCE;
        pool += isnan(p->items[i].score) ? 0 : 1;
        kept += p->items[i].kept;
    }
    json_member_open(w, "documents", '{');
    json_member_u64(w, "in", p->survey.documents);
    json_member_u64(w, "reference", reference);
    json_member_u64(w, "pool", pool);
    json_member_u64(w, "kept", kept);
    json_close(w, '}');
}

static double reference_flops(const struct prune *p)
{
    struct selector_cost cost;
    BAND_SELECTOR.cost(p->selector, &cost);
    return cost.preparing;
}

/* FLOPs of scoring from what was scored, not from what this process did: a
 * resumed run says the same. */
static double scoring_flops(const struct prune *p)
{
    if (p->opt->score_attribute || p->served) { /* what a server spends is not known */
        return 0;
    }
    uint32_t window, stride;
    const struct model *m = band_selector_model(p->selector, &window, &stride);
    double flops = 0;
    for (size_t i = 0; m && i < p->survey.count; i++) {
        if (isnan(p->items[i].score)) {
            continue;
        }
        /* about 3.5 bytes a token */
        uint64_t tokens = (uint64_t)((double)p->survey.rows[i].bytes / 3.5) + 1;
        uint32_t most = p->opt->fixed_length;
        tokens = most > 0 && tokens > most ? most : tokens;
        uint64_t sequence = tokens < window ? tokens : window;
        double reads = tokens <= window ? 1 : 1 + (double)(tokens - window) / (double)stride;
        flops += reads * model_config_flops(model_config(m), sequence);
    }
    return flops;
}

static winnow_status write_json(struct prune *p, const char *path, struct winnow_error *err)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    json_open(&w, '{');
    json_member_u64(&w, "winnow_prune", 1);
    json_member_text(&w, "criterion", CRITERION_NAMES[p->opt->criterion]);
    json_member_double(&w, "rate", p->opt->rate);
    json_member_text(&w, "score", p->score_name);
    json_member_text(&w, "score_attribute",
                     p->opt->score_attribute ? p->opt->score_name : "winnow__nll");
    write_scorer(p, &w);
    json_member_text(&w, "by", p->by ? p->by : "");
    write_counts(p, &w);
    write_references(p, &w);
    winnow_status st = prune_write_distribution(
        &p->survey, p->items, band_selector_edges(p->selector), p->groups, &p->examples, &w, err);
    json_member_open(&w, "cost", '{');
    json_member_double(&w, "reference_flops", reference_flops(p));
    json_member_double(&w, "scoring_flops", scoring_flops(p));
    json_close(&w, '}');
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    if (st == WINNOW_OK) {
        st = file_write_atomic(path, buf_str(&text), err);
    }
    buf_release(&text);
    return st;
}

static winnow_status describe(struct prune *p, struct winnow_error *err)
{
    struct buf path = {0};
    const char *file = file_join(&path, stage_folder(p->stage), "prune.json");
    stage_owns(p->stage, "prune.json");
    winnow_status st = WINNOW_OK;
    if (stage_leads(p->stage) && !file_exists(file)) {
        const struct stage_pass pass = {.name = "examples", .state = p, .document = take_example};
        st = prune_examples_choose(&p->examples, p->items, p->survey.count,
                                   band_selector_edges(p->selector), err);
        if (st == WINNOW_OK) {
            st = stage_run_pass(p->stage, &pass, err);
        }
        if (st == WINNOW_OK) {
            st = write_json(p, file, err);
        }
    }
    buf_release(&path);
    return st;
}

/* ---- 5. verdicts ---- */

static winnow_status judge(void *state, void *worker, const struct document *d,
                           struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    (void)err;
    struct prune *p = state;
    const struct selector_item *item = &p->items[d->ordinal];
    if (p->survey.rows[d->ordinal].role == SURVEY_REFERENCE) {
        r->verdict = STAGE_ASIDE;
        r->rule = "reference";
        return WINNOW_OK;
    }
    r->score = item->score;
    if (item->kept) {
        return WINNOW_OK;
    }
    const struct band_edges *e = &band_selector_edges(p->selector)[item->group];
    r->verdict = STAGE_REMOVE;
    r->rule = isnan(item->score) ? "prune.no_score" : p->rule;
    if (!isnan(item->score)) { /* the edge it fell off */
        r->threshold = item->score < e->low || p->opt->criterion == WINNOW_HIGH ? e->low : e->high;
    }
    return WINNOW_OK;
}

/* Of groups that have a band each none vanishes by its scores; of others, and of documents
 * without scores, it is said. */
static void warn_vanished(const struct prune *p)
{
    struct vanished v = {.what = "group"};
    uint64_t(*sums)[2] = mem_zalloc((p->groups + 1) * sizeof *sums);
    for (size_t i = 0; i < p->survey.count; i++) {
        const struct survey_row *row = &p->survey.rows[i];
        if (row->role == SURVEY_POOL) {
            sums[row->group][0]++;
            sums[row->group][1] += p->items[i].kept;
        }
    }
    for (uint32_t g = 0; p->by && g < p->groups; g++) {
        vanished_look(&v, survey_group_name(&p->survey, g), sums[g][0], sums[g][1]);
    }
    vanished_warn(&v, stage_env(p->stage), "prune");
    mem_free(sums);
}

static winnow_status run_steps(struct prune *p, struct winnow_error *err)
{
    TRY(run_survey(p, err));
    if (!p->opt->score_attribute) {
        TRY(get_references(p, err));
        TRY(run_scoring(p, err));
    }
    TRY(cut_band(p, err));
    TRY(describe(p, err));
    if (p->by && strcmp(p->by, "source") != 0) { /* sources are looked at behind every stage */
        warn_vanished(p);
    }
    const struct band_edges *edges = band_selector_edges(p->selector);
    stage_note_double(p->stage, "edge_low", edges[0].low);
    stage_note_double(p->stage, "edge_high", edges[0].high);
    stage_note_double(p->stage, "flops", reference_flops(p) + scoring_flops(p));
    const struct stage_pass pass = {
        .name = "prune", .verdicts = true, .apart = true, .state = p, .document = judge};
    return stage_run_pass(p->stage, &pass, err);
}

/* Where --score-from lies, and how the score is called there. */
static winnow_status find_scores(struct stage *s, struct winnow_prune_options *o, struct buf *path,
                                 struct buf *name, struct winnow_error *err)
{
    if (!o->score_from) {
        return WINNOW_OK;
    }
    bool nll = strcmp(o->score_from, "score") == 0;
    const char *folder = nll ? "nll" : o->score_from;
    o->score_attribute = stage_earlier_attributes(s, o->score_from, folder, path);
    if (!o->score_attribute) {
        return error_set(err, WINNOW_E_USAGE,
                         "--score-from %s wants a stage %s before prune in the recipe",
                         o->score_from, o->score_from);
    }
    if (strcmp(o->score_name, WINNOW_PRUNE_OPTIONS_INIT.score_name) == 0) {
        buf_addf(name, "winnow__%s", folder);
        o->score_name = buf_cstr(name);
    }
    return WINNOW_OK;
}

static winnow_status prune_stage(struct stage *s, const struct winnow_prune_options *opt,
                                 struct winnow_error *err)
{
    struct buf folder = {0};
    (void)stage_path(s, "", &folder);
    folder.len--; /* the slash */
    const struct selector_home home = {
        .env = stage_env(s), .pool = stage_pool(s), .folder = buf_cstr(&folder)};
    struct prune p = {
        .stage = s, .opt = opt, .by = prune_by(opt), .selector = BAND_SELECTOR.open(opt, &home)};
    (void)snprintf(p.rule, sizeof p.rule, "prune.%s", CRITERION_NAMES[opt->criterion]);
    (void)snprintf(p.score_name, sizeof p.score_name, opt->fixed_length > 0 ? "nll@%u" : "nll",
                   opt->fixed_length);
    (void)pthread_mutex_init(&p.lock, NULL);
    winnow_status st = run_steps(&p, err);
    BAND_SELECTOR.close(p.selector);
    server_scores_close(p.served);
    prune_examples_release(&p.examples);
    survey_release(&p.survey);
    mem_free(p.items);
    buf_release(&folder);
    (void)pthread_mutex_destroy(&p.lock);
    return st;
}

static winnow_status run_prune(struct stage *s, const void *options, struct winnow_error *err)
{
    struct winnow_prune_options own = *(const struct winnow_prune_options *)options;
    struct buf path = {0}, name = {0};
    winnow_status st = find_scores(s, &own, &path, &name, err);
    st = st == WINNOW_OK ? prune_stage(s, &own, err) : st;
    buf_release(&path);
    buf_release(&name);
    return st;
}

static winnow_status check_prune(const void *options, const struct stage_plan *plan,
                                 struct winnow_error *err)
{
    const struct winnow_prune_options *o = options;
    static const char *const SERVED[] = {SERVER_SCORES_NAMES, NULL};
    struct model_config config;
    TRY(BAND_SELECTOR.check(o, err));
    if (o->server.url) {
        const struct server_scores_options served = served_options(o);
        return server_scores_check(&served, plan->env, err);
    }
    TRY(option_belong(&PRUNE_TABLE, o, SERVED, "--url", err));
    if (o->score_from) {
        return WINNOW_OK;
    }
    if (o->score_attribute) {
        return file_exists(o->score_attribute)
                   ? WINNOW_OK
                   : error_set(err, WINNOW_E_IO, "--score-attribute %s does not exist",
                               o->score_attribute);
    }
    if (o->reference_model) {
        TRY(model_load_config(o->reference_model, &config, err));
        return scoring_need_memory(&config, o->model.compute, plan->threads, plan->memory_max,
                                   "prune", err);
    }
    return need_reference(o, plan, err);
}

/* A server is asked by one process, in the order of the documents. */
static bool over_ranks(const void *options)
{
    return !((const struct winnow_prune_options *)options)->server.url;
}

const struct stage_kind PRUNE_STAGE = {.table = &PRUNE_TABLE,
                                       .check = check_prune,
                                       .estimate = prune_estimate,
                                       .estimate_only = prune_is_dear,
                                       .run = run_prune,
                                       .over_ranks = over_ranks,
                                       .many_passes = true,
                                       .uses_kernels = true};
