/* eval_scorer.c -- NLL of texts.
 *
 * A text's tokens t1 .. tn are predicted from the start token s in windows of
 * W positions that share no prediction:
 *
 *     inputs   s  t1 t2 .. t(W-1)  |  tW t(W+1) ..
 *     targets  t1 t2 t3 .. tW      |  t(W+1) ..
 *
 * as lm-evaluation-harness rolls its windows.  Windows of many texts are packed
 * into one batch, and their sums are added in the order in which they were
 * queued, so a result does not depend on what it was packed with. */
#include "eval/eval_scorer.h"

#include "base/grow.h"
#include "base/mem.h"
#include "engine/engine.h"

#include <math.h>

#define BATCH_TOKENS 16384U

struct eval_scorer {
    struct engine *engine;
    const struct tokenizer *tokenizer;
    struct tokenizer_scratch *scratch;
    uint32_t window, batch_tokens, start;
    struct u32_list ids;                     /* of the text at hand */
    struct u32_list tokens, targets, starts; /* the batch; starts[0] = 0 */
    struct eval_sum *sums;                   /* one a sequence of the batch */
    size_t sums_cap;
    float *nll;
    size_t nll_cap;
    struct buf bytes;
};

winnow_status eval_scorer_new(struct engine *engine, const struct tokenizer *tokenizer,
                              const struct eval_scorer_options *opt, struct eval_scorer **out,
                              struct winnow_error *err)
{
    const struct model_config *c = model_config(engine_model(engine));
    uint32_t window = opt->window ? opt->window : c->context;
    if (opt->window > engine_tokens_max(engine)) {
        return error_set(err, WINNOW_E_USAGE,
                         "a window of %u tokens is more than the %u that the engine was made for",
                         opt->window, engine_tokens_max(engine));
    }
    if (tokenizer_vocab_size(tokenizer) > c->vocab) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the tokenizer has %u tokens, the model only %u: they do not belong "
                         "together",
                         tokenizer_vocab_size(tokenizer), c->vocab);
    }
    struct eval_scorer *s = mem_zalloc(sizeof *s);
    s->engine = engine;
    s->tokenizer = tokenizer;
    s->scratch = tokenizer_scratch_new(tokenizer);
    s->window = window < engine_tokens_max(engine) ? window : engine_tokens_max(engine);
    s->batch_tokens = opt->batch_tokens ? opt->batch_tokens : BATCH_TOKENS;
    s->start = opt->start;
    if (s->start == MODEL_NO_TOKEN) {
        s->start = tokenizer_bos(tokenizer);
    }
    if (s->start == TOKENIZER_NONE) {
        s->start = tokenizer_eos(tokenizer);
    }
    u32_list_add(&s->starts, 0);
    *out = s;
    return WINNOW_OK;
}

void eval_scorer_free(struct eval_scorer *s)
{
    if (!s) {
        return;
    }
    tokenizer_scratch_free(s->scratch);
    u32_list_release(&s->ids);
    u32_list_release(&s->tokens);
    u32_list_release(&s->targets);
    u32_list_release(&s->starts);
    mem_free(s->sums);
    mem_free(s->nll);
    buf_release(&s->bytes);
    mem_free(s);
}

void eval_encode(struct eval_scorer *s, struct str text, struct u32_list *ids)
{
    tokenizer_encode(s->tokenizer, s->scratch, text, TOKENIZER_PLAIN_SPECIAL, ids);
}

uint64_t eval_token_bytes(struct eval_scorer *s, uint32_t id)
{
    struct winnow_error ignored;
    buf_clear(&s->bytes);
    if (tokenizer_decode(s->tokenizer, &id, 1, 0, &s->bytes, &ignored) != WINNOW_OK) {
        return 0; /* an id that encode gave is in the vocabulary */
    }
    return s->bytes.len;
}

uint32_t eval_start_token(const struct eval_scorer *s)
{
    return s->start;
}

uint32_t eval_window(const struct eval_scorer *s)
{
    return s->window;
}

struct engine *eval_engine(struct eval_scorer *s)
{
    return s->engine;
}

