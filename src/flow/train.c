/* train.c -- `winnow train`: tokenizer, documents, order, fit, model folder.
 *
 * Documents are either text, cut into sequences that fill a step (train/packer.h), or with
 * --responses rows, each of them whole (flow/train_rows.h).
 *
 * Everything that is made on the way lies in the folder's checkpoint/: spooled pipes,
 * the tokenizer, the trainer's state.  The same command after a kill finds them there
 * and goes on; the checkpoint goes when the model is saved. */
#include "winnow/train.h"

#include "base/claim.h"
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "corpus/spool.h"
#include "flow/train_rows.h"
#include "flow/train_value.h"
#include "model/model_file.h"
#include "option/belongs.h"
#include "option/tables.h"
#include "prove/draw.h"
#include "run/output_folder.h"
#include "train/fit.h"
#include "train/small_model.h"
#include "train/tune_plan.h"
#include "train/weights_file.h"
#include "vectors/features.h"

#include <math.h>

#define TOKENIZER_SAMPLE ((uint64_t)64 << 20)
#define PROGRAM_BYTES    ((uint64_t)40 << 20) /* itself, and documents while they are read */

struct training {
    const struct winnow_train_options *opt;
    const struct winnow_list *paths;
    const struct winnow_env *env;
    struct document_keys keys;
    struct pool *pool;
    struct tokenizer *tokenizer;
    struct model_config config;
    struct packer_options packer;
    struct train_weights weights;
    struct source_names names;
    struct text_set texts;
    struct arm_draw order;
    struct train_factors factors; /* of texts */
    struct train_rows rows;
    struct train_value value, toward;
    uint64_t tokens;
    struct buf checkpoint; /* folder of it */
    struct arena keep;
};

static winnow_status make_tokenizer(void *ctx, struct tokenizer **out, struct winnow_error *err)
{
    const struct training *t = ctx;
    const struct text_tokenizer train = {.paths = *t->paths,
                                         .keys = &t->keys,
                                         .vocab = t->opt->model.vocab,
                                         .sample_bytes = TOKENIZER_SAMPLE};
    env_log(t->env, WINNOW_LOG_INFO, "train: training the tokenizer");
    return text_tokenizer_train(&train, t->env, out, err);
}

/* A repeated call finds it beside the checkpoint. */
static winnow_status get_tokenizer(struct training *t, struct winnow_error *err)
{
    if (t->opt->init) {
        return model_load_tokenizer(t->opt->init, &t->tokenizer, err);
    }
    struct buf path = {0};
    const char *file = file_join(&path, buf_cstr(&t->checkpoint), "tokenizer.json");
    winnow_status st =
        small_model_tokenizer(t->opt->tokenizer, file, make_tokenizer, t, &t->tokenizer, err);
    buf_release(&path);
    return st;
}

static void trainer_of(const struct winnow_train_options *opt, uint64_t steps,
                       struct trainer_options *out)
{
    small_model_trainer(&opt->model, steps, out);
    sampling_trainer(&opt->sampling, opt->model.batch_tokens, out);
    out->dropout = opt->dropout;
}

static uint64_t training_bytes(const struct winnow_train_options *opt, const struct model_config *c,
                               const struct winnow_env *env)
{
    uint32_t threads = env->threads > 0 ? env->threads : pool_processors();
    struct lora_options lora = {.rank = opt->lora_rank};
    trainer_of(opt, 1, &lora.trainer);
    if (opt->lora_rank == 0) {
        return trainer_memory(c, &lora.trainer, threads) +
               model_config_parameters(c) * sizeof(float) +
               (opt->sampling.toward ? sampling_target_memory(c) : 0) +
               (opt->value ? valuation_memory(c, opt->value_order) : 0);
    }
    return lora_memory(c, &lora, threads) + model_config_parameters(c) * sizeof(float);
}

