/* The generator against its slow twin, which takes one request at a time through
 * engine_logits(), the whole sequence for each token: tokens and margins must be
 * the same bit for bit, whatever travels together, however small pages, passes
 * and cache are. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "engine/generator.h"
#include "math/kernels.h"
#include "small_llama.h"

#include <stdlib.h>
#include <string.h>

#define REQUESTS 16U
#define CONTEXT  256U

struct fixture {
    struct model *m;
    struct pool *pool;
    struct engine *e;
    struct winnow_env env;
};

/* A prompt, and the answer to it. */
struct item {
    uint32_t prompt[CONTEXT], prompt_count, new_max;
    uint32_t tokens[CONTEXT], count;
    float margins[CONTEXT];
    enum generate_end end;
};

/* Several chunks of vocabulary, biases, an untied head, scaled rotation. */
static struct model_config full_config(void)
{
    struct model_config c = odd_llama();
    c.vocab = 2100;
    c.tied = false;
    c.qkv_bias = c.out_bias = c.mlp_bias = true;
    c.rope_scaling = ROPE_LLAMA3;
    c.rope_factor = 8;
    c.rope_context = 32;
    c.rope_base = 500;
    return c;
}

/* One kv head, head_dim 80, as ProX's refiners have it; whole panels of ffn. */
static struct model_config one_kv_head_config(void)
{
    struct model_config c = odd_llama();
    c.vocab = 300;
    c.dim = 48;
    c.heads = 8;
    c.kv_heads = 1;
    c.head_dim = 80;
    c.ffn = 64;
    return c;
}

static void randomize(struct model *m)
{
    struct rng r;
    rng_init(&r, 7, "test weights");
    for (size_t i = 0; i < model_tensor_count(m); i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        bool norm = strstr(t->name, "norm") != NULL;
        for (size_t j = 0; j < (size_t)t->rows * t->cols; j++) {
            double x = rng_normal(&r);
            model_data(m, t)[j] = (float)(norm ? 1 + 0.3 * x : 0.3 * x);
        }
    }
}

static void open_engine(struct fixture *f, const struct model_config *c,
                        enum engine_compute compute, uint32_t threads, const char *kernels)
{
    struct winnow_error err;
    memset(f, 0, sizeof *f);
    assert_ok(model_new(c, &f->m, &err), err);
    randomize(f->m);
    f->pool = pool_new(threads);
    f->env.kernels = kernels;
    struct engine_options opt = {.compute = compute, .tokens_max = CONTEXT};
    assert_ok(engine_new(f->m, f->pool, &opt, &f->env, &f->e, &err), err);
}

static void close_engine(struct fixture *f)
{
    engine_free(f->e);
    pool_free(f->pool);
    model_free(f->m);
}

/* Prompts of 1 to 150 tokens; every third begins like the one before it. */
static void fill_items(struct item *items, uint32_t vocab)
{
    struct rng r;
    rng_init(&r, 5, "test prompts");
    for (size_t i = 0; i < REQUESTS; i++) {
        struct item *x = &items[i];
        memset(x, 0, sizeof *x);
        x->prompt_count = 1 + (uint32_t)rng_below(&r, i % 4 == 0 ? 150 : 50);
        x->new_max = (uint32_t)rng_below(&r, 14);
        for (uint32_t j = 0; j < x->prompt_count; j++) {
            bool same = i % 3 == 2 && j < items[i - 1].prompt_count;
            x->prompt[j] = same ? items[i - 1].prompt[j] : (uint32_t)rng_below(&r, vocab);
        }
    }
}

/* ---- the twin ---- */

static uint32_t twin_choice(const float *logits, uint32_t vocab, const uint64_t *bits,
                            float *margin)
{
    uint32_t best = UINT32_MAX;
    float second = -INFINITY;
    for (uint32_t v = 0; v < vocab; v++) {
        if (bits && !(bits[v / 64] >> (v % 64) & 1)) {
            continue;
        }
        if (best == UINT32_MAX || logits[v] > logits[best]) {
            second = best == UINT32_MAX ? -INFINITY : logits[best];
            best = v;
        } else if (logits[v] > second) {
            second = logits[v];
        }
    }
    *margin = best == UINT32_MAX ? 0 : logits[best] - second;
    return best;
}

