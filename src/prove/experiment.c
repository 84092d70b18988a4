/* experiment.c -- arms from their names, corpora from paths. */
#include "prove/experiment.h"

#include "winnow/prune.h"

#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "prove/arm_sources.h"
#include "prove/preparation.h"
#include "prune/band_selector.h"
#include "run/command_key.h"
#include "select/select_selector.h"

#include <math.h>

const char *const ARM_KIND_NAMES[] = {"corpus", "band", "random", "matched", "without", NULL};

#define DRAW_BYTES       64U                  /* of a draw and a selection, a document */
#define WEIGHT_BYTES     8U                   /* in both, where an arm uses weights */
#define JOB_BESIDE       ((uint64_t)2 << 20)  /* a thread, its heap, what it writes */
#define PROGRAM_BYTES    ((uint64_t)24 << 20) /* beside what is counted */
#define NAME_LONGEST     200U /* of an arm, bytes: ".json.winnow.tmp" is put behind */
#define TOKENIZER_SAMPLE ((uint64_t)32 << 20)

/* ---- the method that bands are cut by ---- */

/* Without a stage: `prune` with what it shares with the arms, and their tokenizer. */
static winnow_status find_method(struct experiment *x, const struct method *stage,
                                 struct winnow_error *err)
{
    const struct winnow_prove_options *o = x->opt;
    struct winnow_prune_options *plain = ARENA_NEW(&x->keep, struct winnow_prune_options, 1);
    *plain = WINNOW_PRUNE_OPTIONS_INIT;
    plain->rate = o->rate;
    plain->fixed_length = o->fixed_length;
    plain->document_tokens = o->document_tokens;
    plain->reference_tokens = o->reference_tokens > 0 ? o->reference_tokens : o->tokens;
    plain->reference_share_max = 0.9;
    plain->model = o->model;
    x->shipped = stage && stage->kind;
    x->method = x->shipped ? *stage : (struct method){&BAND_SELECTOR, plain};
    x->method.kind->traits(x->method.options, &x->traits);
    return x->method.kind->check(x->method.options, err);
}

/* Its options, and the content of the files that they name. */
static winnow_status find_method_key(struct experiment *x, struct winnow_error *err)
{
    struct prints *prints = prints_new((struct json_value){0}, x->env);
    char settings[33];
    const struct command_inputs in = {.table = x->method.kind->table, .options = x->method.options};
    winnow_status st = command_key(prints, &in, settings, x->method_key, err);
    prints_free(prints);
    return st;
}

/* ---- arms ---- */

static winnow_status set_of_path(struct experiment *x, const char *path, uint32_t *set,
                                 struct winnow_error *err)
{
    for (uint32_t i = 1; i < x->set_count; i++) {
        if (strcmp(x->paths[i], path) == 0) {
            *set = i;
            return WINNOW_OK;
        }
    }
    if (x->set_count > PROVE_ARMS_MAX) {
        return error_set(err, WINNOW_E_USAGE, "more than %d corpora", PROVE_ARMS_MAX);
    }
    *set = x->set_count;
    x->paths[x->set_count++] = path;
    return WINNOW_OK;
}

/* "medium", or "medium-by-source": the same of each source's own scores. */
static winnow_status band_of_name(struct experiment *x, const char *text, struct arm *a,
                                  struct winnow_error *err)
{
    static const char BY_SOURCE[] = "-by-source";
    bool bands = x->method.kind == &BAND_SELECTOR;
    for (uint32_t c = 0; bands && CRITERION_NAMES[c]; c++) {
        size_t n = strlen(CRITERION_NAMES[c]);
        bool by_source = strcmp(text + strnlen(text, n), BY_SOURCE) == 0;
        if (strncmp(CRITERION_NAMES[c], text, n) == 0 && (text[n] == 0 || by_source)) {
            struct winnow_prune_options *options =
                ARENA_NEW(&x->keep, struct winnow_prune_options, 1);
            *options = *(const struct winnow_prune_options *)x->method.options;
            options->criterion = (int)c;
            options->by_source = options->by_source || by_source;
            a->kind = ARM_BAND;
            a->options = options;
            x->has_bands = true;
            return WINNOW_OK;
        }
    }
    return error_set(
        err, WINNOW_E_USAGE,
        "there is no arm \"%s\"; arms are before, without:SOURCE, random, matched, %s, "
        "and NAME=PATH",
        arm_shown(&x->keep, str_of(text)),
        bands ? "low, medium, high, these three with -by-source behind"
              : "final (what select chooses under each seed)");
}

