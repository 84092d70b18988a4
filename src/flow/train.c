/* train.c -- `winnow train`: tokenizer, documents, order, fit, model folder.
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
#include "model/model_file.h"
#include "option/tables.h"
#include "prove/draw.h"
#include "run/output_folder.h"
#include "train/fit.h"
#include "train/small_model.h"
#include "train/weights_file.h"
#include "vectors/features.h"

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
    struct source_names names;
    struct text_set texts;
    struct arm_draw order;
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
    struct buf path = {0};
    const char *file = file_join(&path, buf_cstr(&t->checkpoint), "tokenizer.json");
    winnow_status st =
        small_model_tokenizer(t->opt->tokenizer, file, make_tokenizer, t, &t->tokenizer, err);
    buf_release(&path);
    return st;
}

static uint64_t training_bytes(const struct winnow_train_options *opt, const struct winnow_env *env)
{
    const struct model_config c = small_model_shape(&opt->model);
    return small_model_memory(&opt->model, &c, env->threads > 0 ? env->threads : pool_processors());
}

static winnow_status read_documents(struct training *t, struct winnow_error *err)
{
    const struct text_load load = {.paths = *t->paths,
                                   .keys = &t->keys,
                                   .tokenizer = t->tokenizer,
                                   .limit = t->opt->limit,
                                   .memory_rest = training_bytes(t->opt, t->env),
                                   .command = "train",
                                   .remedy = "train on fewer documents (--limit)"};
    TRY(text_set_load(&load, t->pool, t->env, &t->names, &t->texts, err));
    TRY(small_model_config(&t->opt->model, t->tokenizer, &t->config, err));
    small_model_packer(&t->opt->model, &t->config, t->opt->document_tokens, &t->packer);
    struct draw_line line;
    draw_line_init(&line, &t->texts, NULL, &t->packer, t->env->seed);
    arm_draw_range(&line, 0, line.count, &t->order);
    draw_line_release(&line);
    t->tokens = t->opt->tokens > 0 ? t->opt->tokens : t->order.tokens;
    double epochs = (double)t->tokens / (double)(t->order.tokens > 0 ? t->order.tokens : 1);
    if (epochs > t->opt->epochs_max) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the %zu documents hold %llu tokens; --tokens %llu would repeat them %.1f "
                         "times, more than --epochs-max %g",
                         t->order.count, (unsigned long long)t->order.tokens,
                         (unsigned long long)t->tokens, epochs, t->opt->epochs_max);
    }
    arm_draw_order(&t->order, &t->texts, t->tokens, t->env->seed);
    return WINNOW_OK;
}

static void write_card(const struct training *t, const struct fit_result *fitted, struct buf *out)
{
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    json_member_open(&w, "settings", '{');
    option_write_json(&TRAIN_TABLE, t->opt, &w);
    json_close(&w, '}');
    json_member_u64(&w, "seed", t->env->seed);
    json_member_u64(&w, "documents", t->order.count);
    json_member_u64(&w, "parameters", model_config_parameters(&t->config));
    json_member_u64(&w, "steps", fitted->steps);
    json_member_double(&w, "flops", fitted->flops);
    json_member_double(&w, "loss", fitted->loss);
    json_member_open(&w, "losses", '[');
    for (uint64_t i = 0; i < fitted->steps; i++) {
        json_double(&w, (double)fitted->losses[i]);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

static winnow_status save_folder(struct training *t, const struct model *m,
                                 const struct fit_result *fitted, struct winnow_error *err)
{
    struct buf card = {0}, path = {0};
    winnow_status st = model_save(m, t->opt->output, TENSOR_F32, err);
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

static winnow_status fit_model(struct training *t, struct winnow_train_result *result,
                               struct winnow_error *err)
{
    struct fit_options fit_opt = {.packer = t->packer,
                                  .folder = buf_cstr(&t->checkpoint),
                                  .stage = "train",
                                  .points = t->opt->keep_checkpoints,
                                  .keep = t->opt->keep_checkpoints > 0 ? keep_checkpoint : NULL,
                                  .ctx = t};
    small_model_trainer(&t->opt->model, packer_steps(&t->packer, t->tokens), &fit_opt.trainer);
    const struct fit_data data = {&t->texts.docs, t->order.order, t->order.order_count};
    struct model *m = NULL;
    struct fit_result fitted = {0};
    winnow_status st = model_new(&t->config, &m, err);
    if (st == WINNOW_OK) {
        model_init_random(m, rng_mix(t->env->seed));
        st = fit(m, t->pool, &data, &fit_opt, t->env, &fitted, err);
    }
    if (st == WINNOW_OK) {
        st = save_folder(t, m, &fitted, err);
    }
    if (st == WINNOW_OK) {
        *result = (struct winnow_train_result){
            .documents = t->order.count,
            .documents_bad = t->texts.documents_bad,
            .tokens = fitted.steps * t->packer.batch_tokens,
            .steps = fitted.steps,
            .parameters = model_config_parameters(&t->config),
            .epochs = (double)fitted.used / (double)t->order.tokens,
            .loss = fitted.loss,
            .flops = fitted.flops,
        };
    }
    fit_result_release(&fitted);
    model_free(m);
    return st;
}

static winnow_status train_model(struct training *t, const struct winnow_list *paths,
                                 struct winnow_list *files, struct output_folder *folder,
                                 struct winnow_train_result *result, struct winnow_error *err)
{
    const char *checkpoint = buf_cstr(&t->checkpoint);
    TRY(file_make_dirs(checkpoint, err));
    TRY(spool_paths(paths, checkpoint, t->env, &t->keep, files, err));
    TRY(get_tokenizer(t, err));
    TRY(read_documents(t, err));
    TRY(fit_model(t, result, err));
    output_folder_account(folder, &t->texts.account);
    return account_tell_lost(&t->texts.account, err);
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
    winnow_status st = train_model(&t, paths, &files, folder, result, err);
    arena_release(&t.keep);
    arm_draw_release(&t.order);
    text_set_release(&t.texts);
    source_names_release(&t.names);
    tokenizer_free(t.tokenizer);
    pool_free(t.pool);
    buf_release(&t.checkpoint);
    return st;
}

winnow_status winnow_train(const struct winnow_train_options *opt, const struct winnow_list *paths,
                           const struct winnow_env *env, struct winnow_train_result *result,
                           struct winnow_error *err)
{
    if (!opt->output) {
        return error_set(err, WINNOW_E_USAGE, "say where the model goes: -o FOLDER");
    }
    TRY(small_model_check(&opt->model, err));
    TRY(memory_need(env->memory_max, "train", training_bytes(opt, env) + PROGRAM_BYTES,
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
    return output_folder_end(&folder, st, result->steps > 0, err);
}
