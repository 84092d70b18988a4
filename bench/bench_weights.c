/* bench_weights.c -- what weights by losses, and dropout, cost of a training step.
 *
 *     bench_weights [f32|bf16 [STEPS]]
 *
 * Plain steps, reweighted ones and such under dropout alternate on models of one start, one
 * thread; a row a shape: processor time of a plain step (median), and of how much more the other
 * two take the median over the rounds of their ratio to the plain one beside them. */
#include "base/mem.h"
#include "base/rng.h"
#include "median.h"
#include "train/sampling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct shape {
    const char *name;
    uint32_t vocab, dim, layers, heads, ffn, length, sequences;
};

static const struct shape SHAPES[] = {
    {"0.23M", 2048, 64, 2, 2, 192, 256, 8},
    {"0.5M", 2048, 96, 3, 3, 256, 256, 8},
    {"2M", 4096, 160, 5, 5, 432, 256, 16},
};

enum { PLAIN, WEIGHED, DROPPED, WAYS };

struct way {
    struct model *m;
    struct trainer *t;
    struct sampling sampling;
};

static void check(winnow_status st, const struct winnow_error *err)
{
    if (st != WINNOW_OK) {
        (void)fprintf(stderr, "bench_weights: %s\n", err->text);
        exit(1);
    }
}

static double cpu_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void open_way(struct way *w, const struct shape *s, int which, enum engine_compute compute,
                     struct pool *pool)
{
    static const struct winnow_sampling REWEIGHT = {
        .sampler = WINNOW_REWEIGHT, .curve = WINNOW_LINUPPER, .temperature = 0.4};
    struct model_config c = MODEL_CONFIG_INIT;
    c.vocab = s->vocab;
    c.dim = s->dim;
    c.layers = s->layers;
    c.heads = c.kv_heads = s->heads;
    c.head_dim = s->dim / s->heads;
    c.ffn = s->ffn;
    struct winnow_error err;
    const struct winnow_env env = {0};
    struct trainer_options opt = TRAINER_OPTIONS_INIT;
    opt.compute = compute;
    opt.tokens_max = s->length * s->sequences;
    opt.losses_first = which == WEIGHED;
    opt.dropout = which == DROPPED ? 0.1 : 0;
    check(model_new(&c, &w->m, &err), &err);
    model_init_random(w->m, 1);
    check(trainer_new(w->m, pool, &opt, &env, &w->t, &err), &err);
    const struct sampling_home home = {
        .opt = &REWEIGHT, .learner = trainer_learner(w->t), .trainer = w->t, .steps = opt.steps};
    if (which == WEIGHED) {
        check(sampling_open(&home, &w->sampling, &err), &err);
    }
}

static void close_way(struct way *w)
{
    sampling_close(&w->sampling);
    trainer_free(w->t);
    model_free(w->m);
}

static double step(struct way *w, const struct token_batch *b)
{
    struct winnow_error err;
    struct trainer_result r;
    double start = cpu_seconds();
    check(trainer_step(w->t, b, &r, &err), &err);
    return cpu_seconds() - start;
}

static void run_shape(const struct shape *s, enum engine_compute compute, uint32_t steps)
{
    struct pool *pool = pool_new(1);
    struct way ways[WAYS] = {0};
    for (int i = 0; i < WAYS; i++) {
        open_way(&ways[i], s, i, compute, pool);
    }
    uint32_t n = s->length * s->sequences;
    uint32_t *tokens = mem_alloc(n * sizeof *tokens);
    uint32_t *starts = mem_alloc((s->sequences + 1) * sizeof *starts);
    double *seconds = mem_alloc(steps * sizeof *seconds), *more[WAYS] = {0};
    for (int i = 0; i < WAYS; i++) {
        more[i] = mem_alloc(steps * sizeof *more[i]);
    }
    struct rng r;
    rng_init(&r, 1, "bench");
    for (uint32_t i = 0; i <= s->sequences; i++) {
        starts[i] = i * s->length;
    }
    const struct token_batch b = {tokens, starts, s->sequences, NULL, NULL};
    for (uint32_t k = 0; k < steps; k++) {
        for (uint32_t i = 0; i < n; i++) {
            tokens[i] = (uint32_t)rng_below(&r, rng_below(&r, s->vocab) + 1);
        }
        double of[WAYS];
        for (int i = 0; i < WAYS; i++) { /* who comes first takes turns */
            int which = (int)((k + (uint32_t)i) % WAYS);
            of[which] = step(&ways[which], &b);
        }
        seconds[k] = of[PLAIN];
        for (int i = 0; i < WAYS; i++) {
            more[i][k] = of[i] / of[PLAIN] - 1;
        }
    }
    (void)printf("%-6s %5u tokens  %8.2f ms  %+6.2f %%  %+6.2f %%\n", s->name, n,
                 1e3 * median(seconds, steps), 100 * median(more[WEIGHED], steps),
                 100 * median(more[DROPPED], steps));
    for (int i = 0; i < WAYS; i++) {
        close_way(&ways[i]);
        mem_free(more[i]);
    }
    mem_free(seconds);
    mem_free(tokens);
    mem_free(starts);
    pool_free(pool);
}

int main(int argc, char **argv)
{
    enum engine_compute compute =
        argc > 1 && strcmp(argv[1], "bf16") == 0 ? ENGINE_BF16 : ENGINE_F32;
    uint32_t steps = argc > 2 ? (uint32_t)atoi(argv[2]) : 60;
    (void)printf("model         a step     plain    weighed   dropout\n");
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        run_shape(&SHAPES[i], compute, steps);
        (void)fflush(stdout);
    }
    return 0;
}
