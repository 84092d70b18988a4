#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "scratch.h"
#include "train/fit.h"

#include <math.h>

#define STEPS 24

struct stop {
    volatile int cancel;
    uint64_t at; /* tokens after which it asks to stop */
};

static void watch(void *user, const struct winnow_progress *p)
{
    struct stop *s = user;
    if (p->done >= s->at) {
        s->cancel = 1;
    }
}

static winnow_status measure(void *ctx, struct engine *e, double *values, struct winnow_error *err)
{
    (void)ctx;
    const uint32_t tokens[] = {1, 2, 3, 4, 5, 6}, starts[] = {0, 6};
    const struct token_batch b = {tokens, starts, 1, NULL};
    float nll[6];
    winnow_status st = engine_nll(e, &b, nll, err);
    values[0] = (double)nll[0];
    values[1] = (double)nll[4];
    return st;
}

struct experiment_data {
    struct token_docs docs;
    uint32_t order[100];
    float weights[100];
    bool weighed;
};

static void make_data(struct experiment_data *d)
{
    struct rng r;
    rng_init(&r, 2, "docs");
    for (uint32_t i = 0; i < 100; i++) {
        uint64_t n = 3 + rng_below(&r, 60);
        for (uint64_t k = 0; k < n; k++) {
            u32_list_add(&d->docs.tokens, 2 + (uint32_t)((k + i) % 20));
        }
        token_docs_end(&d->docs);
        d->order[i] = i;
    }
}

/* Trains with interruptions after every `pause` tokens (0: none). */
static uint64_t train(const struct experiment_data *d, const char *folder, uint64_t pause,
                      struct fit_result *result, unsigned *calls)
{
    struct model_config c = MODEL_CONFIG_INIT;
    c.vocab = 30;
    c.dim = 16;
    c.layers = 1;
    c.heads = c.kv_heads = 2;
    c.head_dim = 8;
    c.ffn = 32;
    struct fit_options opt = {.packer = {0, 1, 32, 64, 0},
                              .folder = folder,
                              .save_seconds = 1000,
                              .stage = "t",
                              .points = 4,
                              .measure = measure};
    opt.packer.weights = d->weighed ? d->weights : NULL;
    opt.trainer = (struct trainer_options)TRAINER_OPTIONS_INIT;
    opt.trainer.steps = STEPS;
    opt.trainer.tokens_max = 64;
    struct pool *pool = pool_new(1);
    const struct fit_data data = {&d->docs, d->order, 100};
    struct winnow_error err;
    winnow_status st = WINNOW_E_CANCELLED;
    uint64_t hash = 0;
    *calls = 0;
    while (st == WINNOW_E_CANCELLED) {
        struct stop stop = {0, pause > 0 ? (*calls + 1) * pause : UINT64_MAX};
        const struct winnow_env env = {.progress = watch, .user = &stop, .cancel = &stop.cancel};
        struct model *m;
        assert_ok(model_new(&c, &m, &err), err);
        model_init_random(m, 5);
        st = fit(m, pool, &data, &opt, &env, result, &err);
        hash = model_hash(m);
        model_free(m);
        (*calls)++;
        assert_true(*calls < 100);
        if (st == WINNOW_E_CANCELLED) {
            fit_result_release(result);
        }
    }
    assert_ok(st, err);
    pool_free(pool);
    return hash;
}

