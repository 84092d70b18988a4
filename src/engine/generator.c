/* generator.c -- requests in, answers out.
 *
 * Requests lie in a ring in the order of their submission; each has arrays of
 * the context's length, so that nothing is allocated between generator_new()
 * and generator_free().  generator_next() makes passes until the oldest request
 * is done; the others go on meanwhile.
 */
#include "engine/generator.h"

#include "base/env.h"
#include "base/mem.h"
#include "base/round.h"
#include "engine/generator_internal.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define WINDOW_ROWS  4U
#define ROWS_DEFAULT 32U
#define ROWS_MAX     4096U
#define PAGE_DEFAULT 32U
#define STEP_DEFAULT 504U
#define BLOCK_PANELS 4U
#define CACHE_MAX    ((uint64_t)1 << 30)

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* ---- memory ---- */

static winnow_status describe(struct generator *g, const struct generator_options *opt,
                              struct winnow_error *err)
{
    const struct engine *e = g->e;
    uint32_t cols = e->k->gemm_cols;
    g->rows = opt->rows > 0 ? opt->rows : ROWS_DEFAULT;
    g->context = opt->context_max > 0 ? opt->context_max : e->tokens_max;
    if (g->context > e->tokens_max || g->context < 2) {
        return error_set(err, WINNOW_E_USAGE,
                         "generator: a context of %u tokens, the engine was made for 2 to %u",
                         g->context, e->tokens_max);
    }
    if (g->rows > ROWS_MAX || g->rows > e->tokens_max) {
        return error_set(err, WINNOW_E_USAGE, "generator: %u rows, at most %u are possible",
                         g->rows, e->tokens_max < ROWS_MAX ? e->tokens_max : ROWS_MAX);
    }
    g->window = WINDOW_ROWS * g->rows;
    /* Whole tiles for every thread, so that none waits in a pass full of prompts. */
    g->step_tokens = opt->step_tokens > 0
                         ? opt->step_tokens
                         : (uint32_t)round_up(STEP_DEFAULT, e->threads * TILE_MOST);
    g->step_tokens = g->step_tokens > e->tokens_max ? e->tokens_max : g->step_tokens;
    g->step_tokens = g->step_tokens < g->rows ? g->rows : g->step_tokens;
    g->block = BLOCK_PANELS * e->k->gemm_rows;
    g->keys_max = (uint32_t)round_up(g->context, cols);
    uint32_t page = opt->page_tokens > 0 ? opt->page_tokens : PAGE_DEFAULT;
    page = (uint32_t)round_up(page < g->context ? page : g->context, cols);
    kv_cache_describe(&g->cache, &(struct kv_shape){.g = e->g_attention,
                                                    .layers = e->c.layers,
                                                    .kv_heads = e->c.kv_heads,
                                                    .head_dim = e->c.head_dim,
                                                    .head_pad = e->head_pad,
                                                    .page_tokens = page});
    return WINNOW_OK;
}

/* Bytes of everything but the pages. */
static uint64_t bookkeeping(const struct generator *g)
{
    uint64_t slot =
        sizeof(struct slot) + (uint64_t)g->context * 12 + 64 + token_mask_words(g->e->c.vocab) * 8;
    uint64_t pass = (uint64_t)g->step_tokens * 8 + generate_pieces_max(g) * 20 +
                    (uint64_t)g->rows * (40 + generate_chunks(g) * sizeof(struct choice));
    uint64_t block = (uint64_t)g->block + g->e->k->gemm_rows;
    uint64_t worker = block * (g->keys_max * 8ULL + g->e->c.head_dim * 4ULL) + 512;
    return g->window * slot + pass + g->e->threads * worker;
}

/* How many pages, from the budgets; fewer than a row of full length needs are
 * refused. */
static winnow_status count_pages(struct generator *g, const struct generator_options *opt,
                                 uint32_t *count, struct winnow_error *err)
{
    uint64_t page = g->cache.page_bytes + (uint64_t)g->cache.shape.page_tokens * 4 + 64;
    uint64_t row = (g->context + g->cache.shape.page_tokens - 1) / g->cache.shape.page_tokens;
    uint64_t budget = opt->cache_bytes > 0 ? opt->cache_bytes : CACHE_MAX;
    uint64_t fixed = g->e->memory_bytes + bookkeeping(g), max = g->env->memory_max;
    if (opt->cache_bytes == 0 && budget < row * page) {
        budget = row * page;
    }
    if (max > 0) {
        uint64_t left = max > fixed ? max - fixed : 0;
        if (left < budget && (opt->cache_bytes > 0 || left < row * page)) {
            return error_set(
                err, WINNOW_E_LIMIT,
                "generator: needs %llu MiB with its engine, --memory allows %llu MiB",
                (unsigned long long)((fixed + (opt->cache_bytes > 0 ? budget : row * page)) >> 20),
                (unsigned long long)(max >> 20));
        }
        budget = left < budget ? left : budget;
    }
    uint64_t most = row * g->rows, pages = budget / page < most ? budget / page : most;
    if (pages < row) {
        return error_set(err, WINNOW_E_LIMIT,
                         "generator: a cache of %llu KiB does not hold one row of %u tokens, which "
                         "takes %llu KiB",
                         (unsigned long long)(budget >> 10), g->context,
                         (unsigned long long)((row * page + 1023) >> 10));
    }
    *count = (uint32_t)pages;
    g->bytes = bookkeeping(g) + pages * page;
    return WINNOW_OK;
}