static void add_up(const struct eval_scorer *s, size_t sequence)
{
    struct eval_sum sum = s->sums[sequence];
    double total = 0;
    size_t at = 0;
    for (size_t i = s->starts.ptr[sequence]; i < s->starts.ptr[sequence + 1]; i++) {
        if (s->targets.ptr[i] == BATCH_NO_TARGET) {
            continue;
        }
        total += (double)s->nll[i];
        if (sum.nll_each) {
            sum.nll_each[at++] = s->nll[i];
        }
    }
    *sum.nll += total;
}

winnow_status eval_flush(struct eval_scorer *s, struct winnow_error *err)
{
    size_t sequences = s->starts.len - 1;
    if (sequences == 0) {
        return WINNOW_OK;
    }
    if (s->tokens.len > s->nll_cap) {
        mem_free(s->nll);
        s->nll_cap = s->tokens.len + s->tokens.len / 2;
        s->nll = mem_alloc(s->nll_cap * sizeof *s->nll);
    }
    const struct token_batch batch = {.tokens = s->tokens.ptr,
                                      .starts = s->starts.ptr,
                                      .sequences = sequences,
                                      .targets = s->targets.ptr};
    winnow_status st = engine_nll(s->engine, &batch, s->nll, err);
    for (size_t i = 0; st == WINNOW_OK && i < sequences; i++) {
        add_up(s, i);
    }
    s->tokens.len = 0;
    s->targets.len = 0;
    s->starts.len = 1;
    return st;
}

winnow_status eval_queue(struct eval_scorer *s, const uint32_t *inputs, const uint32_t *targets,
                         size_t count, struct eval_sum sum, struct winnow_error *err)
{
    if (s->tokens.len > 0 && s->tokens.len + count > s->batch_tokens) {
        TRY(eval_flush(s, err));
    }
    size_t sequence = s->starts.len - 1;
    GROW(s->sums, sequence, s->sums_cap, 256);
    s->sums[sequence] = sum;
    memcpy(u32_list_reserve(&s->tokens, count), inputs, count * sizeof *inputs);
    memcpy(u32_list_reserve(&s->targets, count), targets, count * sizeof *targets);
    s->tokens.len += count;
    s->targets.len += count;
    u32_list_add(&s->starts, (uint32_t)s->tokens.len);
    return WINNOW_OK;
}

winnow_status eval_nll(struct eval_scorer *s, const struct str *texts, size_t count,
                       struct eval_text_nll *out, struct winnow_error *err)
{
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && i < count; i++) {
        out[i] = (struct eval_text_nll){.bytes = texts[i].len};
        s->ids.len = 0;
        if (s->start != MODEL_NO_TOKEN) {
            u32_list_add(&s->ids, s->start);
        }
        eval_encode(s, texts[i], &s->ids);
        if (s->start == MODEL_NO_TOKEN && s->ids.len > 0) {
            out[i].bytes -= eval_token_bytes(s, s->ids.ptr[0]);
        }
        if (s->ids.len < 2) {
            out[i].bytes = 0;
            continue;
        }
        out[i].tokens = s->ids.len - 1;
        for (size_t at = 0; st == WINNOW_OK && at + 1 < s->ids.len; at += s->window) {
            size_t left = s->ids.len - 1 - at, n = left < s->window ? left : s->window;
            const struct eval_sum sum = {.nll = &out[i].nll};
            st = eval_queue(s, s->ids.ptr + at, s->ids.ptr + at + 1, n, sum, err);
        }
    }
    winnow_status flushed = eval_flush(s, err); /* empties the queue after a failure too */
    return st == WINNOW_OK ? flushed : st;
}

double eval_nll_mean(const struct eval_text_nll *sum)
{
    return sum->tokens ? sum->nll / (double)sum->tokens : (double)NAN;
}

double eval_bits_per_byte(const struct eval_text_nll *sum)
{
    return sum->bytes ? sum->nll / log(2.0) / (double)sum->bytes : (double)NAN;
}

void eval_nll_add(struct eval_text_nll *sum, const struct eval_text_nll *more)
{
    sum->nll += more->nll;
    sum->tokens += more->tokens;
    sum->bytes += more->bytes;
}
