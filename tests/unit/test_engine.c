/* The engine against its slow twin in double (tests/oracle/llama.c): NLL,
 * logits and, by central differences of the twin, every element of every
 * gradient tensor of a small model that has all a Llama can have. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "engine/engine.h"
#include "llama.h"
#include "math/kernels.h"
#include "small_llama.h"

#include <stdlib.h>

struct fixture {
    struct model *m;
    struct pool *pool;
    struct engine *e;
    uint32_t tokens[2048], starts[64], targets[2048];
    struct token_batch b;
};

static struct model_config full_config(void)
{
    struct model_config c = odd_llama();
    c.tied = false;
    c.qkv_bias = c.out_bias = c.mlp_bias = true;
    c.rope_scaling = ROPE_LLAMA3;
    c.rope_factor = 8;
    c.rope_context = 32;
    c.rope_base = 500;
    return c;
}

/* Larger weights than a fresh model has, so that no nonlinearity stays flat. */
static void randomize(struct model *m, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, "test weights");
    for (size_t i = 0; i < model_tensor_count(m); i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        bool norm = strstr(t->name, "norm") != NULL;
        for (size_t j = 0; j < (size_t)t->rows * t->cols; j++) {
            double x = rng_normal(&r);
            model_data(m, t)[j] = (float)(norm ? 1 + 0.3 * x : 0.3 * x);
        }
    }
}

static void fill_batch(struct fixture *f, const uint32_t *lengths, size_t count, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, "test tokens");
    uint32_t at = 0;
    for (size_t s = 0; s < count; s++) {
        f->starts[s] = at;
        for (uint32_t i = 0; i < lengths[s]; i++) {
            assert_true(at < 2048);
            f->tokens[at++] = (uint32_t)rng_below(&r, model_config(f->m)->vocab);
        }
    }
    f->starts[count] = at;
    f->b = (struct token_batch){f->tokens, f->starts, count, NULL};
}

static void open_engine(struct fixture *f, const struct model_config *c, struct engine_options opt,
                        uint32_t threads, const char *kernels)
{
    struct winnow_error err;
    memset(f, 0, sizeof *f);
    assert_ok(model_new(c, &f->m, &err), err);
    randomize(f->m, 7);
    f->pool = pool_new(threads);
    struct winnow_env env = {.kernels = kernels};
    assert_ok(engine_new(f->m, f->pool, &opt, &env, &f->e, &err), err);
}

static void close_engine(struct fixture *f)
{
    engine_free(f->e);
    pool_free(f->pool);
    model_free(f->m);
}

static double *double_weights(const struct model *m)
{
    size_t n = model_values_count(m);
    double *w = malloc(n * sizeof *w);
    for (size_t i = 0; i < n; i++) {
        w[i] = (double)model_values_const(m)[i];
    }
    return w;
}

static void nll_and_logits_are_the_twins(const struct model_config *c, const char *kernels)
{
    struct fixture f;
    struct winnow_error err;
    open_engine(&f, c, (struct engine_options){.tokens_max = 512}, 1, kernels);
    fill_batch(&f, (uint32_t[]){5, 1, 0, 70, 33, 150}, 6, 3);
    size_t n = batch_tokens(&f.b), vocab = c->vocab;
    double *w = double_weights(f.m), *want = malloc(n * sizeof *want);
    double *want_logits = malloc(n * vocab * sizeof *want_logits);
    float *nll = malloc(n * sizeof *nll), *logits = malloc(n * vocab * sizeof *logits);
    (void)oracle_llama(f.m, w, &f.b, want, want_logits);
    assert_ok(engine_nll(f.e, &f.b, nll, &err), err);
    assert_ok(engine_logits(f.e, &f.b, logits, &err), err);
    for (size_t i = 0; i < n; i++) {
        assert_near((double)nll[i], want[i], 2e-5);
    }
    for (size_t i = 0; i < n * vocab; i++) {
        assert_near((double)logits[i], want_logits[i], 5e-5);
    }
    free(w);
    free(want);
    free(want_logits);
    free(nll);
    free(logits);
    close_engine(&f);
}

