/* Batches chosen towards a target, against naive choices over explicit gradients. */
#include "base/mem.h"
#include "check.h"
#include "engine/examples.h"
#include "small_llama.h"
#include "train/batch_choice.h"
#include "train/fit.h"

#include <string.h>

/* ---- the choice alone ---- */

enum { CANDIDATES = 30, WIDTH = 12 };

struct pool_of {
    double gain[CANDIDATES];
    uint32_t tokens[CANDIDATES];
    float sketches[CANDIDATES * WIDTH];
};

static void draw_pool(struct pool_of *p, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, "pool");
    for (size_t i = 0; i < CANDIDATES; i++) {
        p->gain[i] = rng_normal(&r);
        p->tokens[i] = (uint32_t)rng_below(&r, 6); /* some have none */
        for (size_t k = 0; k < WIDTH; k++) {
            p->sketches[i * WIDTH + k] = (float)rng_normal(&r);
        }
    }
}

/* Every gain anew at every pick. */
static size_t naive_greedy(const struct pool_of *p, double penalty, uint64_t budget, size_t *picks)
{
    size_t count = 0;
    uint64_t tokens = 0;
    while (tokens < budget) {
        size_t best = CANDIDATES;
        double most = -INFINITY;
        for (size_t i = 0; i < CANDIDATES; i++) {
            double gain = p->gain[i];
            bool open = p->tokens[i] > 0;
            for (size_t j = 0; j < count; j++) {
                open = open && picks[j] != i;
                for (size_t k = 0; k < WIDTH; k++) {
                    gain -=
                        penalty * p->tokens[picks[j]] *
                        (double)(p->sketches[i * WIDTH + k] * p->sketches[picks[j] * WIDTH + k]);
                }
            }
            if (open && gain > most) {
                best = i;
                most = gain;
            }
        }
        if (best == CANDIDATES) {
            break;
        }
        picks[count++] = best;
        tokens += p->tokens[best];
    }
    return count;
}

static void greedy_is_the_naive_one(void **state)
{
    (void)state;
    static const double PENALTIES[] = {0, 0.01, 0.3};
    static const uint64_t BUDGETS[] = {1, 20, 1000};
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct pool_of p;
        draw_pool(&p, seed);
        for (size_t k = 0; k < 9; k++) {
            size_t picks[CANDIDATES], naive[CANDIDATES];
            double scratch[2 * CANDIDATES];
            const struct choice_of_batch c = {.gain = p.gain,
                                              .tokens = p.tokens,
                                              .count = CANDIDATES,
                                              .sketches = p.sketches,
                                              .width = WIDTH,
                                              .penalty = PENALTIES[k / 3],
                                              .budget = BUDGETS[k % 3]};
            assert_true(batch_choice_scratch(&c) <= sizeof scratch / sizeof *scratch);
            size_t n = batch_choice(&c, picks, scratch);
            assert_int_equal(n, naive_greedy(&p, c.penalty, c.budget, naive));
            assert_memory_equal(picks, naive, n * sizeof *picks);
        }
    }
}

/* First picks come as often as odds of gains in standard deviations say. */
static void draws_have_the_odds_of_gains(void **state)
{
    (void)state;
    static const double GAIN[] = {3, 1, 0, 2};
    static const uint32_t TOKENS[] = {1, 1, 1, 0};
    static const double TEMPERATURES[] = {0.9, 0.3, 100};
    for (size_t t = 0; t < 3; t++) {
        struct rng r;
        rng_init(&r, t, "odds");
        const struct choice_of_batch c = {.gain = GAIN,
                                          .tokens = TOKENS,
                                          .count = 4,
                                          .budget = 1,
                                          .temperature = TEMPERATURES[t],
                                          .rng = &r};
        double seen[4] = {0}, scratch[8], odds[3], sum = 0, deviation = sqrt(14.0 / 9);
        const int draws = 40000;
        for (int i = 0; i < draws; i++) {
            size_t picks[4];
            assert_int_equal(batch_choice(&c, picks, scratch), 1);
            seen[picks[0]]++;
        }
        for (size_t i = 0; i < 3; i++) {
            odds[i] = exp(GAIN[i] / deviation / TEMPERATURES[t]);
            sum += odds[i];
        }
        for (size_t i = 0; i < 3; i++) {
            assert_true(fabs(seen[i] / draws - odds[i] / sum) < 0.012);
        }
        assert_true(seen[3] == 0);
    }
}

/* ---- a step ---- */

