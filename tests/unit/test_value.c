/* Values of documents against exact enumeration and against what a step really does. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "model/model.h"
#include "train/value.h"

#include <string.h>

enum { PLAYERS = 4, LENGTH = 12, TOKENS = PLAYERS * LENGTH, VOCAB = 40 };

struct game {
    struct model *m;
    struct pool *pool;
    struct trainer *t;
    uint32_t tokens[TOKENS], target[2 * LENGTH], starts[PLAYERS + 1], target_starts[3];
    uint32_t documents[PLAYERS];
    struct token_batch batch, few;
    float *start; /* weights */
    size_t count;
};

static void open_game(struct game *g, int optimizer, double lr)
{
    struct model_config c = MODEL_CONFIG_INIT;
    struct winnow_error err;
    struct rng r;
    c.vocab = VOCAB;
    c.dim = 16;
    c.layers = 2;
    c.heads = c.kv_heads = 2;
    c.head_dim = 8;
    c.ffn = 32;
    c.context = 64;
    *g = (struct game){.pool = pool_new(1)};
    assert_ok(model_new(&c, &g->m, &err), err);
    model_init_random(g->m, 5);
    g->count = model_values_count(g->m);
    rng_init(&r, 3, "game");
    for (size_t i = 0; i < TOKENS; i++) {
        g->tokens[i] = (uint32_t)rng_below(&r, VOCAB);
    }
    for (size_t i = 0; i < 2 * LENGTH; i++) { /* nearly what the first two players say */
        g->target[i] = i % 5 == 4 ? (uint32_t)rng_below(&r, VOCAB) : g->tokens[i];
    }
    for (uint32_t s = 0; s <= PLAYERS; s++) {
        g->starts[s] = s * LENGTH;
        g->documents[s % PLAYERS] = s % PLAYERS;
    }
    for (uint32_t s = 0; s < 3; s++) {
        g->target_starts[s] = s * LENGTH;
    }
    g->batch = (struct token_batch){.tokens = g->tokens, .starts = g->starts, .sequences = PLAYERS};
    g->few = (struct token_batch){.tokens = g->target, .starts = g->target_starts, .sequences = 2};
    struct trainer_options opt = TRAINER_OPTIONS_INIT;
    const struct winnow_env env = {0};
    opt.optimizer = (enum trainer_optimizer)optimizer;
    opt.lr = lr;
    opt.lr_end = 1;
    opt.warmup = 0;
    opt.weight_decay = 0;
    opt.clip = 0;
    opt.tokens_max = 256;
    assert_ok(trainer_new(g->m, g->pool, &opt, &env, &g->t, &err), err);
    g->start = mem_alloc(g->count * sizeof *g->start);
    memcpy(g->start, model_values(g->m), g->count * sizeof *g->start);
}

static void close_game(struct game *g)
{
    trainer_free(g->t);
    model_free(g->m);
    pool_free(g->pool);
    mem_free(g->start);
}

static double target_loss(struct game *g)
{
    struct winnow_error err;
    float nll[2 * LENGTH];
    double sum = 0;
    assert_ok(engine_nll(trainer_engine(g->t), &g->few, nll, &err), err);
    for (size_t i = 0; i < 2 * LENGTH; i++) {
        sum += (double)nll[i];
    }
    return sum / (double)batch_targets(&g->few);
}

/* By how much the target's loss falls where only those players' gradients are taken. */
static double utility(struct game *g, unsigned players, float *const *gradients, double lr)
{
    float *w = model_values(g->m);
    memcpy(w, g->start, g->count * sizeof *w);
    engine_weights_changed(trainer_engine(g->t));
    double before = target_loss(g);
    for (size_t p = 0; p < PLAYERS; p++) {
        for (size_t i = 0; players >> p & 1U && i < g->count; i++) {
            w[i] -= (float)(lr * (double)gradients[p][i]);
        }
    }
    engine_weights_changed(trainer_engine(g->t));
    double after = target_loss(g);
    memcpy(w, g->start, g->count * sizeof *w);
    engine_weights_changed(trainer_engine(g->t));
    return before - after;
}

