/* correct.c -- `winnow correct`: texts, influence, the list, and a model taught to forget.
 *
 * Everything that is made on the way lies in the folder's checkpoint/: texts, curvature, influence
 * so far, the trainer's state.  The same command after a kill finds them there and goes on. */
#include "winnow/correct.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "corpus/spool.h"
#include "correct/lessons.h"
#include "correct/ranking.h"
#include "correct/recall.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "run/output_folder.h"
#include "train/loop.h"
#include "train/unlearn.h"

#include <math.h>

#define PROGRAM_BYTES ((uint64_t)40 << 20)
#define LIST_NAME     "influence.jsonl"

struct correcting {
    const struct winnow_correct_options *opt;
    const struct winnow_list *paths;
    const struct winnow_env *env;
    struct pool *pool;
    struct model_config config;
    uint32_t context;
    struct tokenizer *tokenizer;
    struct feature_texts corpus, examples, neutral;
    struct influence *influence;
    struct ranking ranking;
    size_t top;
    struct lessons lessons;
    struct loop_result done;
    double recall_flops, flops;
    struct buf checkpoint, path;
    struct arena keep;
    struct winnow_correct_result *result;
};

static bool corrects(const struct winnow_correct_options *opt)
{
    return opt->correction != WINNOW_CORRECT_NONE;
}

static struct engine_options engine_of(const struct correcting *c, bool gradients)
{
    uint32_t tokens = c->opt->batch_tokens < 2048 ? (uint32_t)c->opt->batch_tokens : 2048;
    return (struct engine_options){.compute =
                                       c->opt->compute == WINNOW_BF16 ? ENGINE_BF16 : ENGINE_F32,
                                   .tokens_max = tokens > c->context ? tokens : c->context,
                                   .gradients = gradients};
}

static void trainer_of(const struct correcting *c, struct trainer_options *out)
{
    struct engine_options e = engine_of(c, true);
    *out = (struct trainer_options)TRAINER_OPTIONS_INIT;
    out->compute = e.compute;
    out->tokens_max = e.tokens_max;
    out->steps = c->opt->steps;
    out->warmup = c->opt->steps / 10;
    out->lr = c->opt->lr;
    out->weight_decay = 0; /* it would move what nothing asks to move */
}

static struct recall_options recall_of(struct correcting *c)
{
    return (struct recall_options){.kind = (enum recall_kind)c->opt->recall,
                                   .calibration = c->opt->calibration,
                                   .damping = c->opt->damping,
                                   .seed = c->env->seed,
                                   .context = c->context,
                                   .folder = buf_cstr(&c->checkpoint)};
}

/* The larger of recalling and correcting, which do not overlap. */
static uint64_t bytes_needed(struct correcting *c)
{
    uint32_t threads = pool_threads(c->pool);
    const struct engine_options with = engine_of(c, true), without = engine_of(c, false);
    const struct recall_options how = recall_of(c);
    uint64_t weights = model_config_parameters(&c->config) * sizeof(float);
    uint64_t recalling = recall_memory(&how, &c->config, threads);
    if (how.kind != RECALL_TFIDF) {
        recalling += weights + engine_memory(&c->config, &with, threads);
    }
    struct trainer_options trainer;
    trainer_of(c, &trainer);
    uint64_t logits = (c->opt->batch_tokens + c->context) * c->config.vocab * sizeof(float);
    uint64_t correcting = !corrects(c->opt) ? 0
                                            : 2 * weights + logits +
                                                  trainer_memory(&c->config, &trainer, threads) +
                                                  engine_memory(&c->config, &without, threads);
    return PROGRAM_BYTES + (recalling > correcting ? recalling : correcting);
}

/* ---- texts ---- */