/* The longest sequence: where nobody said one, no more than the model was made for. */
static uint32_t context_of(const struct winnow_train_options *opt, const struct model_config *c)
{
    bool said = opt->model.context != WINNOW_TRAIN_OPTIONS_INIT.model.context;
    return !said && c->context < opt->model.context ? c->context : opt->model.context;
}

static winnow_status find_shape(struct training *t, struct winnow_error *err)
{
    if (!t->opt->init) {
        TRY(small_model_config(&t->opt->model, t->tokenizer, &t->config, err));
    }
    small_model_packer(&t->opt->model, &t->config, t->opt->document_tokens, &t->packer);
    t->packer.context = context_of(t->opt, &t->config);
    return WINNOW_OK;
}

/* ---- texts ---- */

/* Tokens of batches, which a sampler may choose from. */
static uint64_t reads_of(const struct training *t)
{
    return (uint64_t)((double)t->tokens * sampling_reads(&t->opt->sampling) + 0.5);
}

/* What the documents' weights do to their losses, and where they come more or less often, their
 * order. */
static winnow_status weigh_documents(struct training *t, struct winnow_error *err)
{
    size_t n = t->texts.docs.count;
    uint32_t *targets = mem_alloc((n + 1) * sizeof *targets);
    uint32_t *lengths = mem_alloc((n + 1) * sizeof *lengths);
    float *weights = mem_alloc((n + 1) * sizeof *weights);
    for (size_t i = 0; i < n; i++) {
        size_t tokens;
        (void)token_docs_at(&t->texts.docs, i, &tokens);
        lengths[i] = (uint32_t)packer_stream(&t->packer, tokens);
        targets[i] = lengths[i] > 0 ? lengths[i] - 1 : 0;
        weights[i] = t->texts.meta[i].weight;
    }
    winnow_status st = train_factors_make(t->opt, train_weights_wanted(t->opt) ? weights : NULL,
                                          targets, n, &t->factors, err);
    if (st == WINNOW_OK && t->factors.repeats) {
        const struct tune_planning p = {.lengths = lengths,
                                        .count = n,
                                        .seed = t->env->seed,
                                        .batch_tokens = t->packer.batch_tokens,
                                        .tokens = reads_of(t),
                                        .repeats = t->factors.repeats};
        struct tune_plan plan;
        tune_plan_of(&p, &plan);
        mem_free(t->order.order);
        t->order.order = plan.order;
        t->order.order_count = plan.steps > 0 ? plan.ends[plan.steps - 1] : 0;
        plan.order = NULL;
        tune_plan_release(&plan);
    }
    t->packer.weights = t->factors.loss;
    mem_free(targets);
    mem_free(lengths);
    mem_free(weights);
    return st;
}

static winnow_status read_texts(struct training *t, struct winnow_error *err)
{
    const struct text_load load = {.paths = *t->paths,
                                   .keys = &t->keys,
                                   .tokenizer = t->tokenizer,
                                   .limit = t->opt->limit,
                                   .memory_rest = training_bytes(t->opt, &t->config, t->env),
                                   .weigh = train_weights_wanted(t->opt) ? train_weigh : NULL,
                                   .weigh_ctx = &t->weights,
                                   .command = "train",
                                   .remedy = "train on fewer documents (--limit)"};
    TRY(text_set_load(&load, t->pool, t->env, &t->names, &t->texts, err));
    TRY(find_shape(t, err));
    struct draw_line line;
    draw_line_init(&line, &t->texts, NULL, &t->packer, t->env->seed);
    arm_draw_range(&line, 0, line.count, &t->order);
    draw_line_release(&line);
    double passes = t->opt->epochs > 0 ? t->opt->epochs : sampling_passes(&t->opt->sampling);
    t->tokens = t->opt->tokens > 0 ? t->opt->tokens : (uint64_t)(passes * (double)t->order.tokens);
    double epochs = (double)t->tokens / (double)(t->order.tokens > 0 ? t->order.tokens : 1);
    if (t->opt->tokens > 0 && epochs > t->opt->epochs_max) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the %zu documents hold %llu tokens; --tokens %llu would repeat them %.1f "
                         "times, more than --epochs-max %g",
                         t->order.count, (unsigned long long)t->order.tokens,
                         (unsigned long long)t->tokens, epochs, t->opt->epochs_max);
    }
    arm_draw_order(&t->order, &t->texts, reads_of(t), t->env->seed);
    return weigh_documents(t, err);
}