static void every_kernel_table_scores_as_the_twin_does(void **state)
{
    (void)state;
    struct model_config full = full_config(), plain = odd_llama();
    struct model_config wide = odd_llama(); /* more vocabulary than a chunk */
    wide.vocab = 2500;
    wide.rope_scaling = ROPE_LINEAR;
    wide.rope_factor = 4;
    wide.kv_heads = 1;
    for (size_t i = 0; kernels_usable(i); i++) {
        nll_and_logits_are_the_twins(&full, kernels_usable(i)->name);
        nll_and_logits_are_the_twins(&plain, kernels_usable(i)->name);
        nll_and_logits_are_the_twins(&wide, kernels_usable(i)->name);
    }
}

/* Dropout, number by number: what engine/dropout.h says. */
struct drawn {
    double rate;
    uint64_t seed;
    size_t kept, all;
};

static double factor_of(void *ctx, uint32_t layer, int site, size_t position, size_t i)
{
    struct drawn *d = ctx;
    uint64_t row = ((uint64_t)layer * 2 + (uint64_t)site) << 40 | position;
    uint64_t bits = rng_mix(rng_mix(d->seed ^ rng_mix(row)) + i / 4 * 4) >> (16 * (i % 4));
    double threshold = round(d->rate * 65536);
    bool keep = (double)(bits & 0xffff) >= threshold;
    d->kept += keep;
    d->all++;
    return keep ? 65536 / (65536 - threshold) : 0;
}

static double twin(struct fixture *f, const double *w, struct drawn *drawn)
{
    return drawn ? oracle_llama_times(f->m, w, &f->b, factor_of, drawn)
                 : oracle_llama(f->m, w, &f->b, NULL, NULL);
}

/* Every element of every tensor: (L(w + h) - L(w - h)) / 2h in double, whose
 * own error is about 1e-9; the rest is the engine's f32. */
static void gradients_are_the_differences_of_the_twin(const struct model_config *c,
                                                      const char *kernels, struct drawn *drawn)
{
    struct fixture f;
    struct winnow_error err;
    const struct engine_options opt = {
        .tokens_max = 12, .gradients = true, .dropout = drawn != NULL};
    open_engine(&f, c, opt, 1, kernels);
    if (drawn) {
        engine_drop(f.e, drawn->rate, drawn->seed);
    }
    fill_batch(&f, (uint32_t[]){7, 3, 1, 9}, 4, 5);
    memcpy(f.targets, f.tokens, sizeof f.targets); /* odd ones count, own token as target */
    for (size_t i = 0; i < 2048; i += 2) {
        f.targets[i] = BATCH_NO_TARGET;
    }
    f.b.targets = f.targets;
    size_t n = model_values_count(f.m);
    double *w = double_weights(f.m), sum, scale = 0.25;
    float *g = calloc(n, sizeof *g);
    assert_ok(engine_gradient(f.e, &f.b, (float)scale, g, &sum, NULL, &err), err);
    assert_near(sum, twin(&f, w, drawn), 1e-5);
    for (size_t i = 0; i < model_tensor_count(f.m); i++) {
        const struct model_tensor *t = model_tensor_at(f.m, i);
        double worst = 0, size = 0, h = 1e-5;
        for (size_t j = t->offset; j < t->offset + (size_t)t->rows * t->cols; j++) {
            double keep = w[j];
            w[j] = keep + h;
            double up = twin(&f, w, drawn);
            w[j] = keep - h;
            double down = twin(&f, w, drawn);
            w[j] = keep;
            double want = scale * (up - down) / (2 * h), got = (double)g[j];
            worst = fmax(worst, fabs(got - want));
            size = fmax(size, fabs(want));
        }
        if (!(worst <= 1e-5 * size + 1e-7)) {
            fail_msg("%s: gradient off by %g, largest element %g", t->name, worst, size);
        }
    }
    free(w);
    free(g);
    close_engine(&f);
}