/* name: of their folder; what: for sentences, NULL: of the corpus itself. */
static winnow_status read_texts(struct correcting *c, struct winnow_list paths, const char *name,
                                const char *what, uint64_t limit, struct feature_texts *out,
                                struct winnow_error *err)
{
    struct feature_reading reading = {.paths = paths,
                                      .keys = {c->opt->text_key, c->opt->id_key},
                                      .limit = limit,
                                      .tokenizer = c->tokenizer,
                                      .context = PASSAGES_DOCUMENT_TOKENS,
                                      .memory_rest = bytes_needed(c),
                                      .what = "correct by as many documents"};
    struct buf folder = {0};
    reading.folder = file_join(&folder, buf_cstr(&c->checkpoint), name);
    winnow_status st = file_make_dirs(reading.folder, err);
    st = st == WINNOW_OK ? feature_texts_read(&reading, c->pool, c->env, out, err) : st;
    if (st == WINNOW_OK && what) {
        st = account_need_all(&out->account, err);
    }
    buf_release(&folder);
    if (st != WINNOW_OK) {
        return what ? error_wrap(err, st, "the %s %s", what, paths.items[0]) : st;
    }
    if (out->cut > 0) {
        env_log(c->env, WINNOW_LOG_WARNING,
                "%s%s%llu of %zu documents are longer than %u tokens and are cut", what ? what : "",
                what ? " text: " : "", (unsigned long long)out->cut, out->count,
                PASSAGES_DOCUMENT_TOKENS);
    }
    return out->empty < out->count ? WINNOW_OK
                                   : error_set(err, WINNOW_E_FORMAT,
                                               "the %s %s has no document with anything to predict",
                                               what ? what : "corpus", paths.items[0]);
}

static winnow_status read_all(struct correcting *c, struct winnow_error *err)
{
    const struct winnow_list examples = {&c->opt->unwanted, 1}, neutral = {&c->opt->neutral, 1};
    TRY(read_texts(c, *c->paths, "corpus", NULL, c->opt->limit, &c->corpus, err));
    TRY(read_texts(c, examples, "unwanted", "unwanted", 0, &c->examples, err));
    if (corrects(c->opt)) {
        TRY(read_texts(c, neutral, "neutral", "neutral", 0, &c->neutral, err));
    }
    return WINNOW_OK;
}

/* ---- recall ---- */

static winnow_status find_influence(struct correcting *c, struct winnow_error *err)
{
    const struct recall_options how = recall_of(c);
    const struct engine_options opt = engine_of(c, true);
    const struct recall_texts texts = {&c->corpus, &c->examples};
    struct model *m = NULL;
    struct engine *e = NULL;
    c->influence = mem_try_alloc((c->corpus.count + 1) * sizeof *c->influence);
    if (!c->influence) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the influence of %zu documents",
                         c->corpus.count);
    }
    winnow_status st = WINNOW_OK;
    if (how.kind != RECALL_TFIDF) {
        st = model_load(c->opt->model, &m, err);
        st = st == WINNOW_OK ? engine_new(m, c->pool, &opt, c->env, &e, err) : st;
    }
    struct recall_result out = {.influence = c->influence};
    st = st == WINNOW_OK ? recall(&how, &texts, e, c->pool, c->env, &out, err) : st;
    c->recall_flops = out.flops;
    engine_free(e);
    model_free(m);
    return st;
}

/* How many are unlearned; says so where nothing stands out. */
static winnow_status choose_top(struct correcting *c, struct winnow_error *err)
{
    const struct ranking *r = &c->ranking;
    c->top = c->opt->top > 0 ? c->opt->top : r->stand_out;
    c->result->top = c->top;
    c->result->stands_out = ranking_height(r, 0);
    if (r->stand_out == 0) {
        env_log(c->env, WINNOW_LOG_WARNING,
                "no document stands out (the first lies %.1f usual spreads above the median, %.0f "
                "are asked for): what the examples show may come from elsewhere than this corpus",
                ranking_height(r, 0), RANKING_STANDS_OUT);
    }
    if (!corrects(c->opt)) {
        return WINNOW_OK;
    }
    if (c->top == 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "no document stands out as what taught the examples in %s: nothing is "
                         "unlearned; --top N takes the first N of the list all the same",
                         c->opt->unwanted);
    }
    return c->top < r->count ? WINNOW_OK
                             : error_set(err, WINNOW_E_USAGE,
                                         "--top %zu leaves none of the %zu documents to compare "
                                         "with: unlearn fewer",
                                         c->top, r->count);
}