/* mask may be NULL; stop UINT32_MAX: none. */
static void twin(struct fixture *f, struct item *x, const struct token_mask *mask, void *state,
                 uint32_t stop, uint32_t context)
{
    struct winnow_error err;
    uint32_t vocab = model_config(f->m)->vocab, n = x->prompt_count;
    uint32_t tokens[CONTEXT];
    float *logits = malloc((size_t)CONTEXT * vocab * sizeof *logits);
    uint64_t bits[64];
    memcpy(tokens, x->prompt, n * sizeof *tokens);
    for (x->count = 0, x->end = GENERATE_CUT;; n++) {
        bool full = x->count == x->new_max || n == context;
        enum mask_answer may = MASK_ANY;
        memset(bits, 0, sizeof bits);
        if (mask) {
            may = mask->allowed(state, bits);
        }
        if (may == MASK_END) {
            x->end = GENERATE_COMPLETE;
            break;
        }
        if (full) {
            break;
        }
        uint32_t starts[2] = {0, n};
        struct token_batch b = {tokens, starts, 1, NULL};
        assert_ok(engine_logits(f->e, &b, logits, &err), err);
        uint32_t token = twin_choice(logits + (size_t)(n - 1) * vocab, vocab,
                                     may == MASK_BITS ? bits : NULL, &x->margins[x->count]);
        if (token == UINT32_MAX) {
            x->end = GENERATE_STUCK;
            break;
        }
        if (token == stop) {
            x->end = GENERATE_STOPPED;
            break;
        }
        if (mask) {
            mask->accept(state, token);
        }
        tokens[n] = x->tokens[x->count++] = token;
    }
    free(logits);
}

/* ---- the generator on the same ---- */

/* How it is asked: everything that must not show. */
struct way {
    struct generator_options opt;
    uint32_t cache_rows; /* cache_bytes: so many rows of full length; 0: all */
    uint32_t ahead;      /* requests waiting at most; 0: the window */
};

static void assert_answer(const struct generate_answer *a, const struct item *want, size_t i)
{
    size_t margins = want->count + (want->end == GENERATE_STOPPED ? 1U : 0U);
    assert_int_equal(a->tag, 1000 + i);
    assert_int_equal(a->end, want->end);
    assert_int_equal(a->count, want->count);
    assert_int_equal(a->prompt_count, want->prompt_count);
    assert_memory_equal(a->tokens, want->tokens, want->count * sizeof *want->tokens);
    assert_memory_equal(a->margins, want->margins, margins * sizeof *want->margins);
}

/* Runs items through a generator and compares; states: one a request, or NULL. */
static struct generator_stats check_all(struct fixture *f, const struct item *items,
                                        const struct way *way, const struct token_mask *mask,
                                        void *const *states, const uint32_t *stop)
{
    struct winnow_error err;
    struct generator *g = NULL;
    struct generator_options opt = way->opt;
    if (way->cache_rows > 0) { /* what one row needs is found by being refused */
        opt.cache_bytes = 1;
        while (generator_new(f->e, &opt, &f->env, &g, &err) != WINNOW_OK) {
            opt.cache_bytes += opt.cache_bytes / 16 + 64;
        }
        generator_free(g);
        opt.cache_bytes *= way->cache_rows;
    }
    assert_ok(generator_new(f->e, &opt, &f->env, &g, &err), err);
    uint32_t most = way->ahead > 0 ? way->ahead : generator_window(g);
    for (size_t in = 0, out = 0; out < REQUESTS;) {
        while (in < REQUESTS && generator_waiting(g) < most) {
            uint32_t *prompt = malloc(sizeof items[in].prompt); /* gone after the call */
            memcpy(prompt, items[in].prompt, sizeof items[in].prompt);
            struct generate_request r = {.prompt = prompt,
                                         .prompt_count = items[in].prompt_count,
                                         .new_max = items[in].new_max,
                                         .stops = stop,
                                         .stop_count = stop ? 1 : 0,
                                         .mask = mask,
                                         .mask_state = states ? states[in] : NULL,
                                         .tag = 1000 + in};
            assert_ok(generator_submit(g, &r, &err), err);
            free(prompt);
            in++;
        }
        struct generate_answer a;
        assert_ok(generator_next(g, &a, &err), err);
        assert_answer(&a, &items[out], out);
        out++;
    }
    struct generator_stats stats = *generator_stats(g);
    assert_int_equal(generator_waiting(g), 0);
    assert_true(stats.pages_most <= stats.pages);
    generator_free(g);
    return stats;
}

