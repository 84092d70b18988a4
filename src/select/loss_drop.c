/* loss_drop.c -- a pass with the model as it is, adapters trained on the target's examples, and a
 * pass with them merged.
 *
 * The training goes on from its checkpoint after a kill; the passes are made again. */
#include "select/loss_drop.h"

#include "winnow/train.h"

#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/model_file.h"
#include "prune/scoring.h"
#include "train/tune.h"
#include "vectors/feature_texts.h"

#include <math.h>
#include <string.h>

#define WINDOW_MOST 2048U
#define STEP_TOKENS 2048U

struct dropping {
    struct loss_drop *d;
    struct model *model;
    struct tokenizer *tokenizer;
    struct scoring scoring;
    struct tune_examples examples, none;
    uint32_t window;
    bool again; /* the second pass */
};

static void trainer_of(const struct winnow_select_options *o, struct trainer_options *out)
{
    *out = (struct trainer_options)TRAINER_OPTIONS_INIT;
    out->lr = o->tune_lr;
    out->weight_decay = 0;
}

winnow_status loss_drop_memory(const struct winnow_select_options *opt, uint32_t threads,
                               uint64_t *bytes, struct winnow_error *err)
{
    struct model_config c;
    TRY(model_load_config(opt->model, &c, err));
    struct lora_options lora = {.rank = opt->lora_rank, .alpha = 2.0 * opt->lora_rank};
    trainer_of(opt, &lora.trainer);
    lora.trainer.tokens_max = STEP_TOKENS;
    uint64_t training = lora_memory(&c, &lora, threads);
    uint64_t scoring = scoring_memory(&c, WINNOW_F32, threads);
    *bytes =
        model_config_parameters(&c) * sizeof(float) + (training > scoring ? training : scoring);
    return WINNOW_OK;
}

/* ---- the target ---- */

static void take_examples(const struct feature_texts *t, struct tune_examples *out)
{
    struct tune_batch b = {0};
    out->items = mem_alloc((t->count + 1) * sizeof *out->items);
    out->cap = t->count + 1;
    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i].targets == 0) {
            continue;
        }
        feature_texts_batch(t, &i, 1, &b);
        size_t n = b.tokens.len;
        memcpy(u32_list_reserve(&out->tokens, n), b.tokens.ptr, n * sizeof *b.tokens.ptr);
        memcpy(u32_list_reserve(&out->targets, n), b.targets.ptr, n * sizeof *b.targets.ptr);
        out->tokens.len += n;
        out->targets.len += n;
        out->items[out->count++] = (struct tune_example){out->tokens.len, t->rows[i].targets};
        out->longest = (uint32_t)n > out->longest ? (uint32_t)n : out->longest;
    }
    tune_batch_release(&b);
}

static winnow_status read_target(struct dropping *w, struct winnow_error *err)
{
    const struct winnow_select_options *o = w->d->opt;
    struct buf folder = {0};
    struct feature_texts texts = {0};
    const struct feature_reading how = {.paths = o->targets,
                                        .tokenizer = w->tokenizer,
                                        .context = w->window,
                                        .folder = stage_path(w->d->stage, "target", &folder),
                                        .what = "select by loss-drop"};
    winnow_status st = file_make_dirs(how.folder, err);
    if (st == WINNOW_OK) {
        st = feature_texts_read(&how, stage_pool(w->d->stage), stage_env(w->d->stage), &texts, err);
    }
    st = st == WINNOW_OK ? account_need_all(&texts.account, err) : st;
    st = st != WINNOW_OK ? error_wrap(err, st, "the target %s", o->targets.items[0]) : st;
    if (st == WINNOW_OK) {
        take_examples(&texts, &w->examples);
    }
    if (st == WINNOW_OK && w->examples.count == 0) {
        st = error_set(err, WINNOW_E_FORMAT, "the target %s has no example with anything to learn",
                       o->targets.items[0]);
    }
    feature_texts_release(&texts);
    st = st == WINNOW_OK ? file_remove_tree(how.folder, err) : st;
    buf_release(&folder);
    return st;
}