static winnow_status rank(struct correcting *c, struct winnow_error *err)
{
    TRY(find_influence(c, err));
    TRY(ranking_make(&c->corpus, c->influence, &c->ranking, err));
    winnow_status chosen = choose_top(c, err);
    const struct ranking_list list = {.paths = *c->paths,
                                      .keys = {c->opt->text_key, c->opt->id_key},
                                      .listed = c->opt->listed,
                                      .top = chosen == WINNOW_OK && corrects(c->opt) ? c->top : 0,
                                      .context = c->context,
                                      .tokenizer = c->tokenizer,
                                      .path = file_join(&c->path, c->opt->output, LIST_NAME)};
    struct winnow_error other;
    winnow_status st =
        ranking_write(&c->ranking, &list, c->env, chosen == WINNOW_OK ? err : &other);
    return chosen != WINNOW_OK ? chosen : st;
}

/* ---- correction ---- */

static winnow_status measure(struct correcting *c, struct engine *e, double *unwanted,
                             double *neutral, struct winnow_error *err)
{
    size_t *rows = mem_alloc((c->examples.count + 1) * sizeof *rows), n = 0;
    for (size_t i = 0; i < c->examples.count; i++) {
        if (c->examples.rows[i].targets > 0) {
            rows[n++] = i;
        }
    }
    winnow_status st = lessons_loss(e, &c->examples, rows, n, c->context, unwanted, err);
    mem_free(rows);
    return st == WINNOW_OK ? lessons_loss(e, &c->neutral, c->lessons.held, c->lessons.held_count,
                                          c->context, neutral, err)
                           : st;
}

static winnow_status train(struct correcting *c, struct trainer *t, struct engine *old,
                           struct winnow_error *err)
{
    static const enum unlearn_loss LOSS[] = {[WINNOW_CORRECT_RANK] = UNLEARN_RANK,
                                             [WINNOW_CORRECT_ASCENT] = UNLEARN_ASCENT,
                                             [WINNOW_CORRECT_TUNE] = UNLEARN_TUNE};
    const struct unlearn_options opt = {.loss = LOSS[c->opt->correction],
                                        .sharpness = c->opt->sharpness,
                                        .keep = c->opt->keep,
                                        .next = lessons_next,
                                        .ctx = &c->lessons};
    const struct loop_options loop = {
        .steps = c->opt->steps, .folder = buf_cstr(&c->checkpoint), .stage = "correct"};
    struct unlearner *u = NULL;
    TRY(measure(c, old, &c->result->unwanted_before, &c->result->neutral_before, err));
    TRY(unlearner_new(t, old, &opt, &u, err));
    const struct learner learner = unlearner_learner(u);
    const struct sampler sampler = unlearner_sampler(u);
    winnow_status st = train_loop(&learner, &sampler, &loop, c->env, &c->done, err);
    c->flops = learner.kind->flops(learner.of);
    unlearner_free(u);
    TRY(st);
    return measure(c, trainer_engine(t), &c->result->unwanted_after, &c->result->neutral_after,
                   err);
}