static void fit_ends_alike_however_often_it_was_interrupted(void **state)
{
    (void)state;
    struct experiment_data d = {0};
    make_data(&d);
    struct fit_result whole, pieces;
    unsigned calls;
    uint64_t want = train(&d, NULL, 0, &whole, &calls);
    assert_int_equal(calls, 1);
    assert_int_equal(whole.steps, STEPS);
    assert_int_equal(whole.curve_count, 5);
    assert_true(whole.losses[STEPS - 1] < whole.losses[0]);
    for (uint64_t pause = 64; pause < 64 * 12; pause += 64 * 3) {
        struct scratch dir;
        scratch_open(&dir);
        assert_int_equal(train(&d, dir.dir, pause, &pieces, &calls), want);
        assert_true(calls > 1);
        assert_int_equal(pieces.curve_count, 5);
        assert_memory_equal(pieces.losses, whole.losses, STEPS * sizeof *whole.losses);
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(pieces.curve[i].step, STEPS * i / 4);
            assert_int_equal(pieces.curve[i].tokens, whole.curve[i].tokens);
            assert_memory_equal(pieces.curve[i].values, whole.curve[i].values,
                                sizeof whole.curve[i].values);
        }
        assert_int_equal(pieces.used, whole.used);
        assert_near(pieces.flops, whole.flops, 0);
        fit_result_release(&pieces);
        scratch_close(&dir);
    }
    fit_result_release(&whole);
    token_docs_release(&d.docs);
}

/* Of two corpora that differ in the documents of weight 0 only. */
static void a_document_of_weight_0_teaches_nothing(void **state)
{
    (void)state;
    struct fit_result r;
    unsigned calls;
    uint64_t hash[2][2];
    for (int swapped = 0; swapped < 2; swapped++) {
        for (int weighed = 0; weighed < 2; weighed++) {
            struct experiment_data d = {.weighed = weighed};
            make_data(&d);
            for (uint32_t i = 0; i < 100; i++) {
                d.weights[i] = i % 3 == 0 ? 0 : 1.5F;
                size_t from = i > 0 ? d.docs.ends[i - 1] : 0;
                for (size_t k = from; i % 3 == 0 && swapped && k < d.docs.ends[i]; k++) {
                    d.docs.tokens.ptr[k] = 29 - d.docs.tokens.ptr[k];
                }
            }
            hash[swapped][weighed] = train(&d, NULL, 0, &r, &calls);
            fit_result_release(&r);
            token_docs_release(&d.docs);
        }
    }
    assert_true(hash[0][1] == hash[1][1]); /* it does not matter what stands in them */
    assert_true(hash[0][0] != hash[1][0]); /* as it does without weights */
    assert_true(hash[0][0] != hash[0][1]);
}

/* Listens, and reads again what lost most: every second step is the batch, of those heard of
 * so far, with the highest loss, so that what it was told decides what comes next. */
struct listener {
    struct sampler of;
    uint64_t steps;
    float losses[2 * STEPS];
    struct u32_list tokens[STEPS], starts[STEPS]; /* batches of the packer */
    double heard[STEPS];                          /* the last loss of each */
    size_t fresh, given;
    uint32_t documents[64];
};

static size_t worst(const struct listener *l)
{
    size_t at = 0;
    for (size_t i = 1; i < l->fresh; i++) {
        at = l->heard[i] > l->heard[at] ? i : at;
    }
    return at;
}

static winnow_status take_fresh(struct listener *l, struct winnow_error *err)
{
    struct sampler_batch b;
    bool more;
    winnow_status st = l->of.next(l->of.state, &b, &more, err);
    assert_true(st == WINNOW_OK && more && l->fresh < STEPS && !b.batch.weights);
    for (uint32_t s = 0; s <= b.batch.sequences; s++) {
        u32_list_add(&l->starts[l->fresh], b.batch.starts[s]);
    }
    for (uint32_t i = 0; i < b.batch.starts[b.batch.sequences]; i++) {
        u32_list_add(&l->tokens[l->fresh], b.batch.tokens[i]);
    }
    l->given = l->fresh++;
    return st;
}

static winnow_status listened_next(void *state, struct sampler_batch *out, bool *more,
                                   struct winnow_error *err)
{
    struct listener *l = state;
    winnow_status st = WINNOW_OK;
    if (l->steps % 2 == 1) {
        l->given = worst(l);
    } else {
        st = take_fresh(l, err);
    }
    *more = true;
    *out = (struct sampler_batch){{l->tokens[l->given].ptr, l->starts[l->given].ptr,
                                   (uint32_t)l->starts[l->given].len - 1, NULL},
                                  l->documents};
    return st;
}