/* ---- rows ---- */

static winnow_status read_rows(struct training *t, struct winnow_error *err)
{
    TRY(find_shape(t, err));
    const struct feature_reading how = {.paths = *t->paths,
                                        .keys = t->keys,
                                        .limit = t->opt->limit,
                                        .tokenizer = t->tokenizer,
                                        .context = t->packer.context,
                                        .folder = buf_cstr(&t->checkpoint),
                                        .memory_rest = training_bytes(t->opt, &t->config, t->env),
                                        .what = "train on as many documents",
                                        .weigh = train_weights_wanted(t->opt) ? train_weigh : NULL,
                                        .weigh_ctx = &t->weights};
    TRY(train_rows_read(&how, t->pool, t->env, &t->rows, err));
    TRY(train_rows_plan(&t->rows, t->opt, t->env->seed, err));
    if (t->opt->tokens > 0 && t->rows.plan.epochs > t->opt->epochs_max) {
        return error_set(err, WINNOW_E_FORMAT,
                         "--tokens %llu would repeat the %zu documents %.1f times, more than "
                         "--epochs-max %g",
                         (unsigned long long)t->opt->tokens, t->rows.count, t->rows.plan.epochs,
                         t->opt->epochs_max);
    }
    return WINNOW_OK;
}

static size_t documents_of(const struct training *t)
{
    return t->opt->responses ? t->rows.count : t->order.count;
}

/* ---- the model folder ---- */