enum { LENGTH = 10, POOL = 8, MODEL_TOKENS = POOL * LENGTH };

struct candidates {
    uint32_t tokens[MODEL_TOKENS], starts[POOL + 1], documents[POOL];
    struct token_batch target;
    uint32_t target_tokens[LENGTH], target_starts[2];
};

/* Document 0 is what is wanted; 2 says the same; others are other. */
static void make_candidates(struct candidates *c, uint32_t vocab)
{
    struct rng r;
    rng_init(&r, 8, "candidates");
    for (size_t i = 0; i < MODEL_TOKENS; i++) {
        c->tokens[i] = (uint32_t)rng_below(&r, vocab);
    }
    memcpy(c->tokens + (size_t)2 * LENGTH, c->tokens, LENGTH * sizeof *c->tokens);
    for (size_t i = 0; i < LENGTH; i++) {
        c->target_tokens[i] = i % 4 == 3 ? (uint32_t)rng_below(&r, vocab) : c->tokens[i];
    }
    for (uint32_t s = 0; s <= POOL; s++) {
        c->starts[s] = s * LENGTH;
        c->documents[s % POOL] = s;
    }
    c->target_starts[0] = 0;
    c->target_starts[1] = LENGTH;
    c->target = (struct token_batch){
        .tokens = c->target_tokens, .starts = c->target_starts, .sequences = 1};
}

static winnow_status give(void *state, struct sampler_batch *out, bool *more,
                          struct winnow_error *err)
{
    (void)err;
    struct candidates *c = state;
    *out = (struct sampler_batch){{.tokens = c->tokens, .starts = c->starts, .sequences = POOL},
                                  c->documents};
    *more = true;
    return WINNOW_OK;
}

struct stepping {
    struct model *m;
    struct pool *pool;
    struct trainer *t;
};

static void open_stepping(struct stepping *s, enum trainer_optimizer optimizer)
{
    struct model_config c = small_llama();
    struct winnow_error err;
    const struct winnow_env env = {0};
    struct trainer_options opt = TRAINER_OPTIONS_INIT;
    opt.optimizer = optimizer;
    opt.lr = 0.05;
    opt.lr_end = 1;
    opt.warmup = 0;
    opt.clip = 0;
    opt.tokens_max = 256;
    s->pool = pool_new(1);
    assert_ok(model_new(&c, &s->m, &err), err);
    model_init_random(s->m, 5);
    assert_ok(trainer_new(s->m, s->pool, &opt, &env, &s->t, &err), err);
}

static void close_stepping(struct stepping *s)
{
    trainer_free(s->t);
    model_free(s->m);
    pool_free(s->pool);
}

static void gradient_of(struct trainer *t, const struct token_batch *b, float *out)
{
    struct winnow_error err;
    double nll;
    memset(out, 0, model_values_count(trainer_model(t)) * sizeof *out);
    assert_ok(engine_gradient(trainer_engine(t), b, (float)(1.0 / (double)batch_targets(b)), out,
                              &nll, NULL, &err),
              err);
    (void)trainer_precondition(t, out);
}

/* Which two candidates explicit gradients would pick, all redundancy left out. */
static void naive_picks(struct trainer *t, const struct candidates *c, size_t *picks)
{
    size_t n = model_values_count(trainer_model(t));
    float *v = mem_alloc(3 * n * sizeof *v), *g = v + n, *raw = g + n;
    double gain[POOL] = {0};
    struct winnow_error err;
    double nll;
    memset(raw, 0, n * sizeof *raw);
    assert_ok(
        engine_gradient(trainer_engine(t), &c->target, 1.0F / (LENGTH - 1), raw, &nll, NULL, &err),
        err);
    for (uint32_t s = 0; s < POOL; s++) {
        const uint32_t one[] = {0, LENGTH};
        const struct token_batch b = {
            .tokens = c->tokens + c->starts[s], .starts = one, .sequences = 1};
        gradient_of(t, &b, g);
        for (size_t i = 0; i < n; i++) {
            gain[s] += (double)raw[i] * (double)g[i];
        }
    }
    for (size_t k = 0; k < 2; k++) {
        picks[k] = POOL;
        for (size_t s = 0; s < POOL; s++) {
            bool open = k == 0 || s != picks[0];
            if (open && (picks[k] == POOL || gain[s] > gain[picks[k]])) {
                picks[k] = s;
            }
        }
    }
    mem_free(v);
}

