/* refiner_train.c -- `winnow refiner train`: model, tokenizer, pages, examples,
 * tuning, model folder.
 *
 * From scratch the tokenizer learns from pages with their programs behind them, as
 * prompts and answers both have to be short in its tokens.  Pages are read twice then,
 * so pipes are spooled first.  Whether a page is held out depends on its id (or text) and
 * the seed, not on what else the corpus holds. */
#include "winnow/refiner.h"

#include "base/claim.h"
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "corpus/spool.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "refine/verdicts.h"
#include "run/output_folder.h"
#include "teach/examples.h"
#include "teach/pair_source.h"
#include "teach/refiner_save.h"
#include "train/small_model.h"
#include "train/tune.h"

#include <inttypes.h>
#include <math.h>

#define PROGRAM_BYTES   ((uint64_t)44 << 20) /* itself, and pages while they are read */

#define TOKENIZER_BYTES ((uint64_t)64 << 20)
#define TOKEN_BYTES     10U                 /* of an example: its number, its target, its item */
#define LOOK_TOKENS     (1U << 17)          /* between looks at what the process holds */
#define LOOK_BYTES      ((uint64_t)2 << 20) /* that come together between two */

struct refiner_training {
    const struct winnow_refiner_train_options *opt;
    const struct winnow_list *paths;
    struct winnow_list files; /* paths, with files in place of pipes */
    const struct winnow_env *env;
    struct pool *pool;
    struct model *model;
    struct tokenizer *tokenizer;
    struct example_options examples;
    struct tune_examples train, held_out;
    struct example_counts counts;
    struct verdict_tokens verdicts;
    struct buf checkpoint; /* folder of it */

    /* The tokenizer's training. */
    struct pair_source source;
    struct json_parser *parser;
    struct arena keep;
    struct arena paths_keep;
    struct buf text;
    uint64_t bytes;

    /* Of --memory, while examples are made. */
    uint64_t before; /* what the process held without any */
    uint64_t rest;   /* what the training will take */
};

/* ---- model and tokenizer ---- */

/* The next page with its program, as tokenizer_train() wants it. */
static winnow_status next_text(void *ctx, struct str *text, bool *more, struct winnow_error *err)
{
    struct refiner_training *t = ctx;
    struct pair_line line;
    struct pair p;
    *more = false;
    if (t->bytes > TOKENIZER_BYTES) {
        return WINNOW_OK;
    }
    TRY(pair_source_next(&t->source, &line, more, err));
    if (!*more) {
        return WINNOW_OK;
    }
    arena_reset(&t->keep);
    TRY(pair_line_read(&line, t->parser, NULL, &t->keep, &p, err));
    buf_clear(&t->text);
    buf_add_str(&t->text, p.raw);
    buf_add_char(&t->text, '\n');
    winnow_status st = example_program(&p, &t->examples, &t->keep, &t->text, err);
    if (st != WINNOW_OK) {
        return error_wrap(err, st, "%s, line %" PRIu64, line.shard, line.number);
    }
    t->bytes += t->text.len;
    *text = buf_str(&t->text);
    return WINNOW_OK;
}

static winnow_status make_tokenizer(void *ctx, struct tokenizer **out, struct winnow_error *err)
{
    struct refiner_training *t = ctx;
    winnow_status st = pair_source_open(&t->source, t->paths, t->opt->limit, t->env, err);
    if (st == WINNOW_OK) {
        st = small_model_train_tokenizer(t->opt->model.vocab, t->env, next_text, t, out, err);
    }
    pair_source_release(&t->source);
    return st;
}

/* A repeated call finds it beside the checkpoint. */
static winnow_status get_tokenizer(struct refiner_training *t, struct winnow_error *err)
{
    struct buf path = {0};
    const char *file = file_join(&path, buf_cstr(&t->checkpoint), "tokenizer.json");
    winnow_status st =
        small_model_tokenizer(t->opt->tokenizer, file, make_tokenizer, t, &t->tokenizer, err);
    buf_release(&path);
    return st;
}

