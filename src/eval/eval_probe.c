/* eval_probe.c -- completions asked for without generating anything.
 *
 * That n tokens generated greedily are the text's own says that each of them is the likeliest
 * behind the text before it: one pass over the text has all points.  A token with p > 1/2 is
 * the likeliest and one with p < 1/vocabulary is not; where that does not decide a point, the
 * logits up to its end are computed. */
#include "eval/eval_probe.h"

#include "base/mem.h"
#include "engine/engine.h"
#include "eval/eval_scorer.h"

#include <math.h>

#define FIRST_POINT 2U

struct probe {
    struct eval_scorer *scorer;
    const struct eval_probe_options *opt;
    struct u32_list ids; /* of the text at hand, the start token first where there is one */
    float *nll;          /* of each token but the first */
    size_t nll_cap;
    float *logits;
    size_t logits_cap;
};

static uint32_t vocab_of(const struct probe *p)
{
    return model_config(engine_model(eval_engine(p->scorer)))->vocab;
}

/* Whether the likeliest token behind ids[0 .. i) is ids[i], for i from..to - 1. */
static winnow_status is_greedy(struct probe *p, size_t from, size_t to, bool *greedy,
                               struct winnow_error *err)
{
    size_t n = to - 1, vocab = vocab_of(p);
    if (n * vocab > p->logits_cap) {
        mem_free(p->logits);
        p->logits_cap = n * vocab;
        p->logits = mem_try_alloc(p->logits_cap * sizeof *p->logits);
        if (!p->logits) {
            p->logits_cap = 0;
            return error_set(err, WINNOW_E_NOMEM, "no memory for the logits of %zu tokens", n);
        }
    }
    const uint32_t starts[2] = {0, (uint32_t)n};
    const struct token_batch batch = {
        .tokens = p->ids.ptr, .starts = starts, .sequences = 1, .targets = p->ids.ptr + 1};
    TRY(engine_logits(eval_engine(p->scorer), &batch, p->logits, err));
    *greedy = true;
    for (size_t i = from; *greedy && i < to; i++) {
        const float *row = p->logits + (i - 1) * vocab;
        for (size_t v = 0; v < vocab; v++) {
            *greedy &= !(row[v] > row[p->ids.ptr[i]]);
        }
    }
    return WINNOW_OK;
}

/* The point at the text's token `at`; ids[base] is the text's first. */
static winnow_status ask(struct probe *p, size_t base, size_t at, struct eval_probe_score *out,
                         struct winnow_error *err)
{
    double certain = log(2.0) * 0.999, hopeless = log((double)vocab_of(p)) * 1.001;
    size_t from = base + at, to = from + p->opt->n;
    bool right = true, open = false;
    for (size_t i = from; i < to; i++) { /* nll[i - 1] is that of ids[i] */
        right &= (double)p->nll[i - 1] < hopeless;
        open |= (double)p->nll[i - 1] > certain;
    }
    if (right && open) {
        TRY(is_greedy(p, from, to, &right, err));
    }
    out->asked++;
    out->right += right;
    return WINNOW_OK;
}

static winnow_status ask_points(struct probe *p, size_t base, size_t tokens,
                                struct eval_probe_score *out, struct winnow_error *err)
{
    uint32_t n = p->opt->n, points = p->opt->points;
    size_t before = SIZE_MAX;
    if (tokens < FIRST_POINT + n) {
        return WINNOW_OK;
    }
    for (uint32_t k = 0; k < points; k++) {
        size_t span = tokens - n - FIRST_POINT;
        size_t at = FIRST_POINT + (points > 1 ? span * k / (points - 1) : 0);
        if (at != before) { /* a short text has fewer */
            TRY(ask(p, base, at, out, err));
        }
        before = at;
    }
    return WINNOW_OK;
}

static winnow_status probe_text(struct probe *p, struct str text, struct eval_probe_score *out,
                                struct winnow_error *err)
{
    uint32_t start = eval_start_token(p->scorer);
    size_t base = start != MODEL_NO_TOKEN;
    *out = (struct eval_probe_score){0};
    p->ids.len = 0;
    if (base) {
        u32_list_add(&p->ids, start);
    }
    eval_encode(p->scorer, text, &p->ids);
    if (p->ids.len > eval_window(p->scorer)) {
        out->cut = (uint32_t)(p->ids.len - eval_window(p->scorer));
        p->ids.len = eval_window(p->scorer);
    }
    if (p->ids.len < 2) {
        return WINNOW_OK;
    }
    size_t predicted = p->ids.len - 1;
    if (predicted > p->nll_cap) {
        p->nll = mem_realloc(p->nll, p->nll_cap * sizeof *p->nll, predicted * sizeof *p->nll);
        p->nll_cap = predicted;
    }
    const struct eval_sum sum = {.nll = &out->nll, .nll_each = p->nll};
    out->tokens = (uint32_t)predicted;
    TRY(eval_queue(p->scorer, p->ids.ptr, p->ids.ptr + 1, predicted, sum, err));
    TRY(eval_flush(p->scorer, err));
    return ask_points(p, base, p->ids.len - base, out, err);
}

winnow_status eval_probe(struct eval_scorer *s, const struct str *texts, size_t count,
                         const struct eval_probe_options *opt, struct eval_probe_score *out,
                         struct winnow_error *err)
{
    struct probe p = {.scorer = s, .opt = opt};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < count && st == WINNOW_OK; i++) {
        st = probe_text(&p, texts[i], &out[i], err);
    }
    u32_list_release(&p.ids);
    mem_free(p.nll);
    mem_free(p.logits);
    return st;
}