static bool allocate_slots(struct generator *g)
{
    struct arena *a = &g->arena;
    uint32_t row = (g->context + g->cache.shape.page_tokens - 1) / g->cache.shape.page_tokens;
    size_t words = token_mask_words(g->e->c.vocab), n = g->window;
    g->slots = arena_try_alloc(a, n, sizeof *g->slots);
    uint32_t *tokens = arena_try_alloc(a, n * g->context, sizeof *tokens);
    uint32_t *pages = arena_try_alloc(a, n * row, sizeof *pages);
    float *margins = arena_try_alloc(a, n * g->context, sizeof *margins);
    uint64_t *bits = arena_try_alloc(a, n * words, sizeof *bits);
    if (!g->slots || !tokens || !pages || !margins || !bits) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        g->slots[i].tokens = tokens + i * g->context;
        g->slots[i].margins = margins + i * g->context;
        g->slots[i].pages = pages + i * row;
        g->slots[i].bits = bits + i * words;
    }
    return true;
}

static bool allocate_pass(struct generator *g)
{
    struct arena *a = &g->arena;
    g->parts = arena_try_alloc(a, g->rows, sizeof *g->parts);
    g->wanted = arena_try_alloc(a, g->rows, sizeof *g->wanted);
    g->tokens = arena_try_alloc(a, g->step_tokens, sizeof *g->tokens);
    g->token_page = arena_try_alloc(a, g->step_tokens, sizeof *g->token_page);
    g->pieces = arena_try_alloc(a, generate_pieces_max(g), sizeof *g->pieces);
    g->choices = arena_try_alloc(a, generate_chunks(g) * g->rows, sizeof *g->choices);
    g->scratch = arena_try_alloc(a, g->e->threads, sizeof *g->scratch);
    bool all = g->parts && g->wanted && g->tokens && g->token_page && g->pieces && g->choices &&
               g->scratch;
    size_t block = g->block;
    for (uint32_t i = 0; all && i < g->e->threads; i++) {
        struct generate_scratch *s = &g->scratch[i];
        s->query = arena_try_alloc(a, block * g->e->c.head_dim, sizeof(float));
        s->scores = arena_try_alloc(a, block * g->keys_max, sizeof(float));
        s->p = arena_try_alloc(a, block * g->keys_max, sizeof(float));
        all = s->query && s->scores && s->p;
    }
    return all;
}

winnow_status generator_new(struct engine *e, const struct generator_options *opt,
                            const struct winnow_env *env, struct generator **out,
                            struct winnow_error *err)
{
    struct generator *g = mem_zalloc(sizeof *g);
    g->e = e;
    g->env = env;
    arena_init(&g->arena, 1);
    uint32_t pages = 0;
    winnow_status st = describe(g, opt, err);
    if (st == WINNOW_OK) {
        st = count_pages(g, opt, &pages, err);
    }
    if (st == WINNOW_OK &&
        (!allocate_slots(g) || !allocate_pass(g) || !kv_cache_init(&g->cache, pages, &g->arena))) {
        st = error_set(err, WINNOW_E_NOMEM, "generator: no memory for %llu MiB",
                       (unsigned long long)(g->bytes >> 20));
    }
    if (st != WINNOW_OK) {
        generator_free(g);
        return st;
    }
    g->stats.pages = pages;
    *out = g;
    return WINNOW_OK;
}

