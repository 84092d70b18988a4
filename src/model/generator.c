/* generator.c -- requests in order, answers in order.
 *
 * A first form: one request after the other, the whole sequence through
 * engine_logits() for each token.
 */
#include "model/generator.h"

#include "base/env.h"
#include "base/mem.h"
#include "model/engine_internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define WINDOW_ROWS 4U

struct slot {
    struct generate_request request;
    uint32_t *tokens; /* [context] prompt, then answer */
    float *margins;   /* [context] */
    uint32_t count;
    bool refused;
};

struct generator {
    struct engine *e;
    const struct winnow_env *env;
    uint32_t context, window;
    uint32_t first, waiting; /* the ring of slots */
    struct slot *slots;
    uint64_t *bits;
    float *logits;
    size_t bytes;
    struct generator_stats stats;
};

winnow_status generator_new(struct engine *e, const struct generator_options *opt,
                            const struct winnow_env *env, struct generator **out,
                            struct winnow_error *err)
{
    struct generator *g = mem_zalloc(sizeof *g);
    g->e = e;
    g->env = env;
    g->context = opt->context_max > 0 ? opt->context_max : e->tokens_max;
    g->window = WINDOW_ROWS * (opt->rows > 0 ? opt->rows : 32);
    g->slots = mem_zalloc(g->window * sizeof *g->slots);
    for (uint32_t i = 0; i < g->window; i++) {
        g->slots[i].tokens = mem_alloc(g->context * sizeof(uint32_t));
        g->slots[i].margins = mem_alloc(g->context * sizeof(float));
    }
    g->bits = mem_zalloc(token_mask_words(e->c.vocab) * sizeof *g->bits);
    g->bytes = (size_t)g->context * e->c.vocab * sizeof(float);
    g->logits = mem_try_alloc(g->bytes);
    if (!g->logits) {
        generator_free(g);
        return error_set(err, WINNOW_E_NOMEM, "generator: no memory");
    }
    *out = g;
    return WINNOW_OK;
}

void generator_free(struct generator *g)
{
    if (!g) {
        return;
    }
    for (uint32_t i = 0; i < g->window; i++) {
        mem_free(g->slots[i].tokens);
        mem_free(g->slots[i].margins);
    }
    mem_free(g->slots);
    mem_free(g->bits);
    mem_free(g->logits);
    mem_free(g);
}

uint64_t generator_bytes(const struct generator *g)
{
    return g->bytes;
}

uint32_t generator_window(const struct generator *g)
{
    return g->window;
}

uint32_t generator_waiting(const struct generator *g)
{
    return g->waiting;
}

const struct generator_stats *generator_stats(const struct generator *g)
{
    return &g->stats;
}

winnow_status generator_submit(struct generator *g, const struct generate_request *request,
                               struct winnow_error *err)
{
    assert(g->waiting < g->window);
    for (size_t i = 0; i < request->prompt_count; i++) {
        if (request->prompt[i] >= g->e->c.vocab) {
            return error_set(err, WINNOW_E_FORMAT,
                             "token %zu of a prompt lies outside the vocabulary of %u", i,
                             g->e->c.vocab);
        }
    }
    struct slot *s = &g->slots[(g->first + g->waiting++) % g->window];
    s->request = *request;
    s->count = 0;
    s->refused = request->prompt_count == 0 || request->prompt_count >= g->context;
    if (!s->refused) {
        memcpy(s->tokens, request->prompt, request->prompt_count * sizeof *s->tokens);
    }
    return WINNOW_OK;
}

static bool is_stop(const struct generate_request *r, uint32_t token)
{
    for (size_t i = 0; i < r->stop_count; i++) {
        if (r->stops[i] == token) {
            return true;
        }
    }
    return false;
}

static uint32_t choose(const float *logits, uint32_t vocab, const uint64_t *bits, float *margin)
{
    uint32_t best = UINT32_MAX;
    float top = -INFINITY, second = -INFINITY;
    for (uint32_t v = 0; v < vocab; v++) {
        if (bits && !(bits[v / 64] >> (v % 64) & 1)) {
            continue;
        }
        if (best == UINT32_MAX || logits[v] > top) {
            second = top;
            top = logits[v];
            best = v;
        } else if (logits[v] > second) {
            second = logits[v];
        }
    }
    *margin = top - second;
    return best;
}

static winnow_status answer_slot(struct generator *g, struct slot *s, enum generate_end *end,
                                 struct winnow_error *err)
{
    const struct generate_request *r = &s->request;
    uint32_t vocab = g->e->c.vocab;
    for (*end = GENERATE_CUT; s->count < r->new_max && r->prompt_count + s->count < g->context;) {
        TRY(env_check(g->env, err));
        enum mask_answer may = MASK_ANY;
        if (r->mask) {
            memset(g->bits, 0, token_mask_words(vocab) * sizeof *g->bits);
            may = r->mask->allowed(r->mask_state, g->bits);
        }
        if (may == MASK_END) {
            *end = GENERATE_COMPLETE;
            break;
        }
        uint32_t n = (uint32_t)r->prompt_count + s->count, starts[2] = {0, n};
        TRY(engine_logits(g->e, &(struct token_batch){s->tokens, starts, 1, NULL}, g->logits, err));
        uint32_t token = choose(g->logits + (size_t)(n - 1) * vocab, vocab,
                                may == MASK_BITS ? g->bits : NULL, &s->margins[s->count]);
        if (token == UINT32_MAX) {
            *end = GENERATE_STUCK;
            break;
        }
        g->stats.new_tokens++;
        if (is_stop(r, token)) {
            *end = GENERATE_STOPPED;
            break;
        }
        if (r->mask) {
            r->mask->accept(r->mask_state, token);
        }
        s->tokens[n] = token;
        s->count++;
    }
    return WINNOW_OK;
}

winnow_status generator_next(struct generator *g, struct generate_answer *answer,
                             struct winnow_error *err)
{
    assert(g->waiting > 0);
    struct slot *s = &g->slots[g->first];
    enum generate_end end = GENERATE_REFUSED;
    if (!s->refused) {
        TRY(answer_slot(g, s, &end, err));
    }
    g->first = (g->first + 1) % g->window;
    g->waiting--;
    *answer = (struct generate_answer){.tag = s->request.tag,
                                       .end = end,
                                       .tokens = s->tokens + s->request.prompt_count,
                                       .count = s->count,
                                       .margins = s->margins,
                                       .prompt_count = (uint32_t)s->request.prompt_count};
    if (end == GENERATE_REFUSED) {
        answer->tokens = s->tokens;
    }
    return WINNOW_OK;
}
