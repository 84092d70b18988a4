/* refiner_lines.c -- `winnow refiner train-lines`: pages, model, training, folder. */
#include "winnow/refiner_lines.h"

#include "base/claim.h"
#include "base/env.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "corpus/shards.h"
#include "lines/line_train.h"
#include "option/tables.h"
#include "run/output_folder.h"

#define PROGRAM_BYTES ((uint64_t)32 << 20) /* itself, and pages while they are read */
#define THREAD_BYTES  ((uint64_t)4 << 20)  /* a page of 400 lines on its way */

/* Who teaches means all of it: what cannot be read ends the command. */
static winnow_status read_files(struct winnow_list paths, enum line_page_kind kind,
                                const struct winnow_env *env, struct line_page_set *set,
                                struct winnow_error *err)
{
    if (paths.count == 0) {
        return WINNOW_OK;
    }
    struct shard_list shards = {0};
    const struct shards_options find = {.paths = paths, .kind = SHARDS_DOCUMENTS};
    winnow_status st = shards_find(&find, &shards, err);
    if (st == WINNOW_OK) {
        account_warn_skipped(shards.account, env);
        st = account_need_all(shards.account, err);
    }
    for (size_t i = 0; i < shards.count && st == WINNOW_OK; i++) {
        st = line_page_set_read(set, shards.items[i].path, kind, err);
    }
    shard_list_release(&shards);
    return st;
}

static winnow_status read_all(const struct winnow_refiner_lines_options *opt,
                              const struct winnow_list *paths, const struct winnow_env *env,
                              struct line_page_set *pages, struct line_page_set *articles,
                              struct winnow_error *err)
{
    TRY(read_files(*paths, LINE_PAGES, env, pages, err));
    TRY(read_files(opt->templates, LINE_TEMPLATES, env, pages, err));
    TRY(read_files(opt->articles, LINE_ARTICLES, env, articles, err));
    if (pages->count == 0) {
        return error_set(err, WINNOW_E_FORMAT, "the files hold no page with words");
    }
    return WINNOW_OK;
}

static void write_card(const struct winnow_refiner_lines_options *opt, uint64_t seed,
                       const struct winnow_refiner_lines_result *r, struct buf *out)
{
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    json_member_open(&w, "settings", '{');
    option_write_json(&REFINER_LINES_TABLE, opt, &w);
    json_close(&w, '}');
    json_member_u64(&w, "seed", seed);
    json_member_u64(&w, "pages", r->pages);
    json_member_u64(&w, "steps", r->steps);
    json_member_double(&w, "loss", r->loss);
    json_close(&w, '}');
}

static struct line_config config_of(const struct winnow_refiner_lines_options *opt)
{
    struct line_config c = LINE_CONFIG_INIT;
    c.rows = opt->rows;
    c.embed = opt->embed;
    c.hidden = opt->hidden;
    c.dim = opt->dim;
    c.layers = opt->layers;
    c.ffn = opt->ffn;
    c.keep_above = opt->keep_above;
    return c;
}

static struct line_train_options train_options(const struct winnow_refiner_lines_options *opt)
{
    struct line_train_options train = LINE_TRAIN_OPTIONS_INIT;
    train.epochs = opt->epochs;
    train.batch_pages = opt->batch_pages;
    train.lr = opt->lr;
    train.table_lr = opt->table_lr;
    train.weight_decay = opt->weight_decay;
    train.token_dropout = opt->token_dropout;
    train.group_dropout = opt->group_dropout;
    train.structure_dropout = opt->structure_dropout;
    train.transplant = opt->transplant;
    train.length_weight = opt->length_weight;
    train.page_power = opt->page_power;
    train.per_template = opt->per_template;
    return train;
}

/* The weights of a model that was trained before read pages without tags. */
static winnow_status give_alone(struct line_model *m, const char *folder,
                                const struct winnow_env *env, struct winnow_error *err)
{
    struct line_model *alone = NULL;
    TRY(line_model_load(folder, env->kernels, &alone, err));
    winnow_status st = line_model_give_alone(m, alone, err);
    if (st != WINNOW_OK) {
        line_model_free(alone);
        return error_wrap(err, st, "--lines-alone %s", folder);
    }
    return WINNOW_OK;
}