static winnow_status make_model(struct refiner_training *t, struct winnow_error *err)
{
    if (t->opt->base) {
        TRY(model_load(t->opt->base, &t->model, err));
        return model_load_tokenizer(t->opt->base, &t->tokenizer, err);
    }
    struct model_config config;
    TRY(small_model_check(&t->opt->model, err));
    TRY(get_tokenizer(t, err));
    TRY(small_model_config(&t->opt->model, t->tokenizer, &config, err));
    TRY(model_new(&config, &t->model, err));
    model_init_random(t->model, rng_mix(t->env->seed));
    return WINNOW_OK;
}

static winnow_status pick_template(const struct refiner_training *t, enum chat_template *out,
                                   struct winnow_error *err)
{
    *out = CHAT_PLAIN;
    if (t->opt->prompt != WINNOW_TEMPLATE_AUTO) {
        *out = (enum chat_template)(t->opt->prompt - 1);
        return WINNOW_OK;
    }
    return t->opt->base ? chat_template_of_model(t->opt->base, out, err) : WINNOW_OK;
}

/* What a chunk may hold, so that prompt and program fit the longest example. */
static winnow_status set_examples(struct refiner_training *t, struct winnow_error *err)
{
    struct example_options *o = &t->examples;
    const struct winnow_refiner_train_options *opt = t->opt;
    o->dialect = opt->dialect;
    o->levels = (enum example_levels)opt->level;
    o->prefer_text = opt->prefer_text;
    o->removal_max = opt->removal_max;
    o->derivable_min = opt->derivable_min;
    o->answer_max = opt->answer_tokens;
    o->verdicts = opt->verdicts;
    uint32_t context = model_config(t->model)->context;
    o->sequence_max = opt->model.context < context ? opt->model.context : context;
    TRY(pick_template(t, &o->template, err));
    if (o->verdicts) {
        TRY(verdict_tokens_find(t->tokenizer, &t->verdicts, err));
    }
    struct prompter *p;
    TRY(prompter_new(o->template, o->system, t->tokenizer, &p, err));
    uint32_t overhead = prompter_overhead(p) + 16; /* 16: the lines around a chunk */
    prompter_free(p);
    if (overhead + o->answer_max + 16 > o->sequence_max) {
        return error_set(err, WINNOW_E_USAGE,
                         "a prompt of %u tokens and --answer-tokens %u leave no room for lines in "
                         "%u tokens (--context)",
                         overhead, o->answer_max, o->sequence_max);
    }
    uint32_t room = o->sequence_max - overhead - o->answer_max;
    o->chunk = (struct chunk_options){.tokens = opt->chunk_tokens < room ? opt->chunk_tokens : room,
                                      .long_lines = (enum long_lines)opt->long_lines,
                                      .numbers = LINE_NUMBERS_BRACKETS};
    if (o->chunk.tokens < opt->chunk_tokens) {
        env_log(t->env, WINNOW_LOG_INFO,
                "chunks hold %u tokens: no more fits with the program into %u (--context)",
                o->chunk.tokens, o->sequence_max);
    }
    return WINNOW_OK;
}

/* ---- pages ---- */

struct taking {
    struct tune_examples *to;
    struct verdict_tokens verdicts;
    uint64_t limit;   /* --memory, 0: none */
    size_t looked_at; /* tokens when what the process holds was last looked at */
    uint64_t refused; /* tokens for which there is no room: they are counted only */
};

/* A page of many lines gives examples of many times its bytes, all at once. */
static bool has_room(struct taking *t)
{
    if (t->limit > 0 && t->refused == 0 && t->to->tokens.len > t->looked_at + LOOK_TOKENS) {
        t->looked_at = t->to->tokens.len;
        t->refused = mem_resident() + LOOK_BYTES > t->limit;
    }
    return t->refused == 0;
}