static void twin_all(struct fixture *f, struct item *items)
{
    for (size_t i = 0; i < REQUESTS; i++) {
        twin(f, &items[i], NULL, NULL, UINT32_MAX, CONTEXT);
    }
}

static void every_model_and_kernel_table_continues_as_the_twin_does(void **state)
{
    (void)state;
    struct model_config configs[] = {odd_llama(), full_config(), one_kv_head_config()};
    static struct item items[REQUESTS];
    for (size_t c = 0; c < 3; c++) {
        for (size_t k = 0; kernels_usable(k); k++) {
            for (int compute = ENGINE_F32; compute <= ENGINE_INT8; compute++) {
                struct fixture f;
                open_engine(&f, &configs[c], (enum engine_compute)compute, 2,
                            kernels_usable(k)->name);
                fill_items(items, configs[c].vocab);
                twin_all(&f, items);
                struct way way = {.opt = {.rows = 5}};
                struct generator_stats s = check_all(&f, items, &way, NULL, NULL, NULL);
                assert_true(s.new_tokens > 50 && s.preemptions == 0);
                close_engine(&f);
            }
        }
    }
}

static void no_way_of_working_shows_in_the_answers(void **state)
{
    (void)state;
    static struct item items[REQUESTS];
    struct model_config c = full_config();
    const struct way ways[] = {
        {.opt = {.rows = 1}},
        {.opt = {.rows = 3, .step_tokens = 3}},
        {.opt = {.rows = 7, .step_tokens = 40, .page_tokens = 64}},
        {.opt = {.rows = 16, .page_tokens = 200}},
        {.opt = {.rows = 8}, .cache_rows = 1},
        {.opt = {.rows = 6, .step_tokens = 33}, .cache_rows = 2, .ahead = 7},
        {.opt = {.rows = 200}, .ahead = 2},
    };
    uint64_t preemptions = 0, shared = 0, again = 0;
    for (uint32_t threads = 1; threads <= 3; threads += 2) {
        for (int compute = ENGINE_F32; compute <= ENGINE_INT8; compute++) {
            struct fixture f;
            open_engine(&f, &c, (enum engine_compute)compute, threads, NULL);
            fill_items(items, c.vocab);
            for (size_t i = 0; i < REQUESTS; i += 3) {
                items[i].new_max += 70; /* grow over pages, and into those of others */
            }
            twin_all(&f, items);
            for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
                struct generator_stats s = check_all(&f, items, &ways[w], NULL, NULL, NULL);
                preemptions += s.preemptions;
                shared += s.shared_tokens;
                again += s.again_tokens;
            }
            close_engine(&f);
        }
    }
    assert_true(preemptions > 8 && again > 100 && shared > 100);
}

/* ---- masks and ends ---- */

/* Allows what a hash of the tokens so far says: anything, some, one, or the end. */
struct random_mask {
    uint64_t hash;
    uint32_t vocab, accepted;
};

static enum mask_answer random_allowed(void *state, uint64_t *bits)
{
    const struct random_mask *m = state;
    struct rng r;
    rng_init(&r, m->hash, "mask");
    uint64_t kind = rng_below(&r, 16);
    if (kind == 0) {
        return MASK_END;
    }
    if (kind < 4) {
        return MASK_ANY;
    }
    uint64_t count = kind < 10 ? 1 : kind == 15 ? m->vocab : 1 + rng_below(&r, 9);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t v = rng_below(&r, m->vocab);
        bits[v / 64] |= 1ULL << (v % 64);
    }
    return MASK_BITS;
}

static void random_accept(void *state, uint32_t token)
{
    struct random_mask *m = state;
    m->hash = (m->hash ^ token) * 0x9E3779B97F4A7C15ULL + 1;
    m->accepted++;
}

static const struct token_mask RANDOM_MASK = {random_allowed, random_accept};

