/* bench_examples.c -- what per-example products and sketches cost beside a training pass.
 *
 *     bench_examples [MODEL [LENGTH [TARGETS [ROUNDS]]]]
 *
 * MODEL is 3M (the shape of the pilot) or 135M (SmolLM2's).  One thread, bf16.  Each round runs
 * the plain pass (forward, backward, weight gradients) and every other form once, in turn, and a
 * row is the median over rounds of its processor time over the plain pass's of the same round:
 * other work on the machine disturbs both alike. */
#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/examples.h"
#include "median.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS_MAX 64U

static double cpu_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(winnow_status st, const struct winnow_error *err)
{
    if (st != WINNOW_OK) {
        (void)fprintf(stderr, "%s\n", err->text);
        exit(1);
    }
}

struct bench {
    struct model *m;
    struct pool *pool;
    struct engine *e;
    struct token_batch b;
    float *gradient, *direction, *sketches;
    double *dots, *squares;
    size_t count;
};

static void fill_batch(struct bench *x, uint32_t length, uint32_t targets)
{
    struct rng r;
    size_t n = 2048 / length;
    uint32_t *tokens = mem_alloc(n * length * sizeof *tokens);
    uint32_t *wanted = mem_alloc(n * length * sizeof *wanted);
    uint32_t *starts = mem_alloc((n + 1) * sizeof *starts);
    rng_init(&r, 1, "bench");
    for (size_t i = 0; i < n * length; i++) {
        tokens[i] = (uint32_t)rng_below(&r, model_config(x->m)->vocab);
        bool asked = i % length + 1 + targets >= length && i % length + 1 < length;
        wanted[i] = asked ? (uint32_t)rng_below(&r, model_config(x->m)->vocab) : BATCH_NO_TARGET;
    }
    for (size_t i = 0; i <= n; i++) {
        starts[i] = (uint32_t)(i * length);
    }
    x->b =
        (struct token_batch){.tokens = tokens, .starts = starts, .sequences = n, .targets = wanted};
}

static double plain(struct bench *x)
{
    struct winnow_error err;
    double nll, start = cpu_seconds();
    check(engine_gradient(x->e, &x->b, 1, x->gradient, &nll, NULL, &err), &err);
    return cpu_seconds() - start;
}

struct form {
    const char *name;
    struct example_options opt;
    bool beside; /* with the summed gradient */
};

static double run(struct bench *x, const struct form *f)
{
    struct winnow_error err;
    struct engine_examples *examples;
    check(engine_examples_new(x->e, &f->opt, &examples, &err), &err);
    const struct model_config *c = model_config(x->m);
    for (uint32_t i = 0; f->opt.rank > 0 && i < c->layers * EXAMPLE_MATRICES; i++) {
        engine_examples_project(examples, i / EXAMPLE_MATRICES,
                                (enum example_matrix)(i % EXAMPLE_MATRICES), x->direction,
                                x->direction);
    }
    const struct example_results out = {
        .dots = x->dots,
        .squares = f->opt.direction ? x->squares : NULL,
        .sketches = f->opt.direction ? NULL : x->sketches,
    };
    double start = cpu_seconds();
    check(engine_gradient_examples(x->e, &x->b, 1, f->beside ? x->gradient : NULL, examples, &out,
                                   &err),
          &err);
    double spent = cpu_seconds() - start;
    engine_examples_free(examples);
    return spent;
}

static void open_bench(struct bench *x, bool large, uint32_t length, uint32_t targets)
{
    struct winnow_error err;
    struct model_config c = MODEL_CONFIG_INIT;
    c.vocab = large ? 49152 : 4096;
    c.dim = large ? 576 : 192;
    c.layers = large ? 30 : 5;
    c.heads = large ? 9 : 6;
    c.kv_heads = large ? 3 : 6;
    c.head_dim = large ? 64 : 32;
    c.ffn = large ? 1536 : 512;
    c.context = 2048;
    c.tied = true;
    check(model_new(&c, &x->m, &err), &err);
    model_init_random(x->m, 1);
    x->count = model_values_count(x->m);
    x->pool = pool_new(1);
    const struct winnow_env env = {0};
    const struct engine_options opt = {
        .compute = ENGINE_BF16, .tokens_max = 2048, .gradients = true};
    check(engine_new(x->m, x->pool, &opt, &env, &x->e, &err), &err);
    x->gradient = mem_zalloc(x->count * sizeof *x->gradient);
    x->direction = mem_alloc(x->count * sizeof *x->direction);
    struct rng r;
    rng_init(&r, 2, "bench");
    for (size_t i = 0; i < x->count; i++) {
        x->direction[i] = (float)rng_uniform(&r) - 0.5F;
    }
    fill_batch(x, length, targets);
    x->sketches = mem_alloc(x->b.sequences * (size_t)c.layers * 4 * 64 * 64 * sizeof(float));
    x->dots = mem_alloc(x->b.sequences * sizeof *x->dots);
    x->squares = mem_alloc(x->b.sequences * sizeof *x->squares);
}

int main(int argc, char **argv)
{
    bool large = argc > 1 && strcmp(argv[1], "135M") == 0;
    uint32_t length = argc > 2 ? (uint32_t)atoi(argv[2]) : 256;
    uint32_t targets = argc > 3 ? (uint32_t)atoi(argv[3]) : 16;
    unsigned rounds = argc > 4 ? (unsigned)atoi(argv[4]) : 15;
    rounds = rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX;
    static struct bench x;
    open_bench(&x, large, length, targets);
    const struct form forms[] = {
        {"products and squares beside a step", {.direction = x.direction}, true},
        {"factored, rank 16, beside a step", {.rank = 16}, true},
        {"factored, rank 16, alone", {.rank = 16}, false},
        {"factored, rank 64, alone", {.rank = 64}, false},
        {"hashed, 8192, alone", {.hashed = 8192}, false},
    };
    enum { FORMS = sizeof forms / sizeof *forms };
    static double ratios[FORMS][ROUNDS_MAX], plains[ROUNDS_MAX];
    (void)plain(&x);
    for (unsigned i = 0; i < rounds; i++) {
        plains[i] = plain(&x);
        for (size_t f = 0; f < FORMS; f++) {
            ratios[f][i] = run(&x, &forms[f]) / plains[i];
        }
    }
    double step = median(plains, rounds);
    (void)printf("%s, sequences of %u tokens, %u targets each; a plain pass: %.0f tokens/s\n",
                 large ? "135M" : "3M", length, targets, (double)batch_tokens(&x.b) / step);
    for (size_t f = 0; f < FORMS; f++) {
        double ratio = median(ratios[f], rounds);
        (void)printf("  %-36s %.3f   %.0f tokens/s\n", forms[f].name, ratio,
                     (double)batch_tokens(&x.b) / step / ratio);
    }
    return 0;
}