static void take_example(void *ctx, const struct example *e)
{
    struct taking *t = ctx;
    if (!has_room(t)) {
        t->refused += e->count;
        return;
    }
    tune_examples_add(t->to, e->tokens, e->count, e->prompt);
    for (size_t i = 0; i < e->lines; i++) {
        tune_examples_target(t->to, e->places[i],
                             e->stays[i] ? t->verdicts.keep : t->verdicts.remove);
    }
}

static void add_counts(struct example_counts *to, const struct example_counts *c)
{
    to->pages += c->pages;
    to->dropped += c->dropped;
    to->unlike += c->unlike;
    to->stripped += c->stripped;
    to->refused += c->refused;
    to->examples += c->examples;
    to->kept += c->kept;
    to->too_long += c->too_long;
    to->lines_skipped += c->lines_skipped;
    to->clean_chars += c->clean_chars;
    to->covered_chars += c->covered_chars;
}

/* The same pages are held out whatever else the corpus holds. */
static bool is_held_out(const struct refiner_training *t, const struct pair *p)
{
    struct str key = p->id.len > 0 ? p->id : p->raw;
    uint64_t draw = rng_mix(hash64(key, rng_mix(t->env->seed)));
    return (double)(draw >> 11) * 0x1p-53 < t->opt->holdout;
}

/* What a training takes beside the examples: its model is there. */
static uint64_t training_rest(const struct refiner_training *t)
{
    const struct model_config *c = model_config(t->model);
    return t->opt->base ? 0 /* its trainer says it */
                        : small_model_memory(&t->opt->model, c, pool_threads(t->pool)) -
                              model_config_parameters(c) * sizeof(float);
}

/* done: the share of the pages that were read; the others are taken to be like them. */
static winnow_status check_memory(const struct refiner_training *t, const struct taking *taking,
                                  double done, struct winnow_error *err)
{
    uint64_t tokens = t->train.tokens.len + t->held_out.tokens.len;
    uint64_t now = mem_resident(), rest = t->rest + tokens * TOKEN_BYTES;
    now = t->before + rest > now ? t->before + rest : now;
    if (t->env->memory_max == 0 || (taking->refused == 0 && now <= t->env->memory_max)) {
        return WINNOW_OK;
    }
    double all = (double)(tokens + taking->refused) / fmax(done, 1e-3);
    uint64_t more = (uint64_t)(all - (double)tokens) * TOKEN_BYTES;
    return memory_need(t->env->memory_max, "refiner train with as many examples",
                       now + more + LOOK_BYTES, "train on fewer pages (--limit)", err);
}

/* all_held_out: every page of these paths is. */
static winnow_status read_pages(struct refiner_training *t, const struct winnow_list *paths,
                                bool all_held_out, struct winnow_error *err)
{
    struct example_maker *maker;
    TRY(example_maker_new(t->tokenizer, &t->examples, &maker, err));
    bool split = t->opt->validate.count == 0;
    uint64_t bytes = 0;
    uint64_t examples = t->train.tokens.len * TOKEN_BYTES, now = mem_resident();
    t->before = now > examples ? now - examples : 0;
    t->rest = training_rest(t);
    winnow_status st =
        pair_source_open(&t->source, paths, all_held_out ? 0 : t->opt->limit, t->env, err);
    while (st == WINNOW_OK) {
        struct pair_line line;
        struct pair p;
        bool more;
        st = pair_source_next(&t->source, &line, &more, err);
        if (st != WINNOW_OK || !more) {
            break;
        }
        arena_reset(&t->keep);
        st = pair_line_read(&line, t->parser, NULL, &t->keep, &p, err);
        if (st != WINNOW_OK) {
            break;
        }
        bool held = all_held_out || (split && is_held_out(t, &p));
        struct taking taking = {held ? &t->held_out : &t->train, t->verdicts, t->env->memory_max, 0,
                                0};
        st = example_maker_page(maker, &p, take_example, &taking, err);
        bytes += line.text.len + 1;
        st = st == WINNOW_OK ? check_memory(t, &taking, pair_source_done(&t->source, bytes), err)
                             : error_wrap(err, st, "%s, line %" PRIu64, line.shard, line.number);
    }
    add_counts(&t->counts, example_maker_counts(maker));
    pair_source_release(&t->source);
    example_maker_free(maker);
    return st;
}

