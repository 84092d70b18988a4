/* scoring.c -- mean NLL of documents, on as many threads as there are.
 *
 * Weights are packed once and shared; each worker has an engine over them with its
 * own activations, made when it gets its first document.  With a fixed length, texts
 * that are shorter than that get the corpus's mean course of NLL over positions added
 * (eval/document_score.h), measured on the documents of least draw. */
#include "prune/scoring.h"

#include "winnow/train.h"

#include "base/env.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "train/example_text.h"

#include <math.h>

#define PASS_BESIDE ((uint64_t)8 << 20) /* weights, tokenizer, writers of attributes */
#define WINDOW_MOST 2048U               /* default for models with longer contexts */

winnow_status scoring_init(struct scoring *s, const struct model *m, const struct tokenizer *t,
                           struct pool *pool, struct scoring_shape shape, struct winnow_error *err)
{
    const struct model_config *c = model_config(m);
    if (tokenizer_vocab_size(t) > c->vocab) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the tokenizer has %u tokens, the model knows %u: they do not belong "
                         "together",
                         tokenizer_vocab_size(t), c->vocab);
    }
    uint32_t most = c->context < WINDOW_MOST ? c->context : WINDOW_MOST;
    s->score.window = shape.window > 0 ? shape.window : most;
    if (s->score.window < 2 || s->score.window > c->context) {
        return error_set(err, WINNOW_E_USAGE,
                         "--window %u: the model was made for 2 to %u tokens at once",
                         s->score.window, c->context);
    }
    s->score.stride = shape.stride > 0 ? shape.stride : s->score.window / 2;
    if (s->score.stride >= s->score.window) {
        return error_set(err, WINNOW_E_USAGE, "--stride %u is not smaller than the window of %u",
                         s->score.stride, s->score.window);
    }
    s->score.fixed_length = shape.fixed_length;
    s->score.start = c->bos != MODEL_NO_TOKEN ? c->bos : c->eos;
    const struct engine_options opt = {.compute = scoring_compute(s->compute), .tokens_max = 1};
    TRY(engine_new(m, pool, &opt, s->env, &s->weights, err));
    s->model = m;
    s->tokenizer = t;
    length_curve_init(&s->curve, shape.fixed_length);
    (void)pthread_mutex_init(&s->lock, NULL);
    return WINNOW_OK;
}

void scoring_release(struct scoring *s)
{
    if (s->model) {
        engine_free(s->weights);
        length_curve_release(&s->curve);
        (void)pthread_mutex_destroy(&s->lock);
    }
    *s = (struct scoring){0};
}

uint64_t scoring_worker_bytes(const struct model_config *c, int compute)
{
    struct engine_options opt = ENGINE_OPTIONS_INIT;
    opt.compute = scoring_compute(compute);
    uint64_t all = engine_memory(c, &opt, 1);
    opt.tokens_max = 1;
    uint64_t weights = engine_memory(c, &opt, 1);
    return all > weights ? all - weights : 0;
}

uint64_t scoring_memory(const struct model_config *c, int compute, uint32_t threads)
{
    const struct engine_options opt = {.compute = scoring_compute(compute), .tokens_max = 1};
    return engine_memory(c, &opt, threads) + threads * scoring_worker_bytes(c, compute) +
           PASS_BESIDE;
}

winnow_status scoring_need_memory(const struct model_config *c, int compute, uint32_t threads,
                                  uint64_t limit, const char *command, struct winnow_error *err)
{
    uint64_t bytes = scoring_memory(c, compute, threads);
    return memory_need(limit, command, bytes + STAGE_MEMORY_LEAST,
                       "use fewer threads (-t), each of which has an engine, or --compute int8",
                       err);
}

struct scoring_worker {
    struct scoring *s;
    struct pool *pool;
    struct engine *engine;
    struct document_scorer *scorer;
    struct tokenizer_scratch *scratch;
    struct u32_list tokens;
    struct example_encoder *encoder; /* of responses; made when they are asked for */
    struct example_text example;
    double flops;
};

struct scoring_worker *scoring_worker_new(struct scoring *s)
{
    struct scoring_worker *w = mem_zalloc(sizeof *w);
    w->s = s;
    w->pool = pool_new(1);
    w->scorer = document_scorer_new(&s->score);
    w->scratch = tokenizer_scratch_new(s->tokenizer);
    return w;
}