/* Names become file names. */
static winnow_status check_name(struct experiment *x, const char *name, struct winnow_error *err)
{
    const char *shown = arm_shown(&x->keep, str_of(name));
    if (strlen(name) > NAME_LONGEST) {
        return error_set(err, WINNOW_E_USAGE,
                         "the arm name \"%s\" has %zu bytes; files are called so, and names have "
                         "%u at most",
                         shown, strlen(name), NAME_LONGEST);
    }
    for (const char *c = name; *c; c++) {
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
              (c > name && strchr("-_.+:", *c)))) {
            return error_set(
                err, WINNOW_E_USAGE,
                "the arm name \"%s\" has a character other than letters, digits, - _ .", shown);
        }
    }
    for (uint32_t i = 0; i < x->arm_count; i++) {
        if (strcmp(x->arms[i].name, name) == 0) {
            return error_set(err, WINNOW_E_USAGE, "two arms are called \"%s\"", shown);
        }
    }
    return WINNOW_OK;
}

/* What an arm is that has no path. */
static winnow_status arm_of_name(struct experiment *x, const char *base, struct arm *a,
                                 struct winnow_error *err)
{
    if (strcmp(base, "before") == 0) {
        a->set = 0;
    } else if (arm_source_of(base)) {
        a->kind = ARM_WITHOUT;
        a->set = 0;
        a->without = str_of(arm_source_of(base));
        a->name = str_is(a->without, "*") ? a->name : arm_source_name(x, a->name);
    } else if (strcmp(base, "final") == 0 && x->method.kind == &SELECT_SELECTOR) {
        a->kind = ARM_BAND;
        a->options = x->method.options;
        x->has_bands = true;
    } else if (strcmp(base, "random") == 0 || strcmp(base, "matched") == 0) {
        a->kind = base[0] == 'r' ? ARM_RANDOM : ARM_MATCHED;
    } else {
        TRY(band_of_name(x, base, a, err));
    }
    return WINNOW_OK;
}

static winnow_status check_use(const struct experiment *x, const struct arm *a,
                               struct winnow_error *err)
{
    if (a->way.use == ARM_USE_SUPPORT) {
        return WINNOW_OK;
    }
    if (a->kind != ARM_BAND || !x->traits.weighs) {
        return error_set(err, WINNOW_E_USAGE,
                         "the arm \"%s\": only the arm final of a recipe that ends in select has "
                         "weights",
                         a->name);
    }
    const struct sampling_kind *kind = sampling_kind_of(&a->way.sampling);
    return kind->open ? error_set(err, WINNOW_E_USAGE,
                                  "the arm \"%s\": %s weighs or repeats documents itself; leave it "
                                  "or +%s out",
                                  a->name, kind->name, ARM_USE_NAMES[a->way.use])
                      : WINNOW_OK;
}

/* Arms yet to be made, once the sources are known. */
static bool is_wild(const struct arm *a)
{
    return a->kind == ARM_WITHOUT && str_is(a->without, "*");
}

static winnow_status add_arm(struct experiment *x, const char *text, struct winnow_error *err)
{
    struct arm *a = &x->arms[x->arm_count];
    *a = (struct arm){.name = text, .kind = ARM_CORPUS, .set = x->pool};
    const char *equals = strchr(text, '='), *base;
    bool path = equals && equals > text && equals[1] && !arm_source_of(text);
    if (path) {
        a->name = arena_strndup(&x->keep, text, (size_t)(equals - text));
        TRY(set_of_path(x, arena_strndup(&x->keep, equals + 1, strlen(equals + 1)), &a->set, err));
    }
    TRY(arm_way_read(a->name, &x->keep, &base, &a->way, err));
    if (!path) {
        TRY(arm_of_name(x, base, a, err));
    }
    if (!is_wild(a)) {
        TRY(check_name(x, a->name, err));
    }
    TRY(check_use(x, a, err));
    x->arm_count++;
    return WINNOW_OK;
}