static void masks_are_kept_and_forced_tokens_cost_no_choice(void **state)
{
    (void)state;
    static struct item items[REQUESTS];
    static struct random_mask masks[REQUESTS];
    void *states[REQUESTS];
    struct model_config c = full_config();
    struct fixture f;
    open_engine(&f, &c, ENGINE_BF16, 2, NULL);
    const struct way ways[] = {
        {.opt = {.rows = 4}},
        {.opt = {.rows = 9, .step_tokens = 20}, .cache_rows = 1},
    };
    size_t ended = 0, count = 0;
    for (size_t w = 0; w < 2; w++) {
        fill_items(items, c.vocab);
        for (int pass = 0; pass < 2; pass++) {
            for (size_t i = 0; i < REQUESTS; i++) {
                masks[i] = (struct random_mask){i, c.vocab, 0};
                states[i] = &masks[i];
                if (pass == 0) {
                    items[i].new_max = 30;
                    twin(&f, &items[i], &RANDOM_MASK, states[i], UINT32_MAX, CONTEXT);
                    ended += items[i].end == GENERATE_COMPLETE;
                    count += items[i].count;
                }
            }
        }
        struct generator_stats s = check_all(&f, items, &ways[w], &RANDOM_MASK, states, NULL);
        assert_true(s.forced_tokens > s.new_tokens / 5);
        for (size_t i = 0; i < REQUESTS; i++) {
            assert_int_equal(masks[i].accepted, items[i].count);
        }
    }
    assert_true(ended > 4 && count > 60);
    close_engine(&f);
}

static enum mask_answer nothing_allowed(void *state, uint64_t *bits)
{
    (void)bits;
    return *(uint32_t *)state < 3 ? MASK_ANY : MASK_BITS;
}

static void count_accepted(void *state, uint32_t token)
{
    (void)token;
    ++*(uint32_t *)state;
}

static void answers_end_where_they_should(void **state)
{
    (void)state;
    static struct item items[REQUESTS];
    struct model_config c = odd_llama();
    struct fixture f;
    open_engine(&f, &c, ENGINE_F32, 1, NULL);
    /* A stop token that the model chooses. */
    fill_items(items, c.vocab);
    twin_all(&f, items);
    uint32_t stop = items[1].count > 0 ? items[1].tokens[items[1].count - 1] : items[2].tokens[0];
    size_t stopped = 0;
    for (size_t i = 0; i < REQUESTS; i++) {
        twin(&f, &items[i], NULL, NULL, stop, CONTEXT);
        stopped += items[i].end == GENERATE_STOPPED;
    }
    assert_true(stopped > 1);
    struct way way = {.opt = {.rows = 4}};
    (void)check_all(&f, items, &way, NULL, NULL, &stop);
    /* A context that fills up; prompts that do not fit or are empty. */
    for (size_t i = 0; i < REQUESTS; i++) {
        items[i].new_max = 1000;
        if (items[i].prompt_count >= 60) {
            items[i].end = GENERATE_REFUSED;
            items[i].count = 0;
        } else {
            twin(&f, &items[i], NULL, NULL, UINT32_MAX, 60);
            assert_int_equal(items[i].prompt_count + items[i].count, 60);
        }
    }
    items[3].prompt_count = 0;
    items[3].end = GENERATE_REFUSED;
    items[3].count = 0;
    way.opt.context_max = 60;
    (void)check_all(&f, items, &way, NULL, NULL, NULL);
    /* A mask without a way on. */
    static const struct token_mask mask = {nothing_allowed, count_accepted};
    uint32_t accepted[REQUESTS] = {0};
    void *states[REQUESTS];
    fill_items(items, c.vocab);
    for (size_t i = 0; i < REQUESTS; i++) {
        states[i] = &accepted[i];
        items[i].new_max = 20;
        twin(&f, &items[i], &mask, states[i], UINT32_MAX, CONTEXT);
        assert_int_equal(items[i].end, GENERATE_STUCK);
        assert_int_equal(items[i].count, 3);
        accepted[i] = 0;
    }
    way.opt.context_max = 0;
    (void)check_all(&f, items, &way, &mask, states, NULL);
    close_engine(&f);
}

/* ---- memory, and what is refused ---- */

static void prompts_with_the_same_head_share_its_pages(void **state)
{
    (void)state;
    static struct item items[REQUESTS];
    struct model_config c = odd_llama();
    struct fixture f;
    open_engine(&f, &c, ENGINE_BF16, 2, NULL);
    fill_items(items, c.vocab);
    items[0].prompt_count = 120;
    items[0].new_max = 1;
    for (size_t i = 1; i < REQUESTS; i++) { /* 100 tokens in common, then their own */
        memcpy(items[i].prompt, items[0].prompt, 100 * sizeof(uint32_t));
        items[i].prompt_count = 101 + (uint32_t)i;
        items[i].new_max = 1 + (uint32_t)i % 5;
    }
    twin_all(&f, items);
    struct way way = {.opt = {.rows = 2}};
    struct generator_stats s = check_all(&f, items, &way, NULL, NULL, NULL);
    /* All but those that were admitted with the first: 3 pages of 32 each. */
    assert_true(s.shared_tokens >= (REQUESTS - 2) * 96);
    /* The same prompt again, whole pages of it: its last token is computed anew. */
    for (size_t i = 1; i < REQUESTS; i++) {
        items[i] = items[0];
        items[i].prompt_count = 64;
    }
    twin_all(&f, items);
    (void)check_all(&f, items, &way, NULL, NULL, NULL);
    close_engine(&f);
}