void scoring_worker_free(struct scoring_worker *w)
{
    if (w) {
        (void)pthread_mutex_lock(&w->s->lock);
        w->s->flops += w->flops;
        (void)pthread_mutex_unlock(&w->s->lock);
        engine_free(w->engine);
        document_scorer_free(w->scorer);
        tokenizer_scratch_free(w->scratch);
        u32_list_release(&w->tokens);
        example_encoder_free(w->encoder);
        example_text_release(&w->example);
        pool_free(w->pool);
        mem_free(w);
    }
}

/* Bytes that the first so many tokens of a text surely lie in (0: all): no token of a
 * usual vocabulary is longer on average over that many. */
static uint64_t prefix_bytes(uint32_t fixed_length)
{
    return (uint64_t)fixed_length * 64;
}

struct str scoring_prefix(struct str text, uint32_t fixed_length)
{
    return fixed_length == 0 ? text : utf8_cut(text, (size_t)prefix_bytes(fixed_length));
}

enum engine_compute scoring_compute(int compute)
{
    static const enum engine_compute OF[] = {
        [WINNOW_F32] = ENGINE_F32, [WINNOW_BF16] = ENGINE_BF16, [WINNOW_INT8] = ENGINE_INT8};
    return OF[compute];
}

static winnow_status need_engine(struct scoring_worker *w, struct winnow_error *err)
{
    if (w->engine) {
        return WINNOW_OK;
    }
    const struct scoring *s = w->s;
    struct engine_options opt = ENGINE_OPTIONS_INIT;
    opt.compute = scoring_compute(s->compute);
    opt.weights = s->weights;
    return engine_new(s->model, w->pool, &opt, s->env, &w->engine, err);
}

winnow_status scoring_responses(struct scoring_worker *w, const struct document *d,
                                struct document_nll *out, struct winnow_error *err)
{
    struct scoring *s = w->s;
    struct example_text *x = &w->example;
    TRY(need_engine(w, err));
    if (!w->encoder) {
        w->encoder = example_encoder_new(s->tokenizer, s->score.window);
    }
    example_encode(w->encoder, d->json, d->text, x);
    const struct scored_sequence sequence = {x->tokens.ptr, x->targets.ptr,
                                             x->count > 0 ? x->tokens.len : 0};
    TRY(document_score_targets(w->scorer, w->engine, model_config(s->model), &sequence, out, err));
    w->flops += out->flops;
    return WINNOW_OK;
}

winnow_status scoring_text(struct scoring_worker *w, struct str text, bool correct,
                           struct document_nll *out, struct winnow_error *err)
{
    struct scoring *s = w->s;
    TRY(need_engine(w, err));
    w->tokens.len = 0;
    tokenizer_encode(s->tokenizer, w->scratch, scoring_prefix(text, s->score.fixed_length),
                     TOKENIZER_PLAIN_SPECIAL, &w->tokens);
    TRY(document_score(w->scorer, w->engine, model_config(s->model), w->tokens.ptr, w->tokens.len,
                       out, err));
    w->flops += out->flops;
    if (correct && s->score.fixed_length > 0) {
        out->mean += length_curve_correction(&s->curve, out->tokens);
    }
    return WINNOW_OK;
}

void scoring_attributes(struct str text, const struct document_nll *nll, struct buf *out)
{
    if (isfinite(nll->mean)) {
        stage_add_score(out, "winnow__nll", text, nll->mean);
        stage_add_score(out, "winnow__ppl", text, exp(nll->mean));
        stage_add_score(out, "winnow__tokens", text, (double)nll->tokens);
    }
}

/* ---- the sample ---- */

struct least_draws scoring_sample(uint32_t fixed_length)
{
    return (struct least_draws){
        .bytes_max = SCORING_SAMPLE, .as_one = true, .text_max = prefix_bytes(fixed_length)};
}

winnow_status scoring_measure_curve(struct scoring *s, struct least_draws *sample,
                                    struct winnow_error *err)
{
    struct scoring_worker *w = scoring_worker_new(s);
    winnow_status st = WINNOW_OK;
    least_draws_sort(sample);
    for (size_t i = 0; i < sample->count && st == WINNOW_OK; i++) {
        struct document_nll nll;
        st = env_check(s->env, err);
        if (st == WINNOW_OK) {
            st = scoring_text(w, (struct str){sample->items[i].text, sample->items[i].len}, false,
                              &nll, err);
        }
        if (st == WINNOW_OK) {
            length_curve_add(&s->curve, nll.nll, nll.tokens);
        }
    }
    scoring_worker_free(w);
    return st;
}
