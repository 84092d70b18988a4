/* test_resample.c -- draws of documents, anew every few steps, against their words. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "math/taylor_softmax.h"
#include "train/sampling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DOCS = 40, CONTEXT = 24, BATCH = 96, PLACES = 100 };

/* Tokens that say where they are from: document * PLACES + place.  One is a single token, which
 * nothing can be trained on. */
static void make_numbered(struct token_docs *d, uint32_t longest)
{
    struct rng r;
    rng_init(&r, 4, "docs");
    for (uint32_t i = 0; i < DOCS; i++) {
        uint32_t n = i == 7 ? 1 : 2 + (uint32_t)rng_below(&r, longest);
        for (uint32_t k = 0; k < n; k++) {
            u32_list_add(&d->tokens, i * PLACES + k);
        }
        token_docs_end(d);
    }
}

struct fixture {
    struct token_docs docs;
    uint32_t order[2 * DOCS];
    float odds[DOCS];
    struct winnow_sampling opt;
    struct packer_options packing;
    struct sampling_home home;
    struct sampling way;
};

static void open_fixture(struct fixture *f, uint32_t longest, uint64_t steps)
{
    struct winnow_error err;
    make_numbered(&f->docs, longest);
    for (uint32_t i = 0; i < 2 * DOCS; i++) {
        f->order[i] = i % DOCS;
    }
    for (uint32_t i = 0; i < DOCS; i++) {
        f->odds[i] = (float)(i % 5) * 0.7F; /* some are worth nothing */
    }
    f->packing = (struct packer_options){MODEL_NO_TOKEN, MODEL_NO_TOKEN, CONTEXT, BATCH, 0, NULL};
    f->opt.sampler = WINNOW_RESAMPLE;
    f->home = (struct sampling_home){.opt = &f->opt,
                                     .docs = &f->docs,
                                     .order = f->order,
                                     .order_count = 2 * DOCS,
                                     .packer = &f->packing,
                                     .odds = f->odds,
                                     .seed = 11,
                                     .steps = steps};
    assert_ok(sampling_open(&f->home, &f->way, &err), err);
}

static void close_fixture(struct fixture *f)
{
    sampling_close(&f->way);
    token_docs_release(&f->docs);
}

static size_t length_of(const struct fixture *f, uint32_t document)
{
    size_t n;
    (void)token_docs_at(&f->docs, document, &n);
    return n;
}

/* Of its blocks, each of which begins with the last token of the one before. */
static double tokens_of(const struct fixture *f, uint32_t document)
{
    double n = (double)length_of(f, document);
    return n - 1 + ceil((n - 1) / (CONTEXT - 1));
}

/* How often each token was a target, over some steps. */
static void read_steps(struct fixture *f, size_t steps, uint32_t *times)
{
    struct winnow_error err;
    memset(times, 0, (size_t)DOCS * PLACES * sizeof *times);
    for (size_t i = 0; i < steps; i++) {
        struct sampler_batch b;
        bool more;
        assert_ok(f->way.sampler.next(f->way.sampler.state, &b, &more, &err), err);
        assert_true(more);
        assert_int_equal(b.batch.starts[b.batch.sequences], BATCH);
        for (size_t s = 0; s < b.batch.sequences; s++) {
            for (uint32_t k = b.batch.starts[s]; k < b.batch.starts[s + 1]; k++) {
                uint32_t token = b.batch.tokens[k];
                assert_int_equal(token / PLACES, b.documents[s]);
                times[token] += k > b.batch.starts[s];
            }
        }
    }
}

/* The draw, said plainly: of what is left, each in its turn with odds u^(1 / odds) the largest. */
static void plain_draw(const struct fixture *f, uint64_t draw, bool *held)
{
    double keys[DOCS], all = 0, have = 0;
    struct rng r;
    rng_init(&r, rng_mix(f->home.seed) ^ draw, "resample");
    for (uint32_t i = 0; i < DOCS; i++) {
        held[i] = false;
        keys[i] = -HUGE_VAL;
        if (length_of(f, i) > 1) {
            double x = f->home.odds ? (double)f->odds[i] / f->opt.temperature : 0;
            keys[i] = pow(rng_uniform(&r), 1 / (1 + x + x * x / 2));
            all += tokens_of(f, i);
        }
    }
    while (have < f->opt.drawn * all) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < DOCS; i++) {
            best = keys[i] > keys[best] ? i : best;
        }
        held[best] = true;
        keys[best] = -HUGE_VAL;
        have += tokens_of(f, best);
    }
}