static winnow_status listen(void *state, const struct sampler_batch *b, const double *nll,
                            struct winnow_error *err)
{
    (void)err;
    struct listener *l = state;
    double sum = 0;
    for (size_t s = 0; s < b->batch.sequences; s++) {
        assert_true(nll[s] >= 0);
        sum += nll[s];
    }
    l->heard[l->given] = sum / (double)batch_targets(&b->batch);
    l->losses[l->steps++] = (float)l->heard[l->given];
    return WINNOW_OK;
}

/* The hash of the model; broken off after every `pause` steps (0: never). */
static uint64_t train_listening(const struct experiment_data *d, const char *folder, uint64_t pause,
                                struct loop_result *done, unsigned *calls)
{
    struct model_config c = MODEL_CONFIG_INIT;
    c.vocab = 30;
    c.dim = 16;
    c.layers = 1;
    c.heads = c.kv_heads = 2;
    c.head_dim = 8;
    c.ffn = 32;
    struct winnow_error err;
    struct trainer_options opt = TRAINER_OPTIONS_INIT;
    opt.steps = STEPS;
    opt.tokens_max = 64;
    const struct packer_options packing = {0, 1, 32, 64, 0};
    const struct loop_options loop = {
        .steps = STEPS, .folder = folder, .stage = "t", .save_seconds = 1000};
    struct pool *pool = pool_new(1);
    winnow_status st = WINNOW_E_CANCELLED;
    uint64_t hash = 0;
    for (*calls = 0; st == WINNOW_E_CANCELLED; (*calls)++) {
        struct stop stop = {0, pause > 0 ? (*calls + 1) * pause : UINT64_MAX};
        const struct winnow_env env = {.progress = watch, .user = &stop, .cancel = &stop.cancel};
        struct model *m;
        struct trainer *t;
        assert_ok(model_new(&c, &m, &err), err);
        model_init_random(m, 1);
        assert_ok(trainer_new(m, pool, &opt, &env, &t, &err), err);
        struct packer *packer = packer_new(&d->docs, d->order, 100, &packing);
        struct listener l = {.of = packer_sampler(packer)};
        const struct sampler sampler = {&l, listened_next, listen};
        struct learner learner = trainer_learner(t);
        st = train_loop(&learner, &sampler, &loop, &env, done, &err);
        assert_true(st == WINNOW_E_CANCELLED || l.steps == STEPS);
        for (size_t i = 0; i < done->steps; i++) {
            assert_true(fabsf(l.losses[i] - done->losses[i]) < 1e-5F);
        }
        if (st == WINNOW_E_CANCELLED) {
            loop_result_release(done);
        }
        for (size_t i = 0; i < STEPS; i++) {
            u32_list_release(&l.tokens[i]);
            u32_list_release(&l.starts[i]);
        }
        hash = model_hash(m);
        learner_free(&learner);
        packer_free(packer);
        model_free(m);
        assert_true(*calls < 100);
    }
    assert_ok(st, err);
    pool_free(pool);
    return hash;
}

static void a_sampler_that_listens_goes_on_as_if_never_interrupted(void **state)
{
    (void)state;
    struct experiment_data d = {0};
    make_data(&d);
    struct loop_result whole, pieces;
    unsigned calls;
    uint64_t want = train_listening(&d, NULL, 0, &whole, &calls);
    for (uint64_t pause = 1; pause < 12; pause += 3) {
        struct scratch dir;
        scratch_open(&dir);
        assert_int_equal(train_listening(&d, dir.dir, pause, &pieces, &calls), want);
        assert_true(calls > 1);
        assert_memory_equal(pieces.losses, whole.losses, STEPS * sizeof *whole.losses);
        loop_result_release(&pieces);
        scratch_close(&dir);
    }
    loop_result_release(&whole);
    token_docs_release(&d.docs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_of_weight_0_teaches_nothing),
        cmocka_unit_test(fit_ends_alike_however_often_it_was_interrupted),
        cmocka_unit_test(a_sampler_that_listens_goes_on_as_if_never_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
