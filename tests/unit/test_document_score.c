#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "eval/document_score.h"

#define VOCAB 50
#define START 49

struct fixture {
    struct model *model;
    struct engine *engine;
    struct pool *pool;
    struct model_config config;
    uint32_t tokens[64];
};

static void set_up(struct fixture *f)
{
    struct winnow_error err;
    const struct winnow_env env = {0};
    const struct engine_options opt = ENGINE_OPTIONS_INIT;
    f->config = (struct model_config)MODEL_CONFIG_INIT;
    f->config.vocab = VOCAB;
    f->config.dim = 16;
    f->config.layers = 2;
    f->config.heads = f->config.kv_heads = 2;
    f->config.head_dim = 8;
    f->config.ffn = 32;
    f->config.context = 64;
    f->pool = pool_new(1);
    assert_ok(model_new(&f->config, &f->model, &err), err);
    model_init_random(f->model, 11);
    assert_ok(engine_new(f->model, f->pool, &opt, &env, &f->engine, &err), err);
    struct rng r;
    rng_init(&r, 1, "tokens");
    for (size_t i = 0; i < 64; i++) {
        f->tokens[i] = (uint32_t)rng_below(&r, VOCAB - 1);
    }
}

static void tear_down(struct fixture *f)
{
    engine_free(f->engine);
    model_free(f->model);
    pool_free(f->pool);
}

/* -ln p(tokens[at] | start, tokens[from .. at)) by a sequence of its own. */
static double plain(struct fixture *f, uint32_t start, size_t from, size_t at)
{
    uint32_t seq[66];
    float nll[66];
    uint32_t n = 0;
    if (start != MODEL_NO_TOKEN) {
        seq[n++] = start;
    }
    for (size_t i = from; i <= at; i++) {
        seq[n++] = f->tokens[i];
    }
    const uint32_t starts[2] = {0, n};
    const struct token_batch b = {seq, starts, 1, NULL};
    struct winnow_error err;
    assert_ok(engine_nll(f->engine, &b, nll, &err), err);
    return (double)nll[n - 2];
}

static void check(struct fixture *f, struct document_score_options o, size_t count)
{
    struct document_scorer *s = document_scorer_new(&o);
    struct document_nll got;
    struct winnow_error err;
    assert_ok(document_score(s, f->engine, &f->config, f->tokens, count, &got, &err), err);
    size_t n = o.fixed_length > 0 && o.fixed_length < count ? o.fixed_length : count;
    bool head = o.start != MODEL_NO_TOKEN;
    size_t width = o.window - head, at = head ? 0 : 1, scored = 0;
    double sum = 0;
    for (size_t from = 0; at < n; from += o.stride) { /* one token at a time */
        for (; at < n && at < from + width; at++) {
            double want = plain(f, o.start, from, at);
            assert_near((double)got.nll[scored], want, 2e-5);
            sum += want;
            scored++;
        }
    }
    assert_int_equal(got.tokens, scored);
    if (scored == 0) {
        assert_true(isnan(got.mean));
    } else {
        assert_near(got.mean, sum / (double)scored, 2e-5);
    }
    document_scorer_free(s);
}

static void scores_are_those_of_plain_windows(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    const size_t counts[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 40, 64};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        for (uint32_t window = 2; window <= 64; window *= 2) {
            for (uint32_t stride = 1; stride < window; stride += window / 4 + 1) {
                struct document_score_options o = {START, window, stride, 0};
                if (window == 2 && stride > 1) {
                    continue;
                }
                check(&f, o, counts[c]);
                o.fixed_length = 9;
                check(&f, o, counts[c]);
                o.fixed_length = 0;
                o.start = MODEL_NO_TOKEN;
                check(&f, o, counts[c]);
            }
        }
    }
    tear_down(&f);
}

static void length_correction_takes_a_known_curve_out(void **state)
{
    (void)state;
    /* every document loses 5 - i / 10 at position i, plus what is its own */
    struct length_curve c;
    length_curve_init(&c, 20);
    float nll[20];
    for (int own = -2; own <= 2; own++) {
        for (int i = 0; i < 20; i++) {
            nll[i] = 5.0F - (float)i / 10 + (float)own;
        }
        length_curve_add(&c, nll, 20);
    }
    double whole = 5 - 0.95;
    for (uint64_t m = 1; m <= 20; m++) {
        double first = 5 - (double)(m - 1) / 20;
        assert_near(1.5 + first + length_curve_correction(&c, m), 1.5 + whole, 1e-6);
    }
    assert_near(length_curve_correction(&c, 30), 0, 0);
    assert_near(length_curve_correction(&c, 0), 0, 0);
    length_curve_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_of_plain_windows),
        cmocka_unit_test(length_correction_takes_a_known_curve_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