static void check_draws(struct fixture *f, uint64_t every, uint64_t draws)
{
    uint32_t times[DOCS * PLACES];
    bool held[DOCS], before[DOCS] = {false};
    for (uint64_t draw = 1; draw <= draws; draw++) {
        plain_draw(f, draw, held);
        assert_memory_not_equal(held, before, sizeof held);
        memcpy(before, held, sizeof held);
        read_steps(f, every, times);
        uint32_t least = UINT32_MAX, most = 0;
        for (uint32_t i = 0; i < DOCS; i++) {
            for (uint32_t k = 1; k < length_of(f, i); k++) {
                uint32_t n = times[i * PLACES + k];
                assert_true(held[i] || n == 0);
                least = held[i] && n < least ? n : least;
                most = n > most ? n : most;
            }
        }
        /* Pass after pass; the last step of each takes its first blocks once more. */
        assert_true(least > 1 && most <= 2 * least + 1);
    }
}

static void a_draw_is_that_of_the_plain_rule_and_is_read_pass_after_pass(void **state)
{
    (void)state;
    struct fixture f = {.opt = WINNOW_SAMPLING_INIT};
    f.opt.redraw = 12;
    f.opt.temperature = 0.8;
    open_fixture(&f, 60, 60);
    check_draws(&f, 12, 5);
    struct buf told = {0};
    struct json_writer w = {.out = &told};
    json_open(&w, '{');
    sampling_tell(&f.way, &w);
    json_close(&w, '}');
    assert_non_null(strstr(buf_cstr(&told), "\"draws\": 5, \"steps_each\": 12"));
    assert_non_null(strstr(buf_cstr(&told), "\"by_weights\": true"));
    buf_release(&told);
    close_fixture(&f);
}

/* Nobody says when: a tenth of the steps; no weights: all alike. */
static void ten_draws_are_the_default(void **state)
{
    (void)state;
    struct winnow_error err;
    struct fixture f = {.opt = WINNOW_SAMPLING_INIT};
    open_fixture(&f, 60, 120);
    sampling_close(&f.way);
    f.home.odds = NULL;
    assert_ok(sampling_open(&f.home, &f.way, &err), err);
    check_draws(&f, 12, 10);
    close_fixture(&f);
}

/* One document a draw: frequencies are the odds'. */
static void documents_come_as_often_as_their_odds_say(void **state)
{
    (void)state;
    enum { DRAWS = 8000 };
    struct fixture f = {.opt = WINNOW_SAMPLING_INIT};
    f.opt.redraw = 1;
    f.opt.drawn = 1e-4;
    open_fixture(&f, 60, DRAWS);
    uint32_t times[DOCS * PLACES];
    double count[5] = {0}, members[5] = {0}, all = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        read_steps(&f, 1, times);
        uint32_t of = 0;
        for (uint32_t d = 0; d < DOCS; d++) {
            of += times[d * PLACES + 1] > 0;
            count[d % 5] += times[d * PLACES + 1] > 0;
        }
        assert_int_equal(of, 1);
    }
    for (uint32_t d = 0; d < DOCS; d++) {
        members[d % 5] += length_of(&f, d) > 1;
        all += length_of(&f, d) > 1 ? taylor_odds((double)f.odds[d]) : 0;
    }
    for (int k = 0; k < 5; k++) {
        double want = DRAWS * members[k] * taylor_odds(0.7 * k) / all;
        assert_true(fabs(count[k] - want) < 4 * sqrt(want));
    }
    close_fixture(&f);
}

/* A part of the pool, a document longer than all steps, nothing to train on. */
static void edges(void **state)
{
    (void)state;
    struct winnow_error err;
    struct fixture f = {.opt = WINNOW_SAMPLING_INIT};
    f.opt.drawn = 1;
    f.opt.redraw = 1000;
    open_fixture(&f, 90, 3);
    uint32_t times[DOCS * PLACES];
    read_steps(&f, 3, times);
    sampling_close(&f.way);
    uint32_t empty = 7;
    f.home.order = &empty;
    f.home.order_count = 1;
    assert_int_equal(sampling_open(&f.home, &f.way, &err), WINNOW_E_FORMAT);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draw_is_that_of_the_plain_rule_and_is_read_pass_after_pass),
        cmocka_unit_test(ten_draws_are_the_default),
        cmocka_unit_test(documents_come_as_often_as_their_odds_say),
        cmocka_unit_test(edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