/* Over all coalitions that the player joins. */
static void enumerate(struct game *g, double lr, double *out)
{
    struct winnow_error err;
    float *gradients[PLAYERS];
    float scale = 1.0F / (float)batch_targets(&g->batch);
    for (size_t p = 0; p < PLAYERS; p++) {
        const uint32_t starts[2] = {0, LENGTH};
        const struct token_batch one = {
            .tokens = g->tokens + p * LENGTH, .starts = starts, .sequences = 1};
        double nll;
        gradients[p] = mem_zalloc(g->count * sizeof *gradients[p]);
        assert_ok(
            engine_gradient(trainer_engine(g->t), &one, scale, gradients[p], &nll, NULL, &err),
            err);
    }
    static const double SHARE[PLAYERS] = {1.0 / 4, 1.0 / 12, 1.0 / 12, 1.0 / 4};
    double of[1U << PLAYERS];
    for (unsigned s = 0; s < 1U << PLAYERS; s++) {
        of[s] = utility(g, s, gradients, lr);
    }
    for (unsigned p = 0; p < PLAYERS; p++) {
        out[p] = 0;
        for (unsigned s = 0; s < 1U << PLAYERS; s++) {
            if (!(s >> p & 1U)) {
                size_t size = (size_t)__builtin_popcount(s);
                out[p] += SHARE[size] * (of[s | 1U << p] - of[s]);
            }
        }
        mem_free(gradients[p]);
    }
}

static winnow_status give(void *state, struct sampler_batch *out, bool *more,
                          struct winnow_error *err)
{
    (void)err;
    const struct game *g = state;
    *out = (struct sampler_batch){g->batch, g->documents};
    *more = true;
    return WINNOW_OK;
}

/* Values of `steps` steps on the same batch. */
static void values_of(struct game *g, uint32_t order, int steps, double *out)
{
    struct winnow_error err;
    const struct value_options opt = {.target = &g->few, .documents = PLAYERS, .order = order};
    const struct sampler inner = {.state = g, .next = give};
    struct valuation *v = NULL;
    struct sampler_batch b;
    struct trainer_result r;
    bool more;
    assert_ok(valuation_new(g->t, &opt, &v, &err), err);
    const struct learner l = valuation_learner(v);
    const struct sampler s = valuation_sampler(v, &inner);
    for (int i = 0; i < steps; i++) {
        assert_ok(s.next(s.state, &b, &more, &err), err);
        assert_ok(l.kind->add(l.of, &b.batch, batch_targets(&b.batch), NULL, &err), err);
        assert_ok(l.kind->update(l.of, &r, &err), err);
    }
    memcpy(out, valuation_values(v), PLAYERS * sizeof *out);
    valuation_free(v);
}

static double worst(const double *a, const double *b)
{
    double most = 0;
    for (size_t p = 0; p < PLAYERS; p++) {
        most = fabs(a[p] - b[p]) > most ? fabs(a[p] - b[p]) : most;
    }
    return most;
}

/* Errors of the first order fall with the square of the rate, those of the second with its cube. */
static void values_of_sgd_are_those_of_enumeration(void **state)
{
    (void)state;
    static const double RATES[2] = {0.2, 0.1};
    double off[2][3], size[2];
    for (size_t k = 0; k < 2; k++) {
        for (uint32_t order = 1; order <= 2; order++) {
            struct game g;
            double exact[PLAYERS], value[PLAYERS], sum = 0;
            open_game(&g, TRAINER_SGD, RATES[k]);
            enumerate(&g, RATES[k], exact);
            double before = target_loss(&g);
            values_of(&g, order, 1, value);
            double change = before - target_loss(&g);
            for (size_t p = 0; p < PLAYERS; p++) {
                sum += value[p];
            }
            off[k][order] = worst(exact, value);
            size[k] = fabs(change);
            if (order == 2) { /* they share out what the step really did */
                assert_true(fabs(sum - change) < 0.05 * fabs(change));
            }
            close_game(&g);
        }
        assert_true(off[k][1] < 0.3 * size[k]);
        assert_true(off[k][2] < 0.5 * off[k][1]);
    }
    assert_true(off[1][1] < off[0][1] / 2.5);
    assert_true(off[1][2] < off[0][2] / 4);
}

static void values_of_adamw_sum_up_to_what_steps_did(void **state)
{
    (void)state;
    struct game g;
    double value[PLAYERS], sum = 0, none[PLAYERS];
    open_game(&g, TRAINER_ADAMW, 1e-4);
    values_of(&g, 1, 1, none); /* no moments yet */
    for (size_t p = 0; p < PLAYERS; p++) {
        assert_true(none[p] == 0);
    }
    double before = target_loss(&g);
    values_of(&g, 1, 20, value);
    double change = before - target_loss(&g);
    for (size_t p = 0; p < PLAYERS; p++) {
        sum += value[p];
    }
    assert_true(change > 0 && sum > 0.5 * change && sum < 1.6 * change);
    assert_true(value[0] > value[2] && value[0] > value[3]); /* the target is like the first two */
    assert_true(value[1] > value[2] && value[1] > value[3]);
    close_game(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_sgd_are_those_of_enumeration),
        cmocka_unit_test(values_of_adamw_sum_up_to_what_steps_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
