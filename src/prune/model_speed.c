/* model_speed.c -- how fast a model would be here, from a trial of a second or two.
 *
 * Large shapes are tried in part (two layers, a small vocabulary) and scaled by FLOPs;
 * made-up tokens do, as time does not depend on what they say.  It is an estimate for
 * --dry-run and never part of a result. */
#include "prune/model_speed.h"

#include "base/amount.h"
#include "base/env.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "model/model_file.h"
#include "train/small_model.h"

#include <math.h>
#include <stdio.h>

#define TOKEN_BYTES      4.0 /* of English under the common tokenizers */
#define TRIAL_SECONDS    1.0
#define CALL_FLOPS       2e10 /* about, of one call of a trial: a second of a slow processor */
#define CALL_TOKENS_MIN  64U
#define FULL_PARAMETERS  ((uint64_t)30000000) /* larger shapes are measured in part */
#define PART_LAYERS      2U
#define PART_DIM         1024U
#define PART_VOCAB       8192U
#define BATCH_TOKENS_MAX 2048U

/* Sequences of made-up tokens, `tokens` in all. */
struct trial_batch {
    uint32_t *tokens, *starts;
    struct token_batch view;
};

static void batch_init(struct trial_batch *b, uint32_t vocab, uint32_t sequence, uint32_t tokens)
{
    size_t count = tokens / sequence > 0 ? tokens / sequence : 1;
    b->tokens = mem_alloc(count * sequence * sizeof *b->tokens);
    b->starts = mem_alloc((count + 1) * sizeof *b->starts);
    for (size_t i = 0; i < count * sequence; i++) {
        b->tokens[i] = (uint32_t)((i * 7919 + i / sequence) % vocab);
    }
    for (size_t i = 0; i <= count; i++) {
        b->starts[i] = (uint32_t)(i * sequence);
    }
    b->view = (struct token_batch){.tokens = b->tokens, .starts = b->starts, .sequences = count};
}

static void batch_release(struct trial_batch *b)
{
    mem_free(b->tokens);
    mem_free(b->starts);
}

static struct model_config part_of(const struct model_config *c)
{
    struct model_config part = *c;
    if (model_config_parameters(c) > FULL_PARAMETERS) {
        part.layers = c->layers < PART_LAYERS ? c->layers : PART_LAYERS;
        part.vocab = c->vocab < PART_VOCAB ? c->vocab : PART_VOCAB;
        uint32_t by = (c->dim + PART_DIM - 1) / PART_DIM;
        part.dim = c->dim / by;
        part.ffn = c->ffn / by > 0 ? c->ffn / by : 1;
        part.heads = c->heads / by > 0 ? c->heads / by : 1;
        part.kv_heads = part.heads % c->kv_heads == 0 ? c->kv_heads : part.heads;
    }
    return part;
}

static double token_flops(const struct model_config *c, uint32_t sequence)
{
    return model_config_flops(c, sequence) / sequence;
}

/* How many tokens make a call that is long enough to be timed and short enough to wait for. */
static uint32_t call_tokens(const struct model_config *c, uint32_t sequence, double passes,
                            uint32_t most)
{
    double tokens = CALL_FLOPS / passes / token_flops(c, sequence);
    tokens = tokens < CALL_TOKENS_MIN ? CALL_TOKENS_MIN : tokens;
    return tokens < most ? (uint32_t)tokens : most;
}

/* What is done again and again until the trial's time is over. */
static winnow_status time_scoring(struct engine *e, const struct token_batch *b, double *speed,
                                  struct winnow_error *err)
{
    float *nll = mem_alloc(batch_tokens(b) * sizeof *nll);
    winnow_status st = engine_nll(e, b, nll, err); /* the first call warms up */
    double start = env_seconds(), now = start, tokens = 0;
    while (st == WINNOW_OK && (tokens == 0 || now - start < TRIAL_SECONDS)) {
        st = engine_nll(e, b, nll, err);
        tokens += (double)batch_tokens(b);
        now = env_seconds();
    }
    *speed = now > start ? tokens / (now - start) : 0;
    mem_free(nll);
    return st;
}