static winnow_status warm(struct dropping *w, struct winnow_error *err)
{
    const struct winnow_select_options *o = w->d->opt;
    const struct winnow_env *env = stage_env(w->d->stage);
    struct buf folder = {0};
    struct tune_options opt = {.held_out = &w->none,
                               .warmup = 0.1,
                               .lora_rank = o->lora_rank,
                               .lora_alpha = 2.0 * o->lora_rank,
                               .batch_tokens = STEP_TOKENS,
                               .epochs = o->tune_epochs,
                               .seed = env->seed,
                               .folder = stage_path(w->d->stage, "warm", &folder),
                               .stage = "warm"};
    struct tune_result done = {0};
    trainer_of(o, &opt.trainer);
    opt.batch_tokens = w->examples.longest > STEP_TOKENS ? w->examples.longest : STEP_TOKENS;
    winnow_status st = file_make_dirs(opt.folder, err);
    if (st == WINNOW_OK) {
        st = tune(w->model, stage_pool(w->d->stage), &w->examples, &opt, env, &done, err);
    }
    w->d->flops += done.flops;
    tune_result_release(&done);
    buf_release(&folder);
    return st;
}

/* ---- the passes ---- */

static void *worker_new(void *state)
{
    return scoring_worker_new(&((struct dropping *)state)->scoring);
}

static void worker_free(void *worker)
{
    scoring_worker_free(worker);
}

static winnow_status score_document(void *state, void *worker, const struct document *d,
                                    struct stage_result *r, struct winnow_error *err)
{
    (void)r;
    struct dropping *w = state;
    struct document_nll nll;
    TRY(scoring_responses(worker, d, &nll, err));
    double *to = &w->d->scores[w->d->row_of[d->ordinal]]; /* no other thread's */
    *to = w->again ? (*to - nll.mean) / *to : nll.mean;
    return WINNOW_OK;
}

static winnow_status run_pass(struct dropping *w, const char *name, struct winnow_error *err)
{
    const struct scoring_shape shape = {.window = w->window};
    const struct stage_pass pass = {.name = name,
                                    .state = w,
                                    .worker_new = worker_new,
                                    .worker_free = worker_free,
                                    .document = score_document,
                                    .word_bytes = 64,
                                    .worker_bytes =
                                        scoring_worker_bytes(model_config(w->model), WINNOW_F32)};
    w->scoring = (struct scoring){.env = stage_env(w->d->stage), .compute = WINNOW_F32};
    TRY(scoring_init(&w->scoring, w->model, w->tokenizer, stage_pool(w->d->stage), shape, err));
    winnow_status st = stage_run_pass(w->d->stage, &pass, err);
    w->d->flops += w->scoring.flops;
    scoring_release(&w->scoring);
    return st;
}

static winnow_status run(struct dropping *w, struct winnow_error *err)
{
    TRY(model_load(w->d->opt->model, &w->model, err));
    TRY(model_load_tokenizer(w->d->opt->model, &w->tokenizer, err));
    uint32_t context = model_config(w->model)->context;
    w->window = context < WINDOW_MOST ? context : WINDOW_MOST;
    TRY(read_target(w, err));
    TRY(run_pass(w, "before", err));
    TRY(warm(w, err));
    w->again = true;
    return run_pass(w, "after", err);
}

winnow_status loss_drop_run(struct loss_drop *d, struct winnow_error *err)
{
    struct dropping w = {.d = d};
    for (size_t i = 0; i < d->rows; i++) {
        d->scores[i] = (double)NAN;
    }
    winnow_status st = run(&w, err);
    tune_examples_release(&w.examples);
    tokenizer_free(w.tokenizer);
    model_free(w.model);
    return st;
}