void generator_free(struct generator *g)
{
    if (!g) {
        return;
    }
    kv_cache_release(&g->cache);
    arena_release(&g->arena);
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

/* ---- the life of a request ---- */

static void finish(struct generator *g, struct slot *s, enum generate_end end)
{
    generate_drop_pages(g, s);
    g->running -= s->state == SLOT_RUNNING;
    s->state = SLOT_DONE;
    s->end = end;
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

/* A token was chosen. */
static void append(struct generator *g, struct slot *s, uint32_t token, float margin)
{
    const struct generate_request *r = &s->request;
    g->stats.new_tokens++;
    s->margins[s->chosen++] = margin;
    if (is_stop(r, token)) {
        finish(g, s, GENERATE_STOPPED);
        return;
    }
    s->tokens[s->length++] = token;
    if (r->mask) {
        r->mask->accept(r->mask_state, token);
    }
}

/* Bits that are set, the last of them in token. */
static size_t count_bits(const uint64_t *bits, size_t words, uint32_t *token)
{
    size_t count = 0;
    for (size_t i = 0; i < words; i++) {
        if (bits[i] != 0) {
            count += (size_t)__builtin_popcountll(bits[i]);
            *token = (uint32_t)(i * 64 + 63 - (size_t)__builtin_clzll(bits[i]));
        }
    }
    return count;
}

/* Asks the mask what may come next; false where the row needs the model for it
 * or is done.  A token that alone may come is appended: ask again. */
static bool ask_mask(struct generator *g, struct slot *s, bool full)
{
    const struct token_mask *mask = s->request.mask;
    size_t words = token_mask_words(g->e->c.vocab);
    memset(s->bits, 0, words * sizeof *s->bits);
    enum mask_answer may = mask->allowed(s->request.mask_state, s->bits);
    if (may == MASK_END || full) {
        finish(g, s, may == MASK_END ? GENERATE_COMPLETE : GENERATE_CUT);
        return false;
    }
    s->masked = may == MASK_BITS;
    if (!s->masked) {
        return false;
    }
    uint32_t token = 0;
    size_t count = count_bits(s->bits, words, &token);
    assert(token < g->e->c.vocab);
    if (count == 0) {
        finish(g, s, GENERATE_STUCK);
    } else if (count == 1) {
        g->stats.forced_tokens++;
        append(g, s, token, INFINITY);
        return s->state != SLOT_DONE;
    }
    return false;
}

/* What is known before the next pass: the answer is full, or the mask leaves
 * one way to go on. */
static void settle(struct generator *g, struct slot *s)
{
    for (bool again = true; again;) {
        bool full = s->length - s->prompt == s->request.new_max || s->length == g->context;
        if (s->request.mask) {
            again = ask_mask(g, s, full);
        } else {
            again = false;
            if (full) {
                finish(g, s, GENERATE_CUT);
            }
        }
    }
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
    bool refused = request->prompt_count == 0 || request->prompt_count >= g->context;
    *s = (struct slot){.request = *request,
                       .tokens = s->tokens,
                       .margins = s->margins,
                       .bits = s->bits,
                       .pages = s->pages};
    if (refused) {
        finish(g, s, GENERATE_REFUSED);
        return WINNOW_OK;
    }
    memcpy(s->tokens, request->prompt, request->prompt_count * sizeof *s->tokens);
    s->prompt = s->length = (uint32_t)request->prompt_count;
    s->request.prompt = NULL; /* the caller's, and perhaps gone */
    settle(g, s);
    return WINNOW_OK;
}

/* One forward pass, and what follows from it. */
static void pass(struct generator *g)
{
    double start = env_seconds();
    generate_plan(g);
    generate_forward(g);
    generate_choose(g);
    bool decode = true;
    struct generator_stats *t = &g->stats;
    for (uint32_t i = 0, wanted = 0; i < g->part_count; i++) {
        const struct step_part *p = &g->parts[i];
        struct slot *s = p->slot;
        s->computed += p->count;
        decode = decode && s->computed > s->prompt && p->count == 1;
        if (s->computed > s->computed_most) {
            uint32_t from = p->from > s->computed_most ? p->from : s->computed_most;
            t->prompt_tokens += from < s->prompt ? least(s->computed, s->prompt) - from : 0;
            s->computed_most = s->computed;
        }
        generate_announce(g, s);
        if (p->last) {
            const struct choice *c = &g->choices[wanted++];
            append(g, s, c->token, c->top - c->second);
            if (s->state != SLOT_DONE) {
                settle(g, s);
            }
        }
    }
    double seconds = env_seconds() - start;
    t->steps++;
    t->decode_tokens += decode ? g->wanted_count : 0;
    *(decode ? &t->decode_seconds : &t->prompt_seconds) += seconds;
}

winnow_status generator_next(struct generator *g, struct generate_answer *answer,
                             struct winnow_error *err)
{
    assert(g->waiting > 0);
    struct slot *s = &g->slots[g->first];
    engine_pack_weights(g->e);
    while (s->state != SLOT_DONE) {
        TRY(env_check(g->env, err));
        pass(g);
    }
    g->first = (g->first + 1) % g->window;
    g->waiting--;
    *answer = (struct generate_answer){.tag = s->request.tag,
                                       .end = s->end,
                                       .tokens = s->tokens + s->prompt,
                                       .count = s->length - s->prompt,
                                       .margins = s->margins,
                                       .prompt_count = (uint32_t)s->request.prompt_count};
    return WINNOW_OK;
}