static void write_card(const struct training *t, const struct fit_result *fitted, struct buf *out)
{
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    json_member_open(&w, "settings", '{');
    option_write_json(&TRAIN_TABLE, t->opt, &w);
    json_close(&w, '}');
    json_member_u64(&w, "seed", t->env->seed);
    json_member_u64(&w, "documents", documents_of(t));
    json_member_u64(&w, "parameters", model_config_parameters(&t->config));
    json_member_u64(&w, "steps", fitted->steps);
    json_member_double(&w, "flops", fitted->flops);
    json_member_double(&w, "loss", fitted->loss);
    json_member_raw(&w, "sampler", buf_str(&fitted->told));
    json_member_open(&w, "losses", '[');
    for (uint64_t i = 0; i < fitted->steps; i++) {
        json_double(&w, (double)fitted->losses[i]);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

/* Which documents of the input the values are of: those that can be trained on. */
static winnow_status write_values(struct training *t, const struct fit_result *fitted,
                                  struct winnow_error *err)
{
    size_t n = t->opt->responses ? t->rows.texts.count : t->texts.docs.count;
    double *all = mem_alloc((n + 1) * sizeof *all);
    for (size_t i = 0; i < n; i++) {
        all[i] = t->opt->responses ? (double)NAN : fitted->values[i];
    }
    for (size_t i = 0; t->opt->responses && i < t->rows.count; i++) {
        all[t->rows.rows[i]] = fitted->values[i];
    }
    static const char *const NAMES[] = {TRAIN_VALUE_NAME, NULL};
    const struct train_value_writing w = {.paths = *t->paths,
                                          .keys = t->keys,
                                          .names = NAMES,
                                          .values = all,
                                          .count = n,
                                          .folder = t->opt->output,
                                          .name = TRAIN_VALUE_FOLDER};
    winnow_status st = train_value_write(&w, t->env, err);
    mem_free(all);
    return st;
}

/* How the blocks of each document went. */
static winnow_status write_blocks(struct training *t, const struct sampling_document *of,
                                  struct winnow_error *err)
{
    static const char *const NAMES[] = {"winnow__blocks",
                                        "winnow__learned",
                                        "winnow__unlearned",
                                        "winnow__forgotten",
                                        "winnow__loss_first",
                                        "winnow__loss_last",
                                        NULL};
    enum { COUNT = sizeof NAMES / sizeof *NAMES - 1 };
    size_t n = t->texts.docs.count;
    double *all = mem_alloc((n + 1) * COUNT * sizeof *all);
    for (size_t i = 0; i < n; i++) {
        const struct sampling_document *d = &of[i];
        bool seen = d->blocks > 0;
        const double values[COUNT] = {d->blocks,
                                      d->learned,
                                      d->unlearned,
                                      d->forgotten,
                                      seen ? d->first : (double)NAN,
                                      seen ? d->last : (double)NAN};
        memcpy(all + i * COUNT, values, sizeof values);
    }
    const struct train_value_writing w = {.paths = *t->paths,
                                          .keys = t->keys,
                                          .names = NAMES,
                                          .values = all,
                                          .count = n,
                                          .folder = t->opt->output,
                                          .name = "blocks"};
    winnow_status st = train_value_write(&w, t->env, err);
    mem_free(all);
    return st;
}

static winnow_status save_folder(struct training *t, const struct model *m,
                                 const struct fit_result *fitted, struct winnow_error *err)
{
    struct buf card = {0}, path = {0};
    winnow_status st = fitted->values      ? write_values(t, fitted, err)
                       : fitted->documents ? write_blocks(t, fitted->documents, err)
                                           : WINNOW_OK;
    st = st == WINNOW_OK ? model_save(m, t->opt->output, TENSOR_F32, err) : st;
    if (st == WINNOW_OK) {
        st = tokenizer_save_folder(t->tokenizer, t->opt->output, err);
    }
    if (st == WINNOW_OK) {
        write_card(t, fitted, &card);
        st = file_write_atomic(file_join(&path, t->opt->output, "training.json"), buf_str(&card),
                               err);
    }
    buf_release(&card);
    buf_release(&path);
    return st;
}

static void write_checkpoint_card(const struct trainer *now, struct buf *out)
{
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    json_key(&w, "step");
    json_u64(&w, trainer_steps(now));
    json_key(&w, "rate");
    json_double(&w, trainer_next_rate(now));
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

/* Beside the model: what of the optimizer is wanted later. */
static winnow_status write_moments(const struct trainer *now, const char *folder,
                                   struct winnow_error *err)
{
    struct buf path = {0};
    size_t n = model_values_count(trainer_model(now));
    float *moments = mem_try_alloc(n * sizeof *moments);
    winnow_status st = WINNOW_OK;
    if (!moments) {
        st = error_set(err, WINNOW_E_NOMEM, "no memory for the moments of a checkpoint");
    } else if (trainer_moments(now, moments)) {
        st = weights_file_write(file_join(&path, folder, FEATURES_MOMENTS), moments, n, err);
    }
    mem_free(moments);
    buf_release(&path);
    return st;
}

/* A model folder of its own, whole once its checkpoint.json is there. */
static winnow_status write_checkpoint(struct training *t, const struct trainer *now,
                                      const char *folder, const char *card_path,
                                      struct winnow_error *err)
{
    struct buf card = {0};
    TRY(model_save(trainer_model(now), folder, TENSOR_F32, err));
    TRY(write_moments(now, folder, err));
    TRY(tokenizer_save_folder(t->tokenizer, folder, err));
    write_checkpoint_card(now, &card);
    winnow_status st = file_write_atomic(card_path, buf_str(&card), err);
    buf_release(&card);
    return st;
}

/* At a point of the training; a call that goes on passes points again and finds them done. */
static winnow_status keep_checkpoint(void *ctx, const struct trainer *now, struct winnow_error *err)
{
    struct training *t = ctx;
    if (trainer_steps(now) == 0) {
        return WINNOW_OK;
    }
    struct buf folder = {0}, mark = {0};
    (void)file_join(&folder, t->opt->output, FEATURES_TRAJECTORY);
    buf_addf(&folder, "/%08llu", (unsigned long long)trainer_steps(now));
    winnow_status st = WINNOW_OK;
    const char *card = file_join(&mark, buf_cstr(&folder), FEATURES_CHECKPOINT);
    if (!file_exists(card)) {
        st = write_checkpoint(t, now, buf_cstr(&folder), card, err);
    }
    buf_release(&folder);
    buf_release(&mark);
    return st;
}

static void fill_result(const struct training *t, const struct fit_result *fitted,
                        struct winnow_train_result *out)
{
    const struct tune_plan *plan = &t->rows.plan;
    bool rows = t->opt->responses;
    *out = (struct winnow_train_result){
        .documents = documents_of(t),
        .documents_bad = rows ? t->rows.texts.account.bad : t->texts.documents_bad,
        .tokens = rows ? plan->tokens : fitted->steps * t->packer.batch_tokens,
        .steps = fitted->steps,
        .parameters = model_config_parameters(&t->config),
        .epochs = rows ? plan->epochs : (double)fitted->used / (double)t->order.tokens,
        .loss = fitted->loss,
        .flops = fitted->flops,
    };
}

static winnow_status start_model(const struct training *t, struct model **out,
                                 struct winnow_error *err)
{
    if (t->opt->init) {
        return model_load(t->opt->init, out, err);
    }
    TRY(model_new(&t->config, out, err));
    model_init_random(*out, rng_mix(t->env->seed));
    return WINNOW_OK;
}

/* Steps like the batch choice's are dear: said before the first one, not found out on the way. */
static void tell_cost(const struct training *t)
{
    const struct winnow_sampling *s = &t->opt->sampling;
    if (!sampling_kind_of(s)->by_target) {
        return;
    }
    double examples = (double)t->toward.batch.tokens.len / (double)t->packer.batch_tokens;
    double factor = 1 + 4.0 / 3 * s->candidates + examples;
    env_log(t->env, factor > 10 ? WINNOW_LOG_WARNING : WINNOW_LOG_INFO,
            "train: --sampler %s: a step reads %g times its tokens and passes over the examples "
            "once: it takes about %.1f times the FLOPs of a plain one%s",
            sampling_kind_of(s)->name, s->candidates, factor,
            factor > 10 ? "; fewer --candidates, or fewer examples in --toward, are cheaper" : "");
}

static winnow_status fit_model(struct training *t, struct winnow_train_result *result,
                               struct winnow_error *err)
{
    const struct winnow_train_options *opt = t->opt;
    uint64_t steps = opt->responses ? t->rows.plan.steps : packer_steps(&t->packer, t->tokens);
    struct fit_options fit_opt = {.packer = t->packer,
                                  .lora_rank = opt->lora_rank,
                                  .lora_alpha =
                                      opt->lora_alpha > 0 ? opt->lora_alpha : 2.0 * opt->lora_rank,
                                  .seed = t->env->seed,
                                  .sampling = &opt->sampling,
                                  .folder = buf_cstr(&t->checkpoint),
                                  .stage = "train",
                                  .points = opt->keep_checkpoints,
                                  .keep = opt->keep_checkpoints > 0 ? keep_checkpoint : NULL,
                                  .ctx = t};
    trainer_of(opt, steps, &fit_opt.trainer);
    fit_opt.trainer.dropout_seed = rng_mix(t->env->seed);
    const struct value_options value = {.target = &t->value.batch.batch,
                                        .documents =
                                            opt->responses ? t->rows.count : t->texts.docs.count,
                                        .order = opt->value_order};
    fit_opt.value = opt->value ? &value : NULL;
    fit_opt.odds = t->factors.odds;
    fit_opt.toward = opt->sampling.toward ? &t->toward.batch.batch : NULL;
    const struct sampler rows = train_rows_sampler(&t->rows);
    const struct fit_data data = {&t->texts.docs, t->order.order, t->order.order_count,
                                  opt->responses ? &rows : NULL};
    struct model *m = NULL;
    struct fit_result fitted = {0};
    winnow_status st = start_model(t, &m, err);
    if (st == WINNOW_OK) {
        st = fit(m, t->pool, &data, &fit_opt, t->env, &fitted, err);
    }
    if (st == WINNOW_OK) {
        st = save_folder(t, m, &fitted, err);
    }
    if (st == WINNOW_OK) {
        fill_result(t, &fitted, result);
    }
    fit_result_release(&fitted);
    model_free(m);
    return st;
}

static winnow_status read_target(struct training *t, const char *const *path, const char *what,
                                 struct train_value *out, struct winnow_error *err)
{
    const struct feature_reading how = {.paths = {path, 1},
                                        .keys = t->keys,
                                        .tokenizer = t->tokenizer,
                                        .context = t->packer.context,
                                        .what = what};
    return train_value_read(&how, buf_cstr(&t->checkpoint), t->pool, t->env, out, err);
}

static winnow_status train_model(struct training *t, const struct winnow_list *paths,
                                 struct winnow_list *files, struct output_folder *folder,
                                 struct winnow_train_result *result, struct winnow_error *err)
{
    const char *checkpoint = buf_cstr(&t->checkpoint);
    TRY(file_make_dirs(checkpoint, err));
    TRY(spool_paths(paths, checkpoint, t->env, &t->keep, files, err));
    TRY(get_tokenizer(t, err));
    TRY(train_weights_open(&t->weights, t->opt, err));
    TRY(t->opt->responses ? read_rows(t, err) : read_texts(t, err));
    if (t->opt->value) {
        TRY(read_target(t, &t->opt->value, "value documents by a target", &t->value, err));
    }
    if (t->opt->sampling.toward) {
        TRY(read_target(t, &t->opt->sampling.toward, "choose by a target", &t->toward, err));
    }
    tell_cost(t);
    TRY(fit_model(t, result, err));
    const struct input_account *account =
        t->opt->responses ? &t->rows.texts.account : &t->texts.account;
    output_folder_account(folder, account);
    return account_tell_lost(account, err);
}

static winnow_status train(const struct winnow_train_options *opt, const struct winnow_list *paths,
                           const struct winnow_env *env, struct output_folder *folder,
                           struct winnow_train_result *result, struct winnow_error *err)
{
    struct winnow_list files; /* the documents are read more than once */
    struct training t = {
        .opt = opt, .paths = &files, .env = env, .keys = {opt->text_key, opt->id_key}};
    (void)file_join(&t.checkpoint, opt->output, OUTPUT_CHECKPOINT);
    t.pool = pool_new(env->threads);
    arena_init(&t.keep, 4096);
    winnow_status st = opt->init ? model_load_config(opt->init, &t.config, err) : WINNOW_OK;
    if (!opt->init) {
        t.config = small_model_shape(&opt->model);
    }
    if (st == WINNOW_OK) {
        st = train_model(&t, paths, &files, folder, result, err);
    }
    arena_release(&t.keep);
    train_rows_release(&t.rows);
    train_value_release(&t.value);
    train_value_release(&t.toward);
    train_factors_release(&t.factors);
    train_weights_release(&t.weights);
    arm_draw_release(&t.order);
    text_set_release(&t.texts);
    source_names_release(&t.names);
    tokenizer_free(t.tokenizer);
    pool_free(t.pool);
    buf_release(&t.checkpoint);
    return st;
}

/* ---- the command ---- */

static bool shape_is_given(const struct winnow_small_model *m)
{
    const struct winnow_small_model none = WINNOW_SMALL_MODEL_INIT;
    return m->dim != none.dim || m->layers != none.layers || m->heads != none.heads ||
           m->kv_heads != none.kv_heads || m->ffn != none.ffn || m->vocab != none.vocab;
}

static winnow_status check_init(const struct winnow_train_options *opt, struct model_config *c,
                                struct winnow_error *err)
{
    if (opt->tokenizer || shape_is_given(&opt->model)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--init brings its tokenizer and shape; leave --tokenizer, --vocab, --dim "
                         "and what else makes a new model out");
    }
    TRY(model_load_config(opt->init, c, err));
    uint32_t context = context_of(opt, c);
    if (context > c->context) {
        return error_set(err, WINNOW_E_USAGE,
                         "--context %u is more than the %u tokens that %s was made for", context,
                         c->context, opt->init);
    }
    return WINNOW_OK;
}

static bool is_among(const char *const *names, const char *name)
{
    for (; *names; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

/* All samplers that have an option: "--sampler opus or greats". */
static void name_samplers_of(const char *option, struct buf *out)
{
    const struct sampling_kind *kind;
    for (size_t i = 0, n = 0; (kind = sampling_kind_at(i)) != NULL; i++) {
        if (is_among(kind->options, option)) {
            buf_addf(out, "%s%s", n++ > 0 ? " or " : "--sampler ", kind->name);
        }
    }
}

/* Options of another sampler than the chosen one. */
static winnow_status check_options_of(const struct winnow_train_options *opt,
                                      const struct sampling_kind *other, struct winnow_error *err)
{
    struct buf to = {0};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && other->options[i]; i++) {
        const char *const name[] = {other->options[i], NULL};
        if (!is_among(sampling_kind_of(&opt->sampling)->options, name[0])) {
            buf_clear(&to);
            name_samplers_of(name[0], &to);
            st = option_belong(&TRAIN_TABLE, opt, name, buf_cstr(&to), err);
        }
    }
    buf_release(&to);
    return st;
}

/* What samplers over texts, whose batches are their own, pass over; NULL: nothing of it is asked.
 */
static const char *no_text_goes_with(const struct winnow_train_options *opt,
                                     const struct sampling_kind *kind)
{
    bool weighed = opt->weights || opt->weight_key;
    if (opt->responses) {
        return "--responses";
    }
    if (weighed && opt->weights_as == WINNOW_AS_LOSS && !kind->by_weights) {
        return "weights of documents as factors of losses";
    }
    return opt->mean_of != WINNOW_MEAN_OF_TOKENS ? "--mean-of documents" : NULL;
}

/* What a number of passes says before the tokens of one are known. */
static winnow_status check_passes(const struct winnow_train_options *opt,
                                  const struct sampling_kind *kind, struct winnow_error *err)
{
    double least = kind->passes_least ? kind->passes_least(&opt->sampling) : 0;
    if (opt->tokens > 0 || opt->epochs == 0 || opt->epochs >= least) {
        return WINNOW_OK;
    }
    return error_set(err, WINNOW_E_USAGE,
                     "--sampler %s reads the documents %.2f times before its last phase is through "
                     "once, and --epochs %g are fewer: leave --epochs away, or say %.3g",
                     kind->name, least, opt->epochs, kind->passes(&opt->sampling));
}

static winnow_status check_sampler(const struct winnow_train_options *opt, struct winnow_error *err)
{
    const struct sampling_kind *kind = sampling_kind_of(&opt->sampling), *other;
    for (size_t i = 0; (other = sampling_kind_at(i)) != NULL; i++) {
        TRY(check_options_of(opt, other, err));
    }
    TRY(check_passes(opt, kind, err));
    if (kind->by_target && !opt->sampling.toward) {
        return error_set(err, WINNOW_E_USAGE,
                         "--sampler %s chooses what helps a target: --toward FILE, examples of it",
                         kind->name);
    }
    const char *without = kind->texts_only ? no_text_goes_with(opt, kind) : NULL;
    if (kind->by_weights && opt->weights_as != WINNOW_AS_LOSS) {
        without = "--weights-as (it draws by weights)";
    } else if (kind->trainer_only && opt->lora_rank > 0) {
        without = "--lora-rank";
    } else if (kind->open && opt->value) {
        without = "--value";
    }
    return without
               ? error_set(err, WINNOW_E_USAGE, "--sampler %s does not go with %s; leave it out",
                           kind->name, without)
               : WINNOW_OK;
}

static winnow_status check(const struct winnow_train_options *opt, struct model_config *c,
                           struct winnow_error *err)
{
    TRY(check_sampler(opt, err));
    if (!opt->output) {
        return error_set(err, WINNOW_E_USAGE, "say where the model goes: -o FOLDER");
    }
    if (!opt->init && opt->lora_rank > 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--lora-rank puts adapters on a model that is there: --init MODEL");
    }
    TRY(opt->init ? check_init(opt, c, err) : WINNOW_OK);
    TRY(small_model_check(&opt->model, err));
    if (!opt->init) {
        *c = small_model_shape(&opt->model);
    }
    if (opt->lora_rank > 0 && opt->keep_checkpoints > 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--keep-checkpoints keeps what all weights are trained with; leave "
                         "--lora-rank out");
    }
    if (opt->value && (opt->lora_rank > 0 || opt->model.optimizer == WINNOW_MUON)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--value follows the steps of AdamW or SGD on all weights; leave "
                         "--lora-rank and --optimizer muon out");
    }
    if (opt->dropout > 0 && (opt->lora_rank > 0 || opt->value)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--dropout is for all weights, and a document is worth nothing certain "
                         "under it; leave %s out",
                         opt->value ? "--value" : "--lora-rank");
    }
    if (opt->weights && opt->weight_key) {
        return error_set(err, WINNOW_E_USAGE, "weights come from --weights or from --weight-key");
    }
    if (opt->responses && !opt->init && !opt->tokenizer) {
        return error_set(err, WINNOW_E_USAGE,
                         "--responses needs a tokenizer: a model's (--init), or --tokenizer");
    }
    if (opt->responses && opt->document_tokens > 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "with --responses a document is cut to --context; leave --document-tokens "
                         "out");
    }
    return WINNOW_OK;
}