static void open_way(struct stepping *s, struct candidates *c, const struct winnow_sampling *o,
                     const struct packer_options *packer, struct sampling *out)
{
    struct winnow_error err;
    const struct sampling_home home = {.opt = o,
                                       .packer = packer,
                                       .inner = {.state = c, .next = give},
                                       .learner = trainer_learner(s->t),
                                       .trainer = s->t,
                                       .seed = 3,
                                       .steps = 10,
                                       .pool = s->pool,
                                       .target = &c->target};
    assert_ok(sampling_open(&home, out, &err), err);
}

/* Three steps of the way, beside three steps on what explicit gradients pick. */
static void check_steps(enum trainer_optimizer optimizer)
{
    struct stepping way, plain;
    struct candidates c;
    struct sampling s;
    struct winnow_error err;
    const struct packer_options packer = {.context = LENGTH, .batch_tokens = 2 * LENGTH};
    struct winnow_sampling o = WINNOW_SAMPLING_INIT;
    o.sampler = WINNOW_GREATS;
    o.redundancy = 0;
    open_stepping(&way, optimizer);
    open_stepping(&plain, optimizer);
    make_candidates(&c, model_config(way.m)->vocab);
    open_way(&way, &c, &o, &packer, &s);
    for (int step = 0; step < 3; step++) {
        size_t picks[2];
        uint32_t tokens[2 * LENGTH];
        const uint32_t starts[] = {0, LENGTH, 2 * LENGTH};
        struct sampler_batch b;
        struct trainer_result r;
        bool more;
        naive_picks(plain.t, &c, picks);
        for (size_t k = 0; k < 2; k++) {
            memcpy(tokens + k * LENGTH, c.tokens + c.starts[picks[k]], LENGTH * sizeof *tokens);
        }
        const struct token_batch chosen = {.tokens = tokens, .starts = starts, .sequences = 2};
        assert_ok(trainer_step(plain.t, &chosen, &r, &err), err);
        assert_ok(s.sampler.next(s.sampler.state, &b, &more, &err), err);
        assert_ok(s.learner.kind->add(s.learner.of, &b.batch, batch_targets(&b.batch), NULL, &err),
                  err);
        assert_ok(s.learner.kind->update(s.learner.of, &r, &err), err);
        assert_memory_equal(model_values(way.m), model_values(plain.m),
                            model_values_count(way.m) * sizeof(float));
    }
    assert_true(sampling_flops(&s) > 0);
    sampling_close(&s);
    close_stepping(&way);
    close_stepping(&plain);
}

static void steps_are_on_what_explicit_gradients_pick(void **state)
{
    (void)state;
    check_steps(TRAINER_SGD);
    check_steps(TRAINER_ADAMW);
}

/* The loss of what is wanted after one step on two picks. */
static double loss_after(double redundancy)
{
    struct stepping way;
    struct candidates c;
    struct sampling s;
    struct winnow_error err;
    struct sampler_batch b;
    struct trainer_result r;
    bool more;
    const struct packer_options packer = {.context = LENGTH, .batch_tokens = 2 * LENGTH};
    struct winnow_sampling o = WINNOW_SAMPLING_INIT;
    o.sampler = WINNOW_GREATS;
    o.redundancy = redundancy;
    open_stepping(&way, TRAINER_SGD);
    make_candidates(&c, model_config(way.m)->vocab);
    open_way(&way, &c, &o, &packer, &s);
    float nll[MODEL_TOKENS];
    assert_ok(s.sampler.next(s.sampler.state, &b, &more, &err), err);
    assert_ok(s.learner.kind->add(s.learner.of, &b.batch, batch_targets(&b.batch), NULL, &err),
              err);
    assert_ok(s.learner.kind->update(s.learner.of, &r, &err), err);
    assert_ok(engine_nll(trainer_engine(way.t), &b.batch, nll, &err), err);
    double sum = 0;
    for (size_t i = 0; i < LENGTH; i++) {
        sum += (double)nll[i];
    }
    sampling_close(&s);
    close_stepping(&way);
    return sum;
}

static void a_copy_is_not_picked_twice_where_redundancy_counts(void **state)
{
    (void)state;
    assert_true(loss_after(1e4) > loss_after(0) + 1e-3); /* its copy gave way to another */
}

/* ---- planted worlds ---- */

#define DOCS  96
#define STEPS 160