static winnow_status find_baseline(struct experiment *x, struct winnow_error *err)
{
    const char *name = x->opt->baseline;
    for (uint32_t i = 0; name && i < x->arm_count; i++) {
        if (strcmp(x->arms[i].name, name) == 0 ||
            (x->arms[i].kind == ARM_WITHOUT &&
             strcmp(x->arms[i].name, arm_source_name(x, name)) == 0)) {
            x->baseline = i;
            return WINNOW_OK;
        }
    }
    return name ? error_set(err, WINNOW_E_USAGE, "--baseline: there is no arm \"%s\"",
                            arm_shown(&x->keep, str_of(name)))
                : WINNOW_OK;
}

/* A random arm is as large as one that was chosen: known from the names alone, and said before
 * anything is trained. */
static winnow_status check_random(const struct experiment *x, struct winnow_error *err)
{
    const struct arm *random = NULL, *matched = NULL;
    bool chosen = x->has_bands;
    for (uint32_t i = 0; i < x->arm_count; i++) {
        const struct arm *a = &x->arms[i];
        random = a->kind == ARM_RANDOM ? a : random;
        matched = a->kind == ARM_MATCHED ? a : matched;
        chosen = chosen || (a->kind == ARM_CORPUS && a->set != x->pool);
    }
    if (matched && !x->has_bands) { /* strata are counted over documents of one set */
        return error_set(err, WINNOW_E_USAGE, "the arm \"%s\" needs a band to match",
                         matched->name);
    }
    return random && !chosen
               ? error_set(err, WINNOW_E_USAGE,
                           "a random arm needs a selected one to be as large as: name a band or "
                           "NAME=PATH")
               : WINNOW_OK;
}

static winnow_status read_arms(struct experiment *x, struct winnow_error *err)
{
    static const char *const DEFAULT_ARMS[] = {"before", "medium", "random"};
    struct winnow_list arms = x->opt->arms;
    if (arms.count == 0) {
        arms = (struct winnow_list){DEFAULT_ARMS, 3};
    }
    if (arms.count < 2 || arms.count > PROVE_ARMS_MAX) {
        return error_set(err, WINNOW_E_USAGE, "a proof needs 2 to %d arms, not %zu", PROVE_ARMS_MAX,
                         arms.count);
    }
    x->set_count = 1;
    if (x->opt->pool) {
        TRY(set_of_path(x, x->opt->pool, &x->pool, err));
    }
    for (size_t i = 0; i < arms.count; i++) {
        TRY(add_arm(x, arms.items[i], err));
    }
    TRY(check_random(x, err));
    for (uint32_t i = 0; i < x->arm_count; i++) {
        if (is_wild(&x->arms[i])) {
            return WINNOW_OK; /* later */
        }
    }
    return find_baseline(x, err);
}

void arm_trainer(const struct experiment *x, uint32_t arm, struct trainer_options *out)
{
    small_model_trainer(&x->opt->model, x->steps, out);
    const struct arm_way *way = &x->arms[arm].way;
    sampling_trainer(&way->sampling, x->opt->model.batch_tokens, out);
    out->dropout = isnan(way->dropout) ? x->opt->dropout : way->dropout;
}

/* ---- corpora ---- */

struct tokenizer_texts {
    const struct experiment *x;
    const struct winnow_list *paths;
    const struct document_keys *keys;
};

static winnow_status make_tokenizer(void *ctx, struct tokenizer **out, struct winnow_error *err)
{
    const struct tokenizer_texts *t = ctx;
    const struct winnow_prove_options *opt = t->x->opt;
    const struct text_tokenizer train = {
        .paths = *t->paths,
        .keys = t->keys,
        .heldout_share = opt->heldout.count > 0 ? 0 : opt->heldout_share,
        .vocab = opt->model.vocab,
        .sample_bytes = TOKENIZER_SAMPLE,
    };
    env_log(t->x->env, WINNOW_LOG_INFO, "prove: training the tokenizer");
    return text_tokenizer_train(&train, t->x->env, out, err);
}

