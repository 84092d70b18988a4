#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "small_llama.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct run {
    struct model *m;
    struct pool *pool;
    struct trainer *t;
    struct trainer_result last;
};

static void open_run(struct run *r, const struct trainer_options *opt, uint32_t threads)
{
    struct winnow_error err;
    struct winnow_env env = {0};
    struct model_config c = small_llama();
    *r = (struct run){0};
    assert_ok(model_new(&c, &r->m, &err), err);
    model_init_random(r->m, 1);
    r->pool = pool_new(threads);
    assert_ok(trainer_new(r->m, r->pool, opt, &env, &r->t, &err), err);
}

static void close_run(struct run *r)
{
    trainer_free(r->t);
    pool_free(r->pool);
    model_free(r->m);
}

static struct trainer_options options(void)
{
    struct trainer_options opt = TRAINER_OPTIONS_INIT;
    opt.steps = 30;
    opt.warmup = 5;
    opt.lr = 1e-2;
    opt.tokens_max = 128;
    return opt;
}

/* Token i + 1 is a fixed function of token i, with some noise. */
static void fill(uint32_t *tokens, uint32_t *starts, uint64_t step)
{
    struct rng r;
    rng_init(&r, step, "batch");
    for (uint32_t s = 0; s <= 8; s++) {
        starts[s] = s * 50;
    }
    uint32_t x = 1;
    for (uint32_t i = 0; i < 400; i++) {
        x = rng_below(&r, 10) == 0 ? (uint32_t)rng_below(&r, 64) : (x * 5 + 3) % 64;
        tokens[i] = x;
    }
}

static void steps(struct run *r, uint64_t until)
{
    struct winnow_error err;
    uint32_t tokens[400], starts[9];
    while (trainer_steps(r->t) < until) {
        fill(tokens, starts, trainer_steps(r->t));
        struct token_batch b = {tokens, starts, 8, NULL};
        assert_ok(trainer_step(r->t, &b, &r->last, &err), err);
    }
}

static void assert_same_weights(const struct run *a, const struct run *b)
{
    assert_memory_equal(model_values_const(a->m), model_values_const(b->m),
                        model_values_count(a->m) * sizeof(float));
}

static void training_learns_what_can_be_learnt(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct trainer_options opt = options();
        opt.compute = i % 2 ? ENGINE_BF16 : ENGINE_F32;
        opt.optimizer = i / 2 ? TRAINER_MUON : TRAINER_ADAMW;
        opt.steps = 150;
        struct run r;
        open_run(&r, &opt, 1);
        steps(&r, 1);
        assert_near(r.last.loss, log(64.0), 0.05);
        assert_int_equal(r.last.targets, 8 * 49);
        steps(&r, 150);
        assert_true(r.last.loss < 1.2); /* noise alone: .9 * ln(1/.9) + .1 * ln(640) = 0.74 */
        close_run(&r);
    }
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct trainer_options opt = options();
        opt.optimizer = i == 1 ? TRAINER_MUON : TRAINER_ADAMW;
        opt.dropout = i == 2 ? 0.1 : 0;
        struct run one, two;
        open_run(&one, &opt, 1);
        open_run(&two, &opt, 2);
        steps(&one, 6);
        steps(&two, 6);
        assert_same_weights(&one, &two);
        close_run(&one);
        close_run(&two);
    }
}