/* ---- training ---- */

static winnow_status save_adapter(void *ctx, const struct lora *l, struct winnow_error *err)
{
    const struct refiner_training *t = ctx;
    struct buf path = {0};
    winnow_status st =
        lora_write_adapter(l, file_join(&path, t->opt->output, "adapter"), t->opt->base, err);
    buf_release(&path);
    return st;
}

static void fill_result(const struct refiner_training *t, const struct tune_result *r,
                        struct winnow_refiner_train_result *out)
{
    uint64_t n = r->steps / 10 > 0 ? r->steps / 10 : 1;
    double sum = 0;
    for (uint64_t i = r->steps - n; i < r->steps; i++) {
        sum += (double)r->losses[i];
    }
    const struct example_counts *c = &t->counts;
    *out = (struct winnow_refiner_train_result){
        .pages = c->pages,
        .pages_left_out = c->unlike + c->stripped + c->refused,
        .examples = t->train.count,
        .examples_left_out = c->too_long,
        .examples_held_out = t->held_out.count,
        .steps = r->steps,
        .tokens = r->tokens,
        .targets = r->targets,
        .parameters = model_config_parameters(model_config(t->model)),
        .trained = r->trained,
        .epochs = r->epochs,
        .flops = r->flops,
        .loss = sum / (double)n,
        .held_out = r->curve_count > 0 ? r->curve[r->best].loss : (double)NAN,
        .start = r->curve_count > 0 ? r->curve[0].loss : (double)NAN,
    };
}

static winnow_status train(struct refiner_training *t, struct winnow_refiner_train_result *result,
                           struct winnow_error *err)
{
    struct tune_options opt = {.trainer = TRAINER_OPTIONS_INIT,
                               .held_out = &t->held_out,
                               .warmup = t->opt->model.warmup,
                               .lora_rank = t->opt->lora_rank,
                               .lora_alpha = t->opt->lora_alpha,
                               .batch_tokens = t->opt->model.batch_tokens,
                               .tokens = t->opt->tokens,
                               .epochs = t->opt->epochs,
                               .seed = t->env->seed,
                               .points = t->opt->points,
                               .folder = buf_cstr(&t->checkpoint),
                               .save_seconds = t->opt->checkpoint,
                               .stage = "train",
                               .adapter = save_adapter,
                               .ctx = t};
    opt.trainer.compute = t->opt->model.compute == WINNOW_BF16 ? ENGINE_BF16 : ENGINE_F32;
    opt.trainer.lr = t->opt->model.lr;
    opt.trainer.weight_decay = t->opt->model.weight_decay;
    struct tune_result fitted = {0};
    winnow_status st = tune(t->model, t->pool, &t->train, &opt, t->env, &fitted, err);
    if (st == WINNOW_OK) {
        const struct refiner_card card = {t->opt,  t->env->seed,   &t->examples,     &t->counts,
                                          &fitted, t->train.count, t->held_out.count};
        st = refiner_save(t->model, t->tokenizer, &card, err);
    }
    if (st == WINNOW_OK) {
        fill_result(t, &fitted, result);
    }
    tune_result_release(&fitted);
    return st;
}

static winnow_status run(struct refiner_training *t, struct winnow_refiner_train_result *result,
                         struct winnow_error *err)
{
    /* Pages are read once for the tokenizer and once more for the examples. */
    TRY(spool_paths(t->paths, buf_cstr(&t->checkpoint), t->env, &t->paths_keep, &t->files, err));
    t->paths = &t->files;
    TRY(make_model(t, err));
    TRY(set_examples(t, err));
    TRY(read_pages(t, t->paths, false, err));
    if (t->opt->validate.count > 0) {
        TRY(read_pages(t, &t->opt->validate, true, err));
    }
    if (t->train.count == 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "no example to train on: of %" PRIu64 " pages %" PRIu64
                         " are to be dropped, %" PRIu64 " are left out, and %" PRIu64
                         " examples are too long (--chunk-tokens, --answer-tokens)",
                         t->counts.pages, t->counts.dropped,
                         t->counts.unlike + t->counts.stripped + t->counts.refused,
                         t->counts.too_long);
    }
    json_parser_free(t->parser); /* the pages have been read */
    t->parser = NULL;
    arena_release(&t->keep);
    buf_release(&t->text);
    return train(t, result, err);
}