/* A call that is refused before its first checkpoint has made nothing that is worth anything. */
static bool is_refused(const struct winnow_train_options *opt, winnow_status st)
{
    struct buf folder = {0}, path = {0};
    (void)file_join(&folder, opt->output, OUTPUT_CHECKPOINT);
    bool begun = file_exists(file_join(&path, buf_cstr(&folder), "trainer.bin"));
    buf_release(&folder);
    buf_release(&path);
    return !begun && (st == WINNOW_E_USAGE || st == WINNOW_E_FORMAT);
}

winnow_status winnow_train(const struct winnow_train_options *opt, const struct winnow_list *paths,
                           const struct winnow_env *env, struct winnow_train_result *result,
                           struct winnow_error *err)
{
    struct model_config shape;
    TRY(check(opt, &shape, err));
    TRY(memory_need(env->memory_max, "train", training_bytes(opt, &shape, env) + PROGRAM_BYTES,
                    "lower --dim, --layers or --batch-tokens, or use fewer threads (-t)", err));
    const struct output_wanted want = {.path = opt->output,
                                       .kind = CLAIM_MODEL,
                                       .table = &TRAIN_TABLE,
                                       .options = opt,
                                       .paths = paths,
                                       .uses_kernels = true};
    struct output_folder folder;
    *result = (struct winnow_train_result){0};
    TRY(output_folder_open(&folder, &want, env, err));
    result->nothing_to_do = folder.finished;
    winnow_status st = folder.finished ? WINNOW_OK : train(opt, paths, env, &folder, result, err);
    folder.refused = is_refused(opt, st);
    return output_folder_end(&folder, st, result->steps > 0, err);
}
