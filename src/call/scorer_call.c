/* scorer_call.c -- scores of texts in memory.
 *
 * The packed weights are there once; each thread of the pool has an engine of its own, so
 * that a score depends on its text alone, as in the stage `score`. */
#include "winnow/score.h"
#include "winnow/text.h"

#include "base/env.h"
#include "base/mem.h"
#include "call/call_internal.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "prune/scoring.h"

struct winnow_scorer {
    struct winnow_env env;
    struct winnow_score_options opt;
    struct arena keep; /* of what opt and env point to */
    struct model *model;
    struct tokenizer *tokenizer;
    struct pool *pool;
    struct scoring scoring;
    struct scoring_worker **workers; /* one a thread of the pool */
    pthread_mutex_t lock;            /* of pool and workers */
};

static winnow_status set_up(struct winnow_scorer *s, struct winnow_error *err)
{
    const struct winnow_score_options *o = &s->opt;
    const struct scoring_shape shape = {o->window, o->stride, o->fixed_length};
    if (!o->model) {
        return error_set(err, WINNOW_E_USAGE, "a scorer needs a model: {\"model\": PATH}");
    }
    TRY(model_open(o->model, &s->model, err));
    TRY(scoring_need_memory(model_config(s->model), o->compute, pool_threads(s->pool),
                            s->env.memory_max, "a scorer", err));
    TRY(model_load_tokenizer(o->tokenizer ? o->tokenizer : o->model, &s->tokenizer, err));
    s->scoring.env = &s->env;
    s->scoring.compute = o->compute;
    TRY(scoring_init(&s->scoring, s->model, s->tokenizer, s->pool, shape, err));
    uint32_t threads = pool_threads(s->pool);
    s->workers = mem_zalloc(threads * sizeof *s->workers);
    for (uint32_t i = 0; i < threads; i++) {
        s->workers[i] = scoring_worker_new(&s->scoring);
    }
    return WINNOW_OK;
}

winnow_status winnow_scorer_open(const char *options, const struct winnow_env *env,
                                 struct winnow_scorer **out, struct winnow_error *err)
{
    struct winnow_scorer *s = mem_zalloc(sizeof *s);
    *out = NULL;
    arena_init(&s->keep, 1024);
    (void)pthread_mutex_init(&s->lock, NULL);
    s->env = *env;
    s->env.log = NULL;
    s->env.progress = NULL;
    if (env->kernels) {
        s->env.kernels = arena_strndup(&s->keep, env->kernels, strlen(env->kernels));
    }
    s->pool = pool_new(env->threads);
    winnow_status st = call_options(&SCORE_TABLE, options, &s->opt, &s->keep, err);
    st = st == WINNOW_OK ? set_up(s, err) : st;
    if (st != WINNOW_OK) {
        winnow_scorer_close(s);
        return st;
    }
    *out = s;
    return WINNOW_OK;
}

void winnow_scorer_close(struct winnow_scorer *s)
{
    if (!s) {
        return;
    }
    for (uint32_t i = 0; s->workers && i < pool_threads(s->pool); i++) {
        scoring_worker_free(s->workers[i]);
    }
    mem_free(s->workers);
    scoring_release(&s->scoring);
    pool_free(s->pool);
    tokenizer_free(s->tokenizer);
    model_free(s->model);
    (void)pthread_mutex_destroy(&s->lock);
    arena_release(&s->keep);
    mem_free(s);
}

/* One call on its way. */
struct call {
    struct winnow_scorer *s;
    const struct winnow_text_view *texts;
    struct winnow_text_score *scores;
    pthread_mutex_t lock; /* of what follows */
    size_t failed;        /* the first text that did */
    winnow_status status;
    struct winnow_error *err;
};

static void score_piece(void *ctx, size_t piece, uint32_t worker)
{
    struct call *c = ctx;
    struct winnow_error err;
    struct document_nll nll = {0};
    struct str text = call_text(c->texts[piece].ptr, c->texts[piece].len);
    winnow_status st = env_check(&c->s->env, &err);
    st = st == WINNOW_OK ? scoring_text(c->s->workers[worker], text, false, &nll, &err) : st;
    c->scores[piece] = (struct winnow_text_score){nll.mean, nll.tokens};
    if (st != WINNOW_OK) {
        (void)pthread_mutex_lock(&c->lock);
        if (c->status == WINNOW_OK || piece < c->failed) {
            c->failed = piece;
            c->status = st;
            *c->err = err;
        }
        (void)pthread_mutex_unlock(&c->lock);
    }
}

winnow_status winnow_scorer_texts(struct winnow_scorer *s, const struct winnow_text_view *texts,
                                  size_t count, struct winnow_text_score *scores,
                                  struct winnow_error *err)
{
    struct call c = {.s = s, .texts = texts, .scores = scores, .err = err};
    for (size_t i = 0; i < count; i++) {
        TRY(call_check_text(call_text(texts[i].ptr, texts[i].len), err));
    }
    (void)pthread_mutex_init(&c.lock, NULL);
    (void)pthread_mutex_lock(&s->lock);
    pool_run(s->pool, count, score_piece, &c);
    (void)pthread_mutex_unlock(&s->lock);
    (void)pthread_mutex_destroy(&c.lock);
    return c.status;
}