static void every_gradient_is_the_derivative_of_the_loss(void **state)
{
    (void)state;
    struct model_config full = full_config(), plain = odd_llama();
    gradients_are_the_differences_of_the_twin(&full, NULL, NULL);
    gradients_are_the_differences_of_the_twin(&plain, NULL, NULL);
    gradients_are_the_differences_of_the_twin(&plain, "generic", NULL);
}

/* Over several micro-batches, whose tokens have their places in the whole batch. */
static void under_dropout_too_with_the_mask_that_was_drawn(void **state)
{
    (void)state;
    struct model_config full = full_config(), plain = odd_llama();
    struct drawn d = {.rate = 0.3, .seed = 5};
    gradients_are_the_differences_of_the_twin(&full, NULL, &d);
    gradients_are_the_differences_of_the_twin(&plain, NULL, &d);
    double kept = (double)d.kept / (double)d.all;
    assert_true(kept > 0.67 && kept < 0.73);
}

/* Another seed drops others; scoring, and a rate of 0, drop nothing. */
static void nothing_is_dropped_but_in_gradients(void **state)
{
    (void)state;
    struct fixture f;
    struct winnow_error err;
    struct model_config c = odd_llama();
    const struct engine_options opt = {.tokens_max = 64, .gradients = true, .dropout = true};
    open_engine(&f, &c, opt, 1, NULL);
    fill_batch(&f, (uint32_t[]){20, 30, 9}, 3, 5);
    size_t n = model_values_count(f.m);
    float nll[2][64] = {{0}}, *g[5];
    const struct {
        double rate;
        uint64_t seed;
    } runs[5] = {{0, 0}, {0.2, 1}, {0.2, 2}, {0.2, 1}, {0, 1}};
    assert_ok(engine_nll(f.e, &f.b, nll[0], &err), err);
    for (int i = 0; i < 5; i++) {
        double sum;
        g[i] = calloc(n, sizeof *g[i]);
        engine_drop(f.e, runs[i].rate, runs[i].seed);
        assert_ok(engine_gradient(f.e, &f.b, 1, g[i], &sum, NULL, &err), err);
        assert_ok(engine_nll(f.e, &f.b, nll[1], &err), err);
        assert_memory_equal(nll[0], nll[1], sizeof nll[0]);
    }
    assert_memory_equal(g[1], g[3], n * sizeof **g);
    assert_memory_equal(g[0], g[4], n * sizeof **g);
    assert_true(memcmp(g[0], g[1], n * sizeof **g) != 0);
    assert_true(memcmp(g[1], g[2], n * sizeof **g) != 0);
    for (int i = 0; i < 5; i++) {
        free(g[i]);
    }
    close_engine(&f);
}

/* A model large enough for several tiles, chunks and blocks: derivative along a
 * random direction, tensor by tensor. */
static void gradients_hold_over_many_tiles(void **state)
{
    (void)state;
    struct fixture f;
    struct winnow_error err;
    struct model_config c = odd_llama();
    c.vocab = 1300;
    c.dim = 40;
    c.ffn = 70;
    c.layers = 1;
    open_engine(&f, &c, (struct engine_options){.tokens_max = 300, .gradients = true}, 2, NULL);
    fill_batch(&f, (uint32_t[]){200, 90, 150, 35}, 4, 6);
    size_t n = model_values_count(f.m);
    double *w = double_weights(f.m), sum;
    float *g = calloc(n, sizeof *g);
    assert_ok(engine_gradient(f.e, &f.b, 0.01F, g, &sum, NULL, &err), err);
    for (size_t i = 0; i < model_tensor_count(f.m); i++) {
        const struct model_tensor *t = model_tensor_at(f.m, i);
        size_t count = (size_t)t->rows * t->cols;
        double *dir = malloc(count * sizeof *dir), *at = w + t->offset, want[2], got = 0, h = 1e-4;
        struct rng r;
        rng_init(&r, 11, t->name);
        for (size_t j = 0; j < count; j++) {
            dir[j] = rng_normal(&r) / sqrt((double)count);
            got += (double)g[t->offset + j] * dir[j];
            at[j] += h * dir[j];
        }
        want[0] = oracle_llama(f.m, w, &f.b, NULL, NULL);
        for (size_t j = 0; j < count; j++) {
            at[j] -= 2 * h * dir[j];
        }
        want[1] = oracle_llama(f.m, w, &f.b, NULL, NULL);
        for (size_t j = 0; j < count; j++) {
            at[j] += h * dir[j];
        }
        double slope = 0.01 * (want[0] - want[1]) / (2 * h);
        if (!(fabs(got - slope) <= 2e-4 * fabs(slope) + 2e-6)) {
            fail_msg("%s: slope %.9g, expected %.9g", t->name, got, slope);
        }
        free(dir);
    }
    free(w);
    free(g);
    close_engine(&f);
}