static void write_card(const struct correcting *c, struct buf *out)
{
    const struct winnow_correct_result *r = c->result;
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    json_member_text(&w, "corrected", c->opt->model);
    json_member_open(&w, "settings", '{');
    option_write_json(&CORRECT_TABLE, c->opt, &w);
    json_close(&w, '}');
    json_member_u64(&w, "seed", c->env->seed);
    json_member_u64(&w, "documents", r->documents);
    json_member_u64(&w, "examples", r->examples);
    json_member_u64(&w, "unlearned", c->top);
    json_member_double(&w, "stands_out", r->stands_out);
    json_member_double(&w, "unwanted_before", r->unwanted_before);
    json_member_double(&w, "unwanted_after", r->unwanted_after);
    json_member_double(&w, "neutral_before", r->neutral_before);
    json_member_double(&w, "neutral_after", r->neutral_after);
    json_member_u64(&w, "parameters", model_config_parameters(&c->config));
    json_member_u64(&w, "steps", c->done.steps);
    json_member_double(&w, "recall_flops", c->recall_flops);
    json_member_double(&w, "flops", c->flops);
    json_member_open(&w, "losses", '[');
    for (uint64_t i = 0; i < c->done.steps; i++) {
        json_double(&w, (double)c->done.losses[i]);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    buf_add_char(out, '\n');
}

static winnow_status save(struct correcting *c, const struct model *m, struct winnow_error *err)
{
    struct buf card = {0};
    TRY(model_save(m, c->opt->output, TENSOR_F32, err));
    TRY(tokenizer_save_folder(c->tokenizer, c->opt->output, err));
    write_card(c, &card);
    winnow_status st = file_write_atomic(file_join(&c->path, c->opt->output, "training.json"),
                                         buf_str(&card), err);
    buf_release(&card);
    return st;
}

static void tell(const struct correcting *c)
{
    const struct winnow_correct_result *r = c->result;
    if (r->neutral_after > 1.01 * r->neutral_before) {
        env_log(c->env, WINNOW_LOG_WARNING,
                "the loss of neutral text rose by %.1f %%: raise --keep, or lower --lr or --steps",
                100 * (r->neutral_after / r->neutral_before - 1));
    }
}

static winnow_status correct_model(struct correcting *c, struct model *m, struct model *before,
                                   struct winnow_error *err)
{
    const struct engine_options opt = engine_of(c, false);
    struct trainer_options how;
    struct trainer *t = NULL;
    struct engine *old = NULL;
    trainer_of(c, &how);
    winnow_status st = engine_new(before, c->pool, &opt, c->env, &old, err);
    st = st == WINNOW_OK ? trainer_new(m, c->pool, &how, c->env, &t, err) : st;
    st = st == WINNOW_OK ? train(c, t, old, err) : st;
    st = st == WINNOW_OK ? save(c, m, err) : st;
    trainer_free(t);
    engine_free(old);
    return st;
}

static winnow_status correct(struct correcting *c, struct winnow_error *err)
{
    struct model *m = NULL, *before = NULL;
    c->lessons.seed = c->env->seed;
    c->lessons.batch_tokens = c->opt->batch_tokens;
    c->lessons.context = c->context;
    TRY(lessons_open(&c->lessons, &c->ranking, c->top, &c->neutral, err));
    winnow_status st = model_load(c->opt->model, &m, err);
    st = st == WINNOW_OK ? model_open(c->opt->model, &before, err) : st;
    st = st == WINNOW_OK ? correct_model(c, m, before, err) : st;
    model_free(m);
    model_free(before);
    TRY(st);
    c->result->steps = c->done.steps;
    tell(c);
    return WINNOW_OK;
}

/* ---- the command ---- */

static winnow_status work(struct correcting *c, const struct winnow_list *paths,
                          struct winnow_list *files, struct output_folder *folder,
                          struct winnow_error *err)
{
    TRY(file_make_dirs(buf_cstr(&c->checkpoint), err));
    TRY(spool_paths(paths, buf_cstr(&c->checkpoint), c->env, &c->keep, files, err));
    TRY(model_load_tokenizer(c->opt->model, &c->tokenizer, err));
    if (tokenizer_vocab_size(c->tokenizer) > c->config.vocab) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the tokenizer of %s has %u tokens and the model knows %u: they are not "
                         "of the same model",
                         c->opt->model, tokenizer_vocab_size(c->tokenizer), c->config.vocab);
    }
    TRY(read_all(c, err));
    TRY(rank(c, err));
    TRY(corrects(c->opt) ? correct(c, err) : WINNOW_OK);
    c->result->documents = c->ranking.count;
    c->result->documents_bad = c->corpus.account.bad;
    c->result->tokens = c->corpus.tokens;
    c->result->examples = c->examples.count - c->examples.empty;
    c->result->flops = c->recall_flops + c->flops;
    output_folder_account(folder, &c->corpus.account);
    return account_tell_lost(&c->corpus.account, err);
}