static void resume_ends_in_the_same_bits(enum trainer_optimizer optimizer, double dropout)
{
    struct trainer_options opt = options();
    opt.optimizer = optimizer;
    opt.dropout = dropout;
    struct winnow_error err;
    struct run whole, first, second;
    char path[] = "/tmp/winnow-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    open_run(&whole, &opt, 1);
    steps(&whole, 12);
    open_run(&first, &opt, 1);
    steps(&first, 5);
    assert_ok(trainer_save(first.t, path, &err), err);
    close_run(&first);
    open_run(&second, &opt, 1);
    assert_ok(trainer_load(second.t, path, &err), err);
    assert_int_equal(trainer_steps(second.t), 5);
    steps(&second, 12);
    assert_same_weights(&whole, &second);
    assert_true(trainer_flops(whole.t) == trainer_flops(second.t));
    close_run(&second);

    /* A changed byte, a torn file and other options are refused. */
    open_run(&second, &opt, 1);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 3000, SEEK_SET), 0);
    int c = fgetc(f);
    assert_int_equal(fseek(f, 3000, SEEK_SET), 0);
    assert_int_equal(fputc(c ^ 1, f), c ^ 1);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(trainer_load(second.t, path, &err), WINNOW_E_FORMAT);
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(trainer_load(second.t, path, &err), WINNOW_E_FORMAT);
    close_run(&second);
    assert_ok(trainer_save(whole.t, path, &err), err);
    for (int i = 0; i < 2; i++) {
        struct trainer_options other = opt;
        other.lr *= i ? 1 : 2;
        other.optimizer = i ? (enum trainer_optimizer)(TRAINER_MUON - optimizer) : optimizer;
        open_run(&second, &other, 1);
        assert_int_equal(trainer_load(second.t, path, &err), WINNOW_E_FORMAT);
        assert_int_equal(trainer_steps(second.t), 0);
        close_run(&second);
    }
    (void)unlink(path);
    close_run(&whole);
}

static void a_resumed_training_ends_in_the_same_bits(void **state)
{
    (void)state;
    resume_ends_in_the_same_bits(TRAINER_ADAMW, 0);
    resume_ends_in_the_same_bits(TRAINER_MUON, 0);
    resume_ends_in_the_same_bits(TRAINER_ADAMW, 0.2);
    resume_ends_in_the_same_bits(TRAINER_MUON, 0.2);
}

/* A twin without averaging has each step's weights, whose mean in double the average is. */
static void the_last_weights_are_averaged(void **state)
{
    (void)state;
    struct trainer_options opt = options();
    opt.steps = 10;
    struct run plain, averaged;
    open_run(&plain, &opt, 1);
    opt.average = 4;
    open_run(&averaged, &opt, 2);
    size_t n = model_values_count(plain.m);
    double *sum = calloc(n, sizeof *sum);
    steps(&averaged, 9);
    for (uint64_t step = 1; step <= 10; step++) {
        steps(&plain, step);
        for (size_t i = 0; i < n; i++) {
            sum[i] += step > 6 ? (double)model_values(plain.m)[i] : 0;
        }
        if (step == 9) { /* until the last step the model has its own weights */
            assert_same_weights(&plain, &averaged);
        }
    }
    steps(&averaged, 10);
    double apart = 0;
    for (size_t i = 0; i < n; i++) {
        double got = (double)model_values(averaged.m)[i], last = (double)model_values(plain.m)[i];
        assert_near(got, sum[i] / 4, 1e-6);
        apart = fmax(apart, fabs(got - last));
    }
    assert_true(apart > 1e-4);
    free(sum);
    close_run(&plain);
    close_run(&averaged);
}

static void an_average_resumes_to_the_same_bits(void **state)
{
    (void)state;
    struct trainer_options opt = options();
    opt.steps = 10;
    opt.average = 5;
    opt.optimizer = TRAINER_MUON;
    struct winnow_error err;
    struct run whole, part;
    char path[] = "/tmp/winnow-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    open_run(&whole, &opt, 1);
    steps(&whole, 10);
    for (uint64_t at = 3; at <= 10; at += 5) { /* before the average has begun, and within it */
        open_run(&part, &opt, 1);
        steps(&part, at);
        assert_ok(trainer_save(part.t, path, &err), err);
        close_run(&part);
        open_run(&part, &opt, 1);
        assert_ok(trainer_load(part.t, path, &err), err);
        steps(&part, 10);
        assert_same_weights(&whole, &part);
        close_run(&part);
    }
    opt.average = 0; /* another schedule's */
    open_run(&part, &opt, 1);
    assert_int_equal(trainer_load(part.t, path, &err), WINNOW_E_FORMAT);
    close_run(&part);
    (void)unlink(path);
    close_run(&whole);
}