static void two_threads_give_the_bits_of_one(void **state)
{
    (void)state;
    struct model_config c = full_config();
    c.vocab = 1100;
    for (int compute = ENGINE_F32; compute <= ENGINE_INT8; compute++) {
        float *g[2], *nll[2];
        bool gradients = compute != ENGINE_INT8;
        size_t n = 0;
        for (uint32_t i = 0; i < 2; i++) {
            struct fixture f;
            struct winnow_error err;
            struct engine_options opt = {.compute = (enum engine_compute)compute,
                                         .tokens_max = 1024,
                                         .gradients = gradients};
            open_engine(&f, &c, opt, i + 1, NULL);
            fill_batch(&f, (uint32_t[]){300, 5, 90, 150, 77, 64, 1}, 7, 9);
            n = model_values_count(f.m);
            g[i] = calloc(n, sizeof *g[i]);
            nll[i] = calloc(2048, sizeof *nll[i]);
            double sum;
            assert_ok(engine_nll(f.e, &f.b, nll[i], &err), err);
            if (gradients) {
                assert_ok(engine_gradient(f.e, &f.b, 0.01F, g[i], &sum, NULL, &err), err);
            }
            close_engine(&f);
        }
        assert_memory_equal(g[0], g[1], n * sizeof **g);
        assert_memory_equal(nll[0], nll[1], 2048 * sizeof **nll);
        for (int i = 0; i < 2; i++) {
            free(g[i]);
            free(nll[i]);
        }
    }
}

static void packed_sequences_score_as_they_do_alone(void **state)
{
    (void)state;
    struct model_config c = full_config();
    for (size_t k = 0; kernels_usable(k / 2); k++) { /* each table with f32 and int8 */
        struct fixture f;
        struct winnow_error err;
        struct engine_options opt = {.compute = k % 2 ? ENGINE_INT8 : ENGINE_F32,
                                     .tokens_max = 700};
        open_engine(&f, &c, opt, 1, kernels_usable(k / 2)->name);
        fill_batch(&f, (uint32_t[]){31, 1, 200, 64, 129}, 5, 12);
        float all[2048], one[2048];
        assert_ok(engine_nll(f.e, &f.b, all, &err), err);
        for (size_t s = 0; s < f.b.sequences; s++) {
            uint32_t n = f.starts[s + 1] - f.starts[s], starts[2] = {0, n};
            struct token_batch b = {f.tokens + f.starts[s], starts, 1, NULL};
            assert_ok(engine_nll(f.e, &b, one, &err), err);
            assert_memory_equal(one, all + f.starts[s], n * sizeof *one);
        }
        close_engine(&f);
    }
}

/* bf16 keeps 8 bits, int8 7 below a block's largest number: with these sizes NLL
 * moves by a few hundredths. */
