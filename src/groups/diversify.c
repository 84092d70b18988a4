/* diversify.c -- the stage `diversify`:
 *
 *   1. survey    the documents in order
 *   2. vectors   given, or made: hashed n-grams, or a model's hidden states
 *   3. clusters  spherical k-means; near-copies or densities where the method asks for them
 *   4. choice    which stay
 *   5. names     words of the clusters, and how even the corpus is over them
 *   6. verdicts
 *
 * docs/diversify.md is the manual. */
#include "groups/diversify.h"

#include "base/env.h"
#include "base/mem.h"
#include "groups/diversify_internal.h"
#include "math/kernels.h"
#include "model/model_file.h"
#include "option/belongs.h"
#include "option/budget.h"
#include "option/tables.h"
#include "vectors/features.h"

#include <math.h>

#define PROGRAM_BYTES ((uint64_t)24 << 20)
#define NGRAMS_DIM    512U

/* ---- before anything runs ---- */

/* What another method reads is not passed over in silence. */
static winnow_status check_method(const struct winnow_diversify_options *o,
                                  struct winnow_error *err)
{
    static const char *const OF_SEMDEDUP[] = {"eps", NULL};
    static const char *const OF_BOTH[] = {"keep", NULL};
    static const char *const OF_D4[] = {"dedup", NULL};
    static const char *const OF_BALANCED[] = {"even", NULL};
    const struct option_table *table = &DIVERSIFY_TABLE;
    bool semdedup = o->method == WINNOW_DIVERSIFY_SEMDEDUP, d4 = o->method == WINNOW_DIVERSIFY_D4;
    if (!semdedup) {
        TRY(option_belong(table, o, OF_SEMDEDUP, "--method semdedup", err));
    }
    if (!semdedup && !d4) {
        TRY(option_belong(table, o, OF_BOTH, "--method semdedup or d4", err));
    }
    if (!d4) {
        TRY(option_belong(table, o, OF_D4, "--method d4", err));
    }
    return o->method == WINNOW_DIVERSIFY_BALANCED
               ? WINNOW_OK
               : option_belong(table, o, OF_BALANCED, "--method balanced", err);
}

static winnow_status check_choice(const struct winnow_diversify_options *o,
                                  struct winnow_error *err)
{
    size_t unused;
    if (o->budget) {
        TRY(budget_read(o->budget, 0, &unused, err));
    }
    if (o->budget && o->method == WINNOW_DIVERSIFY_NONE) {
        return error_set(err, WINNOW_E_USAGE,
                         "--method none keeps all documents: leave out --budget, or name a method");
    }
    if (o->features && o->model) {
        return error_set(err, WINNOW_E_USAGE, "--features are vectors already: leave out --model");
    }
    return check_method(o, err);
}

/* Of a store that is there all is known; of others the documents are estimated. */
static winnow_status check_room(const struct winnow_diversify_options *o,
                                const struct stage_plan *plan, struct winnow_error *err)
{
    uint64_t documents = plan->documents, dim = o->dim > 0 ? o->dim : NGRAMS_DIM;
    uint32_t threads = plan->threads > 0 ? plan->threads : pool_processors();
    if (o->features) {
        struct store s;
        TRY(store_open(o->features, &s, err));
        documents = s.head->rows;
        dim = (uint64_t)s.head->parts * s.head->dim;
        store_close(&s);
    }
    return memory_need(plan->memory_max, "diversify",
                       STAGE_MEMORY_LEAST + PROGRAM_BYTES +
                           diversify_bytes(o, documents, dim, threads),
                       "lower --sample, --clusters or --dim, or use fewer threads (-t)", err);
}

static winnow_status check_diversify(const void *options, const struct stage_plan *plan,
                                     struct winnow_error *err)
{
    const struct winnow_diversify_options *o = options;
    TRY(check_choice(o, err));
    if (o->model) {
        struct winnow_features_options f = WINNOW_FEATURES_OPTIONS_INIT;
        f.vectors = WINNOW_HIDDEN_STATES;
        f.models = (struct winnow_list){&o->model, 1};
        struct model_config config;
        TRY(features_check(&f, err));
        TRY(model_load_config(o->model, &config, err));
    }
    return check_room(o, plan, err);
}

static void estimate_diversify(const void *options, const struct stage_plan *plan,
                               struct stage_estimate *out)
{
    const struct winnow_diversify_options *o = options;
    uint32_t threads = plan->threads > 0 ? plan->threads : pool_processors();
    out->memory = diversify_bytes(o, plan->documents, o->dim > 0 ? o->dim : NGRAMS_DIM, threads);
}

/* ---- verdicts ---- */