static winnow_status get_tokenizer(struct experiment *x, const struct winnow_list *paths,
                                   const struct document_keys *keys, struct winnow_error *err)
{
    struct tokenizer_texts texts = {x, paths, keys};
    struct buf path = {0};
    const char *file = file_join(&path, x->opt->output, "tokenizer.json");
    winnow_status st =
        small_model_tokenizer(x->opt->tokenizer, file, make_tokenizer, &texts, &x->tokenizer, err);
    buf_release(&path);
    return st;
}

static void exclude(struct experiment *x, const struct held_set *h)
{
    for (size_t i = 0; i < h->count; i++) {
        const struct str key = {(const char *)&h->items[i].key, sizeof h->items[i].key};
        (void)map_put(&x->excluded, key, NULL);
    }
}

static bool set_is_used(const struct experiment *x, uint32_t set)
{
    for (uint32_t i = 0; i < x->arm_count; i++) {
        if (x->arms[i].set == set) {
            return true;
        }
    }
    return x->has_bands && set == x->pool;
}

static winnow_status add_preparation(const struct winnow_list *paths, double *flops,
                                     struct winnow_error *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        double one;
        TRY(preparation_flops(paths->items[i], &one, err));
        *flops += one;
    }
    return WINNOW_OK;
}

static winnow_status load_sets(struct experiment *x, const struct winnow_list *paths,
                               const struct document_keys *keys, struct pool *pool,
                               struct winnow_error *err)
{
    bool given = x->opt->heldout.count > 0;
    for (uint32_t i = 0; i < x->set_count; i++) {
        const struct text_load load = {
            .paths = i == 0 ? *paths : (struct winnow_list){&x->paths[i], 1},
            .keys = keys,
            .tokenizer = x->tokenizer,
            .heldout_share = given ? 0 : x->opt->heldout_share,
            .held = i == 0 && !given ? &x->held : NULL,
            .bytes_max = x->opt->load_bytes,
            .memory_rest = experiment_job_bytes(x),
            .command = "prove",
            .remedy = "lower --load-bytes, of which a sample is taken",
        };
        if (!set_is_used(x, i) && (i > 0 || given)) {
            continue;
        }
        TRY(text_set_load(&load, pool, x->env, &x->names, &x->sets[i], err));
        TRY(add_preparation(&load.paths, &x->prepared[i], err));
        env_log(x->env, WINNOW_LOG_INFO, "prove: %s: %zu documents, %.1f M tokens%s",
                i == 0 ? "corpus" : x->paths[i], x->sets[i].docs.count,
                (double)x->sets[i].docs.tokens.len / 1e6,
                x->sets[i].sampled < 1 ? " (a sample)" : "");
    }
    if (given) {
        TRY(held_set_load(&x->opt->heldout, keys, x->env, &x->names, &x->held, err));
    }
    if (x->opt->clean.count > 0) {
        TRY(held_set_load(&x->opt->clean, keys, x->env, &x->names, &x->clean, err));
    }
    exclude(x, &x->held);
    exclude(x, &x->clean);
    return WINNOW_OK;
}

/* The kernel table that jobs will compute with; also shows that an engine of
 * this shape can be made at all before hours are spent. */
static winnow_status find_kernels(struct experiment *x, struct winnow_error *err)
{
    struct model *m = NULL;
    struct engine *e = NULL;
    struct pool *pool = pool_new(1);
    struct engine_options opt = ENGINE_OPTIONS_INIT;
    opt.compute = x->opt->model.compute == WINNOW_BF16 ? ENGINE_BF16 : ENGINE_F32;
    winnow_status st = model_new(&x->config, &m, err);
    if (st == WINNOW_OK) {
        st = engine_new(m, pool, &opt, x->env, &e, err);
    }
    if (st == WINNOW_OK) {
        const char *name = engine_kernels(e);
        x->kernels = arena_strndup(&x->keep, name, strlen(name));
    }
    engine_free(e);
    model_free(m);
    pool_free(pool);
    return st;
}