winnow_status model_speed_score(const struct model_config *c, int compute, uint32_t sequence,
                                uint32_t threads, double *out, struct winnow_error *err)
{
    static const enum engine_compute COMPUTE[] = {
        [WINNOW_F32] = ENGINE_F32, [WINNOW_BF16] = ENGINE_BF16, [WINNOW_INT8] = ENGINE_INT8};
    const struct model_config part = part_of(c);
    const struct winnow_env env = {.threads = threads};
    sequence = sequence < 2 ? 2 : sequence > BATCH_TOKENS_MAX ? BATCH_TOKENS_MAX : sequence;
    const struct engine_options opt = {.compute = COMPUTE[compute], .tokens_max = BATCH_TOKENS_MAX};
    struct model *m = NULL;
    struct engine *e = NULL;
    struct trial_batch b = {0};
    TRY(model_new(&part, &m, err));
    model_init_random(m, 1);
    struct pool *pool = pool_new(threads);
    winnow_status st = engine_new(m, pool, &opt, &env, &e, err);
    if (st == WINNOW_OK) {
        uint32_t tokens = call_tokens(&part, sequence, 1, BATCH_TOKENS_MAX);
        uint32_t tried = sequence < tokens ? sequence : tokens;
        batch_init(&b, part.vocab, tried, tokens);
        st = time_scoring(e, &b.view, out, err);
        *out *= token_flops(&part, tried) / token_flops(c, sequence);
    }
    batch_release(&b);
    engine_free(e);
    pool_free(pool);
    model_free(m);
    return st;
}

winnow_status model_speed_train(const struct winnow_small_model *s, uint32_t threads, double *out,
                                struct winnow_error *err)
{
    const struct winnow_env env = {.threads = threads};
    struct model_config full, part;
    struct trainer_options opt;
    struct trainer *t = NULL;
    struct model *m = NULL;
    struct trial_batch b = {0};
    TRY(small_model_check(s, err));
    full = small_model_shape(s);
    TRY(model_config_check(&full, err));
    part = part_of(&full);
    small_model_trainer(s, 1000000, &opt);
    TRY(model_new(&part, &m, err));
    model_init_random(m, 1);
    struct pool *pool = pool_new(threads);
    uint32_t tokens = call_tokens(&part, s->context, 3, 1 << 20);
    tokens = s->batch_tokens < tokens ? (uint32_t)s->batch_tokens : tokens;
    uint32_t tried = s->context < tokens ? s->context : tokens;
    batch_init(&b, part.vocab, tried, tokens);
    winnow_status st = trainer_new(m, pool, &opt, &env, &t, err);
    double start = env_seconds(), now = start, done = 0;
    while (st == WINNOW_OK && (done == 0 || now - start < TRIAL_SECONDS)) {
        struct trainer_result r;
        st = trainer_step(t, &b.view, &r, err);
        done += (double)batch_tokens(&b.view);
        now = env_seconds();
    }
    *out = now > start ? done / (now - start) : 0;
    *out *= token_flops(&part, tried) / token_flops(&full, s->context);
    trainer_free(t);
    batch_release(&b);
    pool_free(pool);
    model_free(m);
    return st;
}

double model_speed_tokens(const struct stage_plan *plan, double token_bytes,
                          struct scoring_shape shape)
{
    double documents = (double)plan->documents;
    double each = documents > 0 ? (double)plan->text_bytes / token_bytes / documents : 0;
    if (shape.fixed_length > 0) {
        each = fmin(each, shape.fixed_length);
    }
    double window = shape.window, stride = shape.stride > 0 ? shape.stride : window / 2;
    if (stride > 0 && each > window) { /* each window is read whole */
        each = window * (1 + (each - window) / stride);
    }
    return documents * each;
}

void model_speed_expect(const char *path, int compute, struct scoring_shape shape,
                        const struct stage_plan *plan, struct stage_estimate *out)
{
    struct model_config c;
    struct winnow_error err;
    double speed = 0;
    winnow_status st = model_load_config(path, &c, &err);
    if (st == WINNOW_OK) {
        shape.window = shape.window > 0 ? shape.window : c.context < 2048 ? c.context : 2048;
        double mean = (double)plan->text_bytes / TOKEN_BYTES / (double)(plan->documents + 1);
        double sequence = fmin(shape.window, fmax(16, mean));
        sequence = shape.fixed_length > 0 ? fmin(sequence, shape.fixed_length) : sequence;
        st = model_speed_score(&c, compute, (uint32_t)sequence, plan->threads, &speed, &err);
    }
    if (st != WINNOW_OK || !(speed > 0)) {
        (void)snprintf(out->note, sizeof out->note, "its speed is not known: %.300s",
                       st != WINNOW_OK ? err.text : "the trial was too short");
        return;
    }
    double tokens = model_speed_tokens(plan, TOKEN_BYTES, shape);
    out->seconds = tokens / speed;
    out->memory = scoring_memory(&c, compute, plan->threads);
    (void)snprintf(out->note, sizeof out->note,
                   "about %s tokens through %s parameters; in a trial just now %.*f tokens a "
                   "second",
                   amount_count(tokens).text,
                   amount_count((double)model_config_parameters(&c)).text, speed < 10 ? 2 : 0,
                   speed);
}
