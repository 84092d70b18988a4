/* document_score.c -- windows laid out as sequences of one packed batch.
 *
 *     tokens    t0 t1 t2 t3 t4 t5 t6 t7 t8        window 5, stride 2, start S
 *     window 0  S  t0 t1 t2 t3                    scores t0..t3
 *     window 1  S  t2 t3 t4 t5                    scores t4, t5
 *     window 2  S  t4 t5 t6 t7                    scores t6, t7
 *     window 3  S  t6 t7 t8                       scores t8
 *
 * A window that holds nothing new is not read.  Sequences do not see each other
 * (engine/batch.h), so a document costs one call of the engine. */
#include "eval/document_score.h"

#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <string.h>

struct document_scorer {
    struct document_score_options opt;
    struct document_windows laid;
    float *nll;
    size_t nll_cap;
};

struct document_scorer *document_scorer_new(const struct document_score_options *opt)
{
    assert(opt->window >= 2 && opt->stride >= 1 && opt->stride < opt->window);
    struct document_scorer *s = mem_zalloc(sizeof *s);
    s->opt = *opt;
    return s;
}

void document_scorer_free(struct document_scorer *s)
{
    if (s) {
        document_windows_release(&s->laid);
        mem_free(s->nll);
        mem_free(s);
    }
}

/* ---- layout ---- */

void document_windows_release(struct document_windows *w)
{
    u32_list_release(&w->tokens);
    u32_list_release(&w->targets);
    u32_list_release(&w->starts);
}

/* One window over tokens from..to (exclusive), of which those from `scored` on
 * have not been scored yet. */
static void add_window(struct document_windows *w, uint32_t start, const uint32_t *tokens,
                       size_t from, size_t to, size_t scored)
{
    if (start != MODEL_NO_TOKEN) {
        u32_list_add(&w->tokens, start);
        u32_list_add(&w->targets, scored <= from ? tokens[from] : BATCH_NO_TARGET);
    }
    for (size_t i = from; i < to; i++) {
        u32_list_add(&w->tokens, tokens[i]);
        bool wanted = i + 1 < to && i + 1 >= scored;
        u32_list_add(&w->targets, wanted ? tokens[i + 1] : BATCH_NO_TARGET);
    }
    u32_list_add(&w->starts, (uint32_t)w->tokens.len);
}

void document_windows_lay(struct document_windows *w, const struct document_score_options *opt,
                          const uint32_t *tokens, size_t count)
{
    bool head = opt->start != MODEL_NO_TOKEN;
    size_t width = opt->window - (head ? 1U : 0U);
    if (opt->fixed_length > 0 && count > opt->fixed_length) {
        count = opt->fixed_length;
    }
    w->tokens.len = w->targets.len = w->starts.len = 0;
    u32_list_add(&w->starts, 0);
    /* without a start token the very first token is context only */
    size_t scored = head ? 0 : 1;
    for (size_t from = 0; scored < count; from += opt->stride) {
        size_t to = from + width < count ? from + width : count;
        add_window(w, opt->start, tokens, from, to, scored);
        scored = to;
    }
}

/* ---- scores ---- */

/* What is laid out. */
static winnow_status score(struct document_scorer *s, struct engine *engine,
                           const struct model_config *config, struct document_nll *out,
                           struct winnow_error *err)
{
    size_t n = s->laid.tokens.len;
    *out = (struct document_nll){.mean = (double)NAN, .computed = n};
    if (n == 0) {
        return WINNOW_OK;
    }
    if (s->nll_cap < n) {
        mem_free(s->nll);
        s->nll_cap = 0;
        s->nll = mem_try_alloc(2 * n * sizeof *s->nll);
        if (!s->nll) {
            return error_set(err, WINNOW_E_NOMEM, "no memory to score a document of %zu tokens", n);
        }
        s->nll_cap = 2 * n;
    }
    const struct token_batch batch = {s->laid.tokens.ptr, s->laid.starts.ptr,
                                      s->laid.starts.len - 1, s->laid.targets.ptr};
    TRY(engine_nll(engine, &batch, s->nll, err));
    for (size_t i = 0; i < batch.sequences; i++) {
        out->flops += model_config_flops(config, s->laid.starts.ptr[i + 1] - s->laid.starts.ptr[i]);
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++) { /* positions without a target drop out */
        if (s->laid.targets.ptr[i] != BATCH_NO_TARGET) {
            float v = s->nll[i];
            sum += (double)v;
            s->nll[out->tokens++] = v;
        }
    }
    out->mean = out->tokens > 0 ? sum / (double)out->tokens : (double)NAN;
    out->nll = s->nll;
    return WINNOW_OK;
}

winnow_status document_score(struct document_scorer *s, struct engine *engine,
                             const struct model_config *config, const uint32_t *tokens,
                             size_t count, struct document_nll *out, struct winnow_error *err)
{
    document_windows_lay(&s->laid, &s->opt, tokens, count);
    return score(s, engine, config, out, err);
}

winnow_status document_score_targets(struct document_scorer *s, struct engine *engine,
                                     const struct model_config *config,
                                     const struct scored_sequence *sequence,
                                     struct document_nll *out, struct winnow_error *err)
{
    size_t count = sequence->count;
    s->laid.tokens.len = s->laid.targets.len = s->laid.starts.len = 0;
    memcpy(u32_list_reserve(&s->laid.tokens, count + 1), sequence->tokens,
           count * sizeof *sequence->tokens);
    memcpy(u32_list_reserve(&s->laid.targets, count + 1), sequence->targets,
           count * sizeof *sequence->targets);
    s->laid.tokens.len = s->laid.targets.len = count;
    u32_list_add(&s->laid.starts, 0);
    u32_list_add(&s->laid.starts, (uint32_t)count);
    return score(s, engine, config, out, err);
}

void length_curve_init(struct length_curve *c, uint32_t length)
{
    c->length = length;
    c->sum = mem_zalloc(((size_t)length + 1) * sizeof *c->sum);
    c->count = mem_zalloc(((size_t)length + 1) * sizeof *c->count);
}

void length_curve_release(struct length_curve *c)
{
    mem_free(c->sum);
    mem_free(c->count);
    *c = (struct length_curve){0};
}

void length_curve_add(struct length_curve *c, const float *nll, uint64_t tokens)
{
    for (uint64_t i = 0; i < tokens && i < c->length; i++) {
        c->sum[i] += (double)nll[i];
        c->count[i]++;
    }
}

double length_curve_correction(const struct length_curve *c, uint64_t tokens)
{
    if (tokens == 0 || tokens >= c->length) {
        return 0;
    }
    double at = 0, sum = 0, sum_short = 0;
    for (uint32_t i = 0; i < c->length; i++) {
        if (c->count[i] > 0) { /* else no document reaches it: as the position before */
            at = c->sum[i] / (double)c->count[i];
        }
        sum += at;
        if (i + 1 == tokens) {
            sum_short = sum;
        }
    }
    return sum / c->length - sum_short / (double)tokens;
}