/* Of the arm whose way takes most. */
static uint64_t training_bytes(const struct experiment *x)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < x->arm_count; i++) {
        struct trainer_options trainer;
        arm_trainer(x, i, &trainer);
        uint64_t bytes = trainer_memory(&x->config, &trainer, 1);
        most = bytes > most ? bytes : most;
    }
    return most + model_config_parameters(&x->config) * sizeof(float);
}

bool experiment_weighs(const struct experiment *x)
{
    bool any = false;
    for (uint32_t i = 0; i < x->arm_count; i++) {
        any = any || x->arms[i].way.use != ARM_USE_SUPPORT;
    }
    return any;
}

uint64_t experiment_job_bytes(const struct experiment *x)
{
    uint64_t documents = 0;
    for (uint32_t i = 0; i < x->set_count; i++) {
        uint64_t n = x->sets[i].docs.count;
        documents = n > documents ? n : documents;
    }
    struct engine_options opt = ENGINE_OPTIONS_INIT; /* measures when training is done */
    opt.compute = x->opt->model.compute == WINNOW_BF16 ? ENGINE_BF16 : ENGINE_F32;
    uint64_t training = training_bytes(x);
    training = x->has_bands && x->traits.bytes > training ? x->traits.bytes : training;
    uint64_t measuring = engine_memory(&x->config, &opt, 1);
    uint64_t drawing = documents * (DRAW_BYTES + (experiment_weighs(x) ? WEIGHT_BYTES : 0));
    return (training > measuring ? training : measuring) + drawing + JOB_BESIDE;
}

/* What a proof takes at least, by the sizes of its files; the texts of each are
 * counted again when they are read. */
static winnow_status check_memory(struct experiment *x, const struct winnow_list *paths,
                                  struct winnow_error *err)
{
    uint64_t all = PROGRAM_BYTES + experiment_job_bytes(x);
    for (uint32_t i = 0; i < x->set_count && x->env->memory_max > 0; i++) {
        struct shard_list shards = {0};
        const struct shards_options find = {.paths = i == 0 ? *paths
                                                            : (struct winnow_list){&x->paths[i], 1},
                                            .kind = SHARDS_DOCUMENTS,
                                            .env = x->env};
        winnow_status st = set_is_used(x, i) ? shards_find(&find, &shards, err) : WINNOW_OK;
        uint64_t most = x->opt->load_bytes, bytes = shards.bytes;
        all += most > 0 && bytes > most ? most : bytes;
        shard_list_release(&shards);
        TRY(st);
    }
    return memory_need(x->env->memory_max, "prove", all,
                       "lower --load-bytes, of which a sample is taken, or --dim", err);
}

static winnow_status set_budget(struct experiment *x, const struct winnow_list *paths,
                                struct winnow_error *err)
{
    const struct winnow_prove_options *o = x->opt;
    TRY(small_model_config(&o->model, x->tokenizer, &x->config, err));
    small_model_packer(&o->model, &x->config, o->document_tokens, &x->packer);
    x->parameters = model_config_parameters(&x->config);
    x->steps = o->tokens / o->model.batch_tokens;
    x->tokens = x->steps * o->model.batch_tokens;
    if (x->steps == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--tokens %llu is less than one step of --batch-tokens %llu",
                         (unsigned long long)o->tokens, (unsigned long long)o->model.batch_tokens);
    }
    TRY(check_memory(x, paths, err));
    return find_kernels(x, err);
}