static void short_types_stay_near_f32(void **state)
{
    (void)state;
    struct model_config c = full_config();
    struct fixture f;
    struct winnow_error err;
    float nll[3][2048];
    for (int i = ENGINE_F32; i <= ENGINE_INT8; i++) {
        struct engine_options opt = {.compute = (enum engine_compute)i, .tokens_max = 300};
        open_engine(&f, &c, opt, 1, NULL);
        fill_batch(&f, (uint32_t[]){200}, 1, 13);
        assert_ok(engine_nll(f.e, &f.b, nll[i], &err), err);
        close_engine(&f);
    }
    for (int type = ENGINE_BF16; type <= ENGINE_INT8; type++) {
        double sum = 0, moved = 0;
        for (size_t i = 0; i < 200; i++) {
            sum += (double)nll[type][i] - (double)nll[ENGINE_F32][i];
            moved += fabs((double)nll[type][i] - (double)nll[ENGINE_F32][i]);
        }
        assert_true(fabs(sum / 200) < 0.02);
        assert_true(moved / 200 < 0.1);
        assert_true(moved > 0);
    }
}

static void int8_does_not_train(void **state)
{
    (void)state;
    struct model_config c = odd_llama();
    struct winnow_env env = {0};
    struct winnow_error err;
    struct model *m;
    struct engine *e = NULL;
    struct pool *pool = pool_new(1);
    assert_ok(model_new(&c, &m, &err), err);
    struct engine_options opt = {.compute = ENGINE_INT8, .tokens_max = 16, .gradients = true};
    assert_int_equal(engine_new(m, pool, &opt, &env, &e, &err), WINNOW_E_USAGE);
    model_free(m);
    pool_free(pool);
}

static void bad_batches_are_refused(void **state)
{
    (void)state;
    struct model_config c = odd_llama();
    struct fixture f;
    struct winnow_error err;
    float nll[64];
    open_engine(&f, &c, (struct engine_options){.tokens_max = 16}, 1, NULL);
    fill_batch(&f, (uint32_t[]){17}, 1, 1);
    assert_int_equal(engine_nll(f.e, &f.b, nll, &err), WINNOW_E_LIMIT);
    fill_batch(&f, (uint32_t[]){4, 4}, 2, 1);
    f.tokens[6] = c.vocab;
    assert_int_equal(engine_nll(f.e, &f.b, nll, &err), WINNOW_E_FORMAT);
    close_engine(&f);
}

static void memory_is_known_and_refused_beforehand(void **state)
{
    (void)state;
    struct model_config c = odd_llama();
    struct engine_options opt = ENGINE_OPTIONS_INIT;
    struct winnow_error err;
    struct model *m;
    struct engine *e = NULL;
    assert_ok(model_new(&c, &m, &err), err);
    struct pool *pool = pool_new(1);
    uint64_t needs = engine_memory(&c, &opt, 1);
    struct winnow_env env = {.memory_max = needs - 1};
    assert_int_equal(engine_new(m, pool, &opt, &env, &e, &err), WINNOW_E_LIMIT);
    env.memory_max = needs;
    mem_fail_at(1);
    assert_int_equal(engine_new(m, pool, &opt, &env, &e, &err), WINNOW_E_NOMEM);
    assert_ok(engine_new(m, pool, &opt, &env, &e, &err), err);
    engine_free(e);
    env.kernels = "abacus";
    assert_int_equal(engine_new(m, pool, &opt, &env, &e, &err), WINNOW_E_USAGE);
    pool_free(pool);
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_table_scores_as_the_twin_does),
        cmocka_unit_test(every_gradient_is_the_derivative_of_the_loss),
        cmocka_unit_test(under_dropout_too_with_the_mask_that_was_drawn),
        cmocka_unit_test(nothing_is_dropped_but_in_gradients),
        cmocka_unit_test(gradients_hold_over_many_tiles),
        cmocka_unit_test(two_threads_give_the_bits_of_one),
        cmocka_unit_test(packed_sequences_score_as_they_do_alone),
        cmocka_unit_test(short_types_stay_near_f32),
        cmocka_unit_test(int8_does_not_train),
        cmocka_unit_test(bad_batches_are_refused),
        cmocka_unit_test(memory_is_known_and_refused_beforehand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