static winnow_status train_and_save(const struct winnow_refiner_lines_options *opt,
                                    const struct line_train_data *data,
                                    struct winnow_refiner_lines_result *result,
                                    struct winnow_error *err)
{
    struct line_config c = config_of(opt);
    const struct line_train_options train = train_options(opt);
    struct line_model *m = NULL;
    struct line_train_result trained;
    TRY(line_model_new(&c, data->env->seed, data->env->kernels, opt->compute == WINNOW_BF16, &m,
                       err));
    winnow_status st =
        opt->lines_alone ? give_alone(m, opt->lines_alone, data->env, err) : WINNOW_OK;
    st = st == WINNOW_OK ? line_train(m, &train, data, &trained, err) : st;
    if (st == WINNOW_OK) {
        struct winnow_refiner_lines_result made = {.pages = data->pages->count,
                                                   .lines = trained.lines,
                                                   .articles = data->articles->count,
                                                   .steps = trained.steps,
                                                   .parameters = line_model_parameters(m),
                                                   .loss = trained.loss};
        struct buf card = {0};
        write_card(opt, data->env->seed, &made, &card);
        st = line_model_save(m, opt->output, opt->keep_above, buf_str(&card), err);
        buf_release(&card);
        if (st == WINNOW_OK) {
            *result = made;
        }
    }
    line_model_free(m);
    return st;
}

/* Weights, moments and gradients of the n-grams' vectors and of the layers, and what a
 * thread takes for its page. */
static uint64_t training_bytes(const struct winnow_refiner_lines_options *opt, uint32_t threads)
{
    uint64_t table = (uint64_t)opt->rows * opt->embed;
    uint64_t layer = (uint64_t)opt->dim * (4 * (uint64_t)opt->dim + 3 * (uint64_t)opt->ffn);
    uint64_t line = (uint64_t)opt->hidden * (8 * (uint64_t)opt->embed + opt->dim);
    uint64_t copies = opt->lines_alone ? 5 : 4; /* weights, their moments, gradients; alone's */
    return (table + opt->layers * layer + line) * copies * sizeof(float) + threads * THREAD_BYTES;
}

/* How long the pages are is known when they have been read. */
static winnow_status need_room(const struct winnow_refiner_lines_options *opt,
                               const struct line_page_set *pages,
                               const struct line_page_set *articles, struct winnow_error *err)
{
    const struct line_config c = config_of(opt);
    const struct line_train_options train = train_options(opt);
    return memory_need(pages->memory_max, "refiner train-lines over pages of so many lines",
                       mem_resident() + pages->beside +
                           line_train_step_bytes(&c, &train, pages, articles),
                       "lower --batch-pages, or leave the longest pages out", err);
}

static winnow_status run(const struct winnow_refiner_lines_options *opt,
                         const struct winnow_list *paths, const struct winnow_env *env,
                         struct winnow_refiner_lines_result *result, struct winnow_error *err)
{
    struct line_page_set pages = {0}, articles = {0};
    struct buf folder = {0}, file = {0};
    const char *checkpoint = file_join(&folder, opt->output, OUTPUT_CHECKPOINT);
    struct pool *pool = pool_new(env->threads);
    if (env->memory_max > 0) {
        pages.memory_max = articles.memory_max = env->memory_max;
        pages.beside = articles.beside = training_bytes(opt, pool_threads(pool));
    }
    winnow_status st = read_all(opt, paths, env, &pages, &articles, err);
    if (st == WINNOW_OK && env->memory_max > 0) {
        st = need_room(opt, &pages, &articles, err);
    }
    if (st == WINNOW_OK) {
        st = file_make_dirs(checkpoint, err);
    }
    if (st == WINNOW_OK) {
        const struct line_train_data data = {.pages = &pages,
                                             .articles = &articles,
                                             .pool = pool,
                                             .env = env,
                                             .checkpoint =
                                                 file_join(&file, checkpoint, "lines.bin"),
                                             .save_seconds = opt->checkpoint};
        st = train_and_save(opt, &data, result, err);
    }
    pool_free(pool);
    line_page_set_release(&pages);
    line_page_set_release(&articles);
    buf_release(&folder);
    buf_release(&file);
    return st;
}

winnow_status winnow_refiner_train_lines(const struct winnow_refiner_lines_options *opt,
                                         const struct winnow_list *paths,
                                         const struct winnow_env *env,
                                         struct winnow_refiner_lines_result *result,
                                         struct winnow_error *err)
{
    if (!opt->output) {
        return error_set(err, WINNOW_E_USAGE, "say where the model goes: -o FOLDER");
    }
    struct line_config c = config_of(opt);
    TRY(line_config_check(&c, err)); /* before anything is read */
    uint32_t threads = env->threads > 0 ? env->threads : pool_processors();
    TRY(memory_need(env->memory_max, "refiner train-lines",
                    training_bytes(opt, threads) + PROGRAM_BYTES,
                    "lower --rows or --dim, or use fewer threads (-t)", err));
    const struct output_wanted want = {.path = opt->output,
                                       .kind = CLAIM_MODEL,
                                       .table = &REFINER_LINES_TABLE,
                                       .options = opt,
                                       .paths = paths,
                                       .uses_kernels = true};
    struct output_folder folder;
    TRY(output_folder_open(&folder, &want, env, err));
    *result = (struct winnow_refiner_lines_result){.nothing_to_do = folder.finished};
    winnow_status st = folder.finished ? WINNOW_OK : run(opt, paths, env, result, err);
    return output_folder_end(&folder, st, result->steps > 0, err);
}