/* One AdamW update in double from the engine's own gradient. */
static void an_update_is_adamws(void **state)
{
    (void)state;
    struct trainer_options opt = options();
    opt.clip = 0.5;
    struct run r;
    open_run(&r, &opt, 1);
    size_t n = model_values_count(r.m);
    float *g = calloc(n, sizeof *g), *before = malloc(n * sizeof *before);
    memcpy(before, model_values(r.m), n * sizeof *before);
    uint32_t tokens[400], starts[9];
    fill(tokens, starts, 0);
    struct token_batch b = {tokens, starts, 8, NULL};
    struct winnow_error err;
    double sum, norm = 0;
    assert_ok(engine_gradient(trainer_engine(r.t), &b, 1.0F / (8 * 49), g, &sum, NULL, &err), err);
    for (size_t i = 0; i < n; i++) {
        norm += (double)g[i] * (double)g[i];
    }
    norm = sqrt(norm);
    steps(&r, 1);
    assert_near(r.last.grad_norm, norm, 1e-6);
    assert_near(r.last.lr, opt.lr / 5, 1e-12);
    double clip = norm > 0.5 ? 0.5 / norm : 1.0;
    for (size_t i = 0; i < model_tensor_count(r.m); i++) {
        const struct model_tensor *t = model_tensor_at(r.m, i);
        for (size_t j = t->offset; j < t->offset + (size_t)t->rows * t->cols; j++) {
            double w = (double)before[j], grad = (double)g[j] * clip, lr = opt.lr / 5;
            /* The first step: both moments, corrected, are the gradient's own. */
            double want = w - lr * grad / (fabs(grad) + opt.eps);
            want -= t->vector ? 0 : lr * opt.weight_decay * w;
            /* The sign of a gradient near eps is rounding. */
            double slack = fabs(grad) < 1e-6 ? 2 * lr : 2e-7;
            if (!(fabs((double)model_values(r.m)[j] - want) <= slack)) {
                fail_msg("%s[%zu]: %g, expected %g", t->name, j - t->offset,
                         (double)model_values(r.m)[j], want);
            }
        }
    }
    free(g);
    free(before);
    close_run(&r);
}

static void a_batch_in_pieces_updates_as_the_whole(void **state)
{
    (void)state;
    struct trainer_options opt = options();
    opt.tokens_max = 100; /* two sequences: both ways meet the same micro-batches */
    struct run whole, pieces;
    open_run(&whole, &opt, 1);
    open_run(&pieces, &opt, 1);
    steps(&whole, 1);
    uint32_t tokens[400], starts[9];
    fill(tokens, starts, 0);
    struct winnow_error err;
    for (uint32_t s = 0; s < 8; s += 2) {
        struct token_batch b = {tokens + starts[s], starts, 2, NULL};
        assert_ok(trainer_add(pieces.t, &b, 8 * 49, &err), err);
    }
    assert_ok(trainer_update(pieces.t, &pieces.last, &err), err);
    assert_same_weights(&whole, &pieces);
    assert_near(pieces.last.loss, whole.last.loss, 1e-12);
    close_run(&whole);
    close_run(&pieces);
}

static void memory_is_promised(void **state)
{
    (void)state;
    struct winnow_error err;
    struct model_config c = small_llama();
    struct trainer_options opt = options();
    opt.optimizer = TRAINER_MUON;
    opt.average = 10;
    struct model *m;
    struct trainer *t = NULL;
    assert_ok(model_new(&c, &m, &err), err);
    struct pool *pool = pool_new(1);
    struct winnow_env env = {.memory_max = trainer_memory(&c, &opt, 1)};
    assert_ok(trainer_new(m, pool, &opt, &env, &t, &err), err);
    trainer_free(t);
    env.memory_max /= 2;
    assert_int_equal(trainer_new(m, pool, &opt, &env, &t, &err), WINNOW_E_LIMIT);
    env.memory_max = 0;
    for (unsigned long i = 1; i <= 2; i++) {
        mem_fail_at(i);
        assert_int_equal(trainer_new(m, pool, &opt, &env, &t, &err), WINNOW_E_NOMEM);
    }
    mem_fail_at(0);
    pool_free(pool);
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_learns_what_can_be_learnt),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(a_resumed_training_ends_in_the_same_bits),
        cmocka_unit_test(the_last_weights_are_averaged),
        cmocka_unit_test(an_average_resumes_to_the_same_bits),
        cmocka_unit_test(an_update_is_adamws),
        cmocka_unit_test(a_batch_in_pieces_updates_as_the_whole),
        cmocka_unit_test(memory_is_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