winnow_status experiment_init(struct experiment *x, const struct winnow_prove_options *opt,
                              const struct method *stage, const struct winnow_list *paths,
                              const struct winnow_env *env, struct winnow_error *err)
{
    *x = (struct experiment){.opt = opt, .env = env};
    arena_init(&x->keep, 65536);
    TRY(small_model_check(&opt->model, err));
    TRY(find_method(x, stage, err));
    TRY(read_arms(x, err));
    TRY(find_method_key(x, err));
    TRY(file_make_dirs(opt->output, err));
    const struct document_keys keys = {opt->text_key, opt->id_key};
    TRY(get_tokenizer(x, paths, &keys, err));
    TRY(set_budget(x, paths, err));
    struct pool *pool = pool_new(env->threads);
    winnow_status st = load_sets(x, paths, &keys, pool, err);
    pool_free(pool);
    TRY(st);
    TRY(arm_sources_find(x, err));
    TRY(find_baseline(x, err));
    const struct yard_options yard = {
        .eval_tokens = opt->eval_tokens,
        .eval_bytes = opt->eval_bytes,
        .clean_rules = opt->clean_rules,
        .clean = &x->clean,
        .cloze_items = opt->cloze_items,
        .tasks = opt->tasks,
        .task_limit = opt->task_limit,
    };
    return yardstick_init(&x->yard, &yard, &x->held, &x->names, err);
}

void experiment_release(struct experiment *x)
{
    for (uint32_t i = 0; i < x->set_count; i++) {
        text_set_release(&x->sets[i]);
    }
    held_set_release(&x->held);
    held_set_release(&x->clean);
    source_names_release(&x->names);
    map_release(&x->excluded);
    yardstick_release(&x->yard);
    tokenizer_free(x->tokenizer);
    arena_release(&x->keep);
    *x = (struct experiment){0};
}

static void add_number(struct hash_stream *h, double v)
{
    hash_stream_add(h, (struct str){(const char *)&v, sizeof v});
}

/* Documents by their tokens: split keys pass over spacing and punctuation, a model
 * that is trained on them does not. */
static void hash_set(struct hash_stream *h, const struct text_set *set)
{
    add_number(h, (double)set->docs.count);
    for (size_t i = 0; i < set->docs.count; i++) {
        const struct text_meta *t = &set->meta[i];
        size_t count;
        const uint32_t *tokens = token_docs_at(&set->docs, i, &count);
        add_number(h, t->source);
        add_number(h, (double)count);
        hash_stream_add(h, (struct str){(const char *)&t->key, sizeof t->key});
        hash_stream_add(h, (struct str){(const char *)tokens, count * sizeof *tokens});
    }
}

struct hash128 experiment_key(const struct experiment *x)
{
    const struct winnow_prove_options *o = x->opt;
    const struct winnow_small_model *m = &o->model;
    struct hash_stream *h = hash_stream_new();
    const double numbers[] = {3, /* version of what a job's result means */
                              m->dim,
                              m->layers,
                              m->heads,
                              m->kv_heads,
                              m->ffn,
                              m->context,
                              (double)m->batch_tokens,
                              m->lr,
                              m->warmup,
                              m->lr_end,
                              m->average,
                              m->weight_decay,
                              m->compute,
                              (double)x->steps,
                              (double)o->document_tokens,
                              o->fixed_pool,
                              o->pool_share,
                              o->curve_points,
                              (double)x->env->seed,
                              (double)yardstick_hash(&x->yard)};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        add_number(h, numbers[i]);
    }
    add_number(h, m->optimizer);
    if (o->dropout > 0) { /* of an arm of its own, its name says */
        add_number(h, o->dropout);
    }
    hash_stream_add(h, str_of(x->kernels));
    if (x->has_bands) { /* which of its bands an arm is, its name says */
        hash_stream_add(h, str_of(x->method_key));
        add_number(h, x->shipped);
    }
    for (uint32_t i = 0; i < x->arm_count; i++) {
        hash_stream_add(h, str_of(x->arms[i].name));
        add_number(h, x->arms[i].set);
        add_number(h, x->arms[i].kind);
        if (x->arms[i].kind == ARM_WITHOUT) { /* names may differ by less than sources do */
            hash_stream_add(h, x->arms[i].without);
        }
    }
    struct buf tokenizer = {0};
    tokenizer_write(x->tokenizer, &tokenizer);
    hash_stream_add(h, buf_str(&tokenizer));
    buf_release(&tokenizer);
    for (uint32_t s = 0; s < x->set_count; s++) {
        hash_set(h, &x->sets[s]);
    }
    struct hash128 key = hash_stream_value(h);
    hash_stream_free(h);
    return key;
}