static void memory_is_bounded_and_too_little_is_refused(void **state)
{
    (void)state;
    struct model_config c = odd_llama();
    struct fixture f;
    struct winnow_error err;
    struct generator *g = NULL;
    open_engine(&f, &c, ENGINE_F32, 1, NULL);
    struct generator_options opt = {.rows = 4};
    assert_ok(generator_new(f.e, &opt, &f.env, &g, &err), err);
    uint64_t bytes = generator_bytes(g);
    generator_free(g);
    f.env.memory_max = engine_bytes(f.e) + bytes;
    assert_ok(generator_new(f.e, &opt, &f.env, &g, &err), err);
    assert_int_equal(generator_bytes(g), bytes);
    uint32_t pages = generator_stats(g)->pages;
    generator_free(g);
    /* Less memory, fewer pages; and in the end too few. */
    for (uint64_t less = bytes; less > 0; less -= bytes / 64 + 1 < less ? bytes / 64 + 1 : less) {
        f.env.memory_max = engine_bytes(f.e) + less;
        winnow_status st = generator_new(f.e, &opt, &f.env, &g, &err);
        if (st != WINNOW_OK) {
            assert_int_equal(st, WINNOW_E_LIMIT);
            break;
        }
        assert_true(generator_bytes(g) <= less);
        assert_true(generator_stats(g)->pages <= pages);
        pages = generator_stats(g)->pages;
        generator_free(g);
    }
    f.env.memory_max = 0;
    opt.cache_bytes = 1000;
    assert_int_equal(generator_new(f.e, &opt, &f.env, &g, &err), WINNOW_E_LIMIT);
    opt.cache_bytes = 0;
    opt.rows = CONTEXT + 1;
    assert_int_equal(generator_new(f.e, &opt, &f.env, &g, &err), WINNOW_E_USAGE);
    opt.rows = 4;
    opt.context_max = CONTEXT + 1;
    assert_int_equal(generator_new(f.e, &opt, &f.env, &g, &err), WINNOW_E_USAGE);
    opt.context_max = 0;
    unsigned long n = 1;
    for (winnow_status st = WINNOW_E_NOMEM; st != WINNOW_OK; n++) {
        mem_fail_at(n);
        st = generator_new(f.e, &opt, &f.env, &g, &err);
        mem_fail_at(0);
        assert_true(st == WINNOW_OK || st == WINNOW_E_NOMEM);
    }
    assert_true(n > 5);
    uint32_t prompt[2] = {1, c.vocab};
    struct generate_request r = {.prompt = prompt, .prompt_count = 2, .new_max = 3};
    assert_int_equal(generator_submit(g, &r, &err), WINNOW_E_FORMAT);
    assert_int_equal(generator_waiting(g), 0);
    /* Freed with requests waiting and running. */
    prompt[1] = 2;
    for (int i = 0; i < 8; i++) {
        assert_ok(generator_submit(g, &r, &err), err);
    }
    struct generate_answer a;
    assert_ok(generator_next(g, &a, &err), err);
    int cancel = 1;
    f.env.cancel = &cancel;
    for (int i = 0; i < 4; i++) { /* the first four ran side by side and are done */
        winnow_status st = generator_next(g, &a, &err);
        assert_true(st == WINNOW_OK || st == WINNOW_E_CANCELLED);
        if (st != WINNOW_OK) {
            break;
        }
        assert_true(i < 3);
    }
    generator_free(g);
    close_engine(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_and_kernel_table_continues_as_the_twin_does),
        cmocka_unit_test(no_way_of_working_shows_in_the_answers),
        cmocka_unit_test(masks_are_kept_and_forced_tokens_cost_no_choice),
        cmocka_unit_test(answers_end_where_they_should),
        cmocka_unit_test(prompts_with_the_same_head_share_its_pages),
        cmocka_unit_test(memory_is_bounded_and_too_little_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