static winnow_status check_options(const struct winnow_refiner_train_options *opt,
                                   struct winnow_error *err)
{
    if (!opt->output) {
        return error_set(err, WINNOW_E_USAGE, "say where the model goes: -o FOLDER");
    }
    if (!opt->base && opt->lora_rank > 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--lora-rank puts adapters on a model that is there: --model PATH");
    }
    if (opt->base && opt->tokenizer) {
        return error_set(err, WINNOW_E_USAGE,
                         "--model brings its tokenizer; leave --tokenizer out");
    }
    return WINNOW_OK;
}

static winnow_status train_refiner(const struct winnow_refiner_train_options *opt,
                                   const struct winnow_list *paths, const struct winnow_env *env,
                                   struct winnow_refiner_train_result *result,
                                   struct winnow_error *err)
{
    struct refiner_training t = {
        .opt = opt, .paths = paths, .env = env, .examples = EXAMPLE_OPTIONS_INIT};
    (void)file_join(&t.checkpoint, opt->output, OUTPUT_CHECKPOINT);
    arena_init(&t.keep, (size_t)1 << 20);
    arena_init(&t.paths_keep, 4096);
    t.parser = json_parser_new();
    t.pool = pool_new(env->threads);
    winnow_status st = file_make_dirs(buf_cstr(&t.checkpoint), err);
    if (st == WINNOW_OK) {
        st = run(&t, result, err);
    }
    tune_examples_release(&t.train);
    tune_examples_release(&t.held_out);
    model_free(t.model);
    tokenizer_free(t.tokenizer);
    json_parser_free(t.parser);
    arena_release(&t.keep);
    arena_release(&t.paths_keep);
    buf_release(&t.text);
    buf_release(&t.checkpoint);
    pool_free(t.pool);
    return st;
}

/* Of a model from scratch, before anything is read; one that is given says it when
 * its trainer is made. */
static winnow_status need_memory(const struct winnow_refiner_train_options *opt,
                                 const struct winnow_env *env, struct winnow_error *err)
{
    if (opt->base || small_model_check(&opt->model, err) != WINNOW_OK) {
        return WINNOW_OK; /* what is wrong with the shape is said later */
    }
    const struct model_config c = small_model_shape(&opt->model);
    uint32_t threads = env->threads > 0 ? env->threads : pool_processors();
    return memory_need(env->memory_max, "refiner train",
                       small_model_memory(&opt->model, &c, threads) + PROGRAM_BYTES,
                       "lower --dim, --layers or --batch-tokens, or use fewer threads (-t)", err);
}

winnow_status winnow_refiner_train(const struct winnow_refiner_train_options *opt,
                                   const struct winnow_list *paths, const struct winnow_env *env,
                                   struct winnow_refiner_train_result *result,
                                   struct winnow_error *err)
{
    *result = (struct winnow_refiner_train_result){0};
    TRY(check_options(opt, err));
    TRY(need_memory(opt, env, err));
    const struct output_wanted want = {.path = opt->output,
                                       .kind = CLAIM_MODEL,
                                       .table = &REFINER_TRAIN_TABLE,
                                       .options = opt,
                                       .paths = paths,
                                       .uses_kernels = true};
    struct output_folder folder;
    TRY(output_folder_open(&folder, &want, env, err));
    result->nothing_to_do = folder.finished;
    winnow_status st = folder.finished ? WINNOW_OK : train_refiner(opt, paths, env, result, err);
    return output_folder_end(&folder, st, result->steps > 0, err);
}