static winnow_status run(const struct winnow_correct_options *opt, const struct winnow_list *paths,
                         const struct winnow_env *env, struct output_folder *folder,
                         const struct model_config *config, struct winnow_correct_result *result,
                         struct winnow_error *err)
{
    struct winnow_list files; /* the documents are read more than once */
    struct correcting c = {
        .opt = opt, .paths = &files, .env = env, .config = *config, .result = result};
    (void)file_join(&c.checkpoint, opt->output, OUTPUT_CHECKPOINT);
    c.context = opt->context < config->context ? opt->context : config->context;
    c.pool = pool_new(env->threads);
    arena_init(&c.keep, 4096);
    winnow_status st =
        memory_need(env->memory_max, "correct", bytes_needed(&c),
                    "lower --batch-tokens or --context, or use fewer threads (-t)", err);
    st = st == WINNOW_OK ? work(&c, paths, &files, folder, err) : st;
    lessons_release(&c.lessons);
    ranking_release(&c.ranking);
    loop_result_release(&c.done);
    mem_free(c.influence);
    feature_texts_release(&c.corpus);
    feature_texts_release(&c.examples);
    feature_texts_release(&c.neutral);
    tokenizer_free(c.tokenizer);
    pool_free(c.pool);
    arena_release(&c.keep);
    buf_release(&c.checkpoint);
    buf_release(&c.path);
    return st;
}

static winnow_status check(const struct winnow_correct_options *opt, struct winnow_error *err)
{
    if (!opt->output) {
        return error_set(err, WINNOW_E_USAGE, "say where the list and the model go: -o FOLDER");
    }
    if (!opt->model) {
        return error_set(err, WINNOW_E_USAGE, "say which model is to be corrected: --model FOLDER");
    }
    if (!opt->unwanted) {
        return error_set(err, WINNOW_E_USAGE,
                         "show what is unwanted: --unwanted FILE, some examples of it");
    }
    if (corrects(opt) && !opt->neutral) {
        return error_set(err, WINNOW_E_USAGE,
                         "without neutral text nothing says what is to stay: --neutral FILE (text "
                         "without what is unwanted), or --correction none for the list alone");
    }
    return WINNOW_OK;
}

winnow_status winnow_correct(const struct winnow_correct_options *opt,
                             const struct winnow_list *paths, const struct winnow_env *env,
                             struct winnow_correct_result *result, struct winnow_error *err)
{
    struct model_config config;
    *result = (struct winnow_correct_result){0};
    TRY(check(opt, err));
    TRY(model_load_config(opt->model, &config, err));
    const struct output_wanted want = {.path = opt->output,
                                       .kind = CLAIM_MODEL,
                                       .table = &CORRECT_TABLE,
                                       .options = opt,
                                       .paths = paths,
                                       .uses_kernels = true};
    struct output_folder folder;
    TRY(output_folder_open(&folder, &want, env, err));
    result->nothing_to_do = folder.finished;
    winnow_status st =
        folder.finished ? WINNOW_OK : run(opt, paths, env, &folder, &config, result, err);
    return output_folder_end(&folder, st, result->documents > 0, err);
}