/* A fourth of the documents follow a rule, the others are noise. */
static void make_world(struct token_docs *d, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, "world");
    for (uint32_t i = 0; i < DOCS; i++) {
        uint32_t x = (uint32_t)rng_below(&r, 20), y = (uint32_t)rng_below(&r, 20);
        for (uint32_t k = 0; k < 32; k++) {
            uint32_t z = (uint32_t)(rng_mix(x * 20 + y) % 20);
            x = y;
            y = z;
            u32_list_add(&d->tokens, i % 4 == 0 ? 2 + y : 24 + (uint32_t)rng_below(&r, 40));
        }
        token_docs_end(d);
    }
}

static void batch_of(const struct token_docs *d, uint32_t from, uint32_t *tokens, uint32_t *starts,
                     struct token_batch *out)
{
    for (uint32_t i = 0; i < 8; i++) {
        size_t n;
        memcpy(tokens + (size_t)i * 32, token_docs_at(d, 4 * i + from, &n), 32 * sizeof *tokens);
        starts[i] = i * 32;
    }
    starts[8] = 256;
    *out = (struct token_batch){.tokens = tokens, .starts = starts, .sequences = 8};
}

static winnow_status measure(void *ctx, struct engine *e, double *values, struct winnow_error *err)
{
    float nll[256];
    const struct token_batch *b = ctx;
    TRY(engine_nll(e, b, nll, err));
    values[0] = 0;
    for (size_t i = 0; i < 256; i++) {
        values[0] += (double)nll[i] / 248;
    }
    return WINNOW_OK;
}

/* Loss of the rule on documents of its own after as many steps, choosing towards documents
 * (of the rule: 0, or of noise: 1). */
static double learn(int sampler, uint32_t toward)
{
    struct token_docs d = {0}, few = {0}, test = {0};
    struct token_batch target, measured;
    uint32_t tokens[2][256], starts[2][9], order[64 * DOCS];
    make_world(&d, 1);
    make_world(&few, 50);
    make_world(&test, 77);
    batch_of(&few, toward, tokens[0], starts[0], &target);
    batch_of(&test, 0, tokens[1], starts[1], &measured);
    struct rng r;
    rng_init(&r, 4, "order");
    for (uint32_t e = 0; e < 64; e++) {
        for (uint32_t i = 0; i < DOCS; i++) {
            order[e * DOCS + i] = i;
        }
        rng_shuffle_u32(&r, order + (size_t)e * DOCS, DOCS);
    }
    struct winnow_sampling o = WINNOW_SAMPLING_INIT;
    o.sampler = sampler;
    struct fit_options opt = {.packer = {0, 1, 40, 128, 0, NULL},
                              .sampling = &o,
                              .toward = &target,
                              .points = 1,
                              .measure = measure,
                              .ctx = &measured};
    opt.trainer = (struct trainer_options)TRAINER_OPTIONS_INIT;
    opt.trainer.steps = STEPS;
    opt.trainer.lr = 5e-3;
    opt.trainer.tokens_max = 512;
    struct pool *pool = pool_new(1);
    const struct fit_data data = {&d, order, 64 * DOCS, NULL};
    const struct model_config c = small_llama();
    const struct winnow_env env = {0};
    struct winnow_error err;
    struct model *m;
    struct fit_result result;
    assert_ok(model_new(&c, &m, &err), err);
    model_init_random(m, 9);
    assert_ok(fit(m, pool, &data, &opt, &env, &result, &err), err);
    double loss = result.curve[1].values[0];
    fit_result_release(&result);
    model_free(m);
    pool_free(pool);
    token_docs_release(&d);
    token_docs_release(&few);
    token_docs_release(&test);
    return loss;
}

static void choosing_wins_towards_what_is_wanted_and_not_towards_noise(void **state)
{
    (void)state;
    double plain = learn(WINNOW_UNIFORM, 0), opus = learn(WINNOW_OPUS, 0);
    double greats = learn(WINNOW_GREATS, 0), noise = learn(WINNOW_GREATS, 1);
    print_message("uniform %.3f, opus %.3f, greats %.3f; towards noise %.3f\n", plain, opus, greats,
                  noise);
    assert_true(opus < plain - 0.05 && greats < plain - 0.05);
    assert_true(plain - noise < (plain - greats) / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_is_the_naive_one),
        cmocka_unit_test(draws_have_the_odds_of_gains),
        cmocka_unit_test(steps_are_on_what_explicit_gradients_pick),
        cmocka_unit_test(a_copy_is_not_picked_twice_where_redundancy_counts),
        cmocka_unit_test(choosing_wins_towards_what_is_wanted_and_not_towards_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