static double product(const struct diversify *d, uint32_t a, uint32_t b)
{
    const struct group_rows rows = diversify_rows(d);
    float *x = mem_alloc(rows.dim * sizeof *x);
    float dot;
    group_row_widen(&rows, a, x);
    d->home.k->dots_bf16(&dot, group_row(&rows, b), x, rows.dim, 1, rows.dim);
    mem_free(x);
    return (double)dot;
}

static void judge_near_copy(const struct diversify *d, uint32_t place, struct stage_result *r)
{
    uint32_t root = diversify_root(d, place);
    r->verdict = STAGE_REMOVE;
    r->rule = "diversify.near_copy";
    r->score = (double)d->alike.cosine[place];
    r->threshold = d->limit;
    buf_add_text(&r->detail, d->fate[root] == ROW_KEPT ? ",\"kept\":" : ",\"near\":");
    json_quote(&r->detail, diversify_id(d, root));
    buf_addf(&r->detail, ",\"similarity\":%.4f", product(d, place, root));
}

static void note_scores(const struct diversify *d, uint32_t place, struct str text, struct buf *out)
{
    stage_add_score(out, DIVERSIFY_CLUSTER, text, (double)d->cluster[place]);
    stage_add_score(out, "winnow__cluster_distance", text, 1 - (double)d->cosine[place]);
    if (d->alike.cosine) {
        stage_add_score(out, "winnow__alike", text, (double)d->alike.cosine[place]);
    }
    if (d->density) {
        stage_add_score(out, "winnow__density", text, (double)d->density[place]);
    }
}

static winnow_status judge(void *state, void *worker, const struct document *document,
                           struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    (void)err;
    const struct diversify *d = state;
    uint32_t place = d->place_of[d->rows.row_of[document->ordinal]];
    if (place == NO_PLACE) {
        r->verdict = d->has_budget ? STAGE_REMOVE : STAGE_KEEP;
        r->rule = "diversify.no_vector";
        return WINNOW_OK;
    }
    note_scores(d, place, document->text, &r->attributes[0]);
    buf_addf(&r->detail, "\"cluster\":%u", d->cluster[place]);
    switch (d->fate[place]) {
    case ROW_NEAR_COPY:
        judge_near_copy(d, place, r);
        break;
    case ROW_PROTOTYPE:
        r->verdict = STAGE_REMOVE;
        r->rule = "diversify.prototype";
        break;
    case ROW_NOT_DRAWN:
        r->verdict = STAGE_REMOVE;
        r->rule = "diversify.not_drawn";
        break;
    default:
        break;
    }
    if (d->density) {
        r->score = (double)d->density[place];
    }
    return WINNOW_OK;
}

/* ---- the stage ---- */

static winnow_status run_steps(struct diversify *d, struct winnow_error *err)
{
    static const char *const NAMES[] = {DIVERSIFY_ATTRIBUTE, NULL};
    const struct winnow_env *env = stage_env(d->stage);
    TRY(kernels_pick(env->kernels, &d->home.k, err));
    TRY(corpus_rows_survey(&d->rows, d->stage, err));
    if (d->rows.documents == 0) {
        return error_set(err, WINNOW_E_FORMAT, "there is no document to choose from");
    }
    TRY(diversify_find(d, err));
    TRY(diversify_choose(d, err));
    TRY(diversify_describe(d, err));
    if (d->pool.forget) { /* what follows needs few of its rows */
        file_map_forget(d->pool.map.bytes);
    }
    const struct stage_pass pass = {
        .name = "diversify", .verdicts = true, .attributes = NAMES, .state = d, .document = judge};
    return stage_run_pass(d->stage, &pass, err);
}

static winnow_status run_diversify(struct stage *stage, const void *options,
                                   struct winnow_error *err)
{
    struct diversify *d = mem_zalloc(sizeof *d);
    d->stage = stage;
    d->opt = options;
    d->home = (struct kmeans_home){.pool = stage_pool(stage), .env = stage_env(stage)};
    corpus_rows_init(&d->rows);
    arena_init(&d->keep, 4096);
    winnow_status st = run_steps(d, err);
    kmeans_release(&d->means);
    alike_release(&d->alike);
    file_map_close(&d->ids);
    store_close(&d->pool);
    corpus_rows_release(&d->rows);
    buf_release(&d->own);
    arena_release(&d->keep);
    mem_free(d->which);
    mem_free(d->place_of);
    mem_free(d->cluster);
    mem_free(d->cosine);
    mem_free(d->density);
    mem_free(d->draws);
    mem_free(d->fate);
    mem_free(d);
    return st;
}

const struct stage_kind DIVERSIFY_STAGE = {.table = &DIVERSIFY_TABLE,
                                           .check = check_diversify,
                                           .estimate = estimate_diversify,
                                           .run = run_diversify,
                                           .many_passes = true,
                                           .uses_kernels = true};
