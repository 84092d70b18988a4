/* bench_train.c -- how fast the engine trains, and where a step's time goes.
 *
 *     bench_train [MODEL [f32|bf16 [THREADS [STEPS [TOKENS_MAX]]]]]
 *
 * MODEL is 0.5M, 2M or 12M (all when absent, or "all").  A table on standard
 * output, one row a run: medians over steps of tokens and GFLOP a second, by the
 * clock and by processor time (which other work on the machine disturbs less),
 * the share of what this processor's tile kernel does on data in its first
 * cache, the engine's memory (packed weights, and the activations of a micro-batch),
 * the barriers of a step, how much faster than one thread 64 could be at most, and the
 * share of each phase; above the table the time of an empty barrier.
 *
 * That bound counts, for each barrier, how evenly its pieces go round: one thread's
 * time is taken (run it with THREADS 1), pieces of a barrier are as long as each
 * other, and waking and memory cost nothing.
 *
 * GFLOP count 2 a multiply-add of the products and causal attention, forward
 * once and backward twice (model_config_flops). */
#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "math/gemm.h"
#include "median.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct shape {
    const char *name;
    uint32_t vocab, dim, layers, heads, head_dim, ffn, length, sequences;
};

static const struct shape SHAPES[] = {
    {"0.5M", 2048, 96, 3, 3, 32, 256, 256, 16},
    {"2M", 4096, 160, 5, 5, 32, 432, 256, 16},
    {"12M", 8192, 320, 8, 5, 64, 864, 512, 16},
};

struct options {
    const char *model;
    enum engine_compute compute;
    uint32_t threads, steps, tokens_max;
    const char *kernels;
};

static double cpu_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* GFLOP/s of one tile after the other on data that stays in the first cache. */
static double tile_peak(const struct kernels *k, enum gemm_type type)
{
    static float a[2048], b[8192], c[KERNELS_ROWS_MAX * KERNELS_COLS_MAX];
    struct gemm_tile t = {.k = 96,
                          .a = a,
                          .b = b,
                          .a_step = k->gemm_rows,
                          .b_step = k->gemm_cols,
                          .c = c,
                          .c_step = k->gemm_cols,
                          .m = k->gemm_rows,
                          .n = k->gemm_cols};
    double flops = 2.0 * t.m * t.n * 96 * (type == GEMM_BF16 ? 2 : 1), best = 0;
    for (int round = 0; round < 20; round++) {
        double start = cpu_seconds();
        for (int i = 0; i < 2000; i++) {
            type == GEMM_BF16 ? k->tile_bf16(&t) : k->tile_f32(&t);
        }
        double rate = 2000 * flops / (cpu_seconds() - start) * 1e-9;
        best = rate > best ? rate : best;
    }
    return best;
}

/* Zipf-like tokens, the same in every run. */
static void fill_batch(const struct shape *s, uint32_t *tokens, uint32_t *starts)
{
    struct rng r;
    rng_init(&r, 1, "bench");
    for (uint32_t i = 0; i < s->length * s->sequences; i++) {
        tokens[i] = (uint32_t)rng_below(&r, rng_below(&r, s->vocab) + 1);
    }
    for (uint32_t i = 0; i <= s->sequences; i++) {
        starts[i] = i * s->length;
    }
}

#define MANY 64

struct barriers {
    double rounds, seconds, seconds_of_many;
};

/* Of all that the pool did so far. */
static struct barriers barriers_of(const struct pool *p)
{
    struct barriers sum = {0};
    for (size_t i = 0; i < POOL_TALLIES; i++) {
        const struct pool_tally *t = &pool_tallies(p)[i];
        if (t->rounds > 0) {
            double pieces = (double)t->pieces / (double)t->rounds;
            sum.rounds += (double)t->rounds;
            sum.seconds += t->seconds;
            sum.seconds_of_many += t->seconds * ceil(pieces / MANY) / pieces;
        }
    }
    return sum;
}

/* From the pool's counts before and after steps that took wall seconds. */
static void print_barriers(const struct barriers *a, const struct barriers *b, uint32_t steps,
                           double wall)
{
    double alone = wall - (b->seconds - a->seconds);
    double many = alone + b->seconds_of_many - a->seconds_of_many;
    (void)printf("\t%.0f\t%.1f", (b->rounds - a->rounds) / steps, wall / many);
}

static void print_row(const struct shape *s, const struct options *o, struct trainer *t,
                      const struct trainer_result *r, const double seconds[2], double peak,
                      const struct barriers work[2], double wall)
{
    struct engine *e = trainer_engine(t);
    double gflops = r->flops / seconds[0] * 1e-9, cpu = r->flops / seconds[1] * 1e-9, all = 0;
    (void)printf("%s\t%s\t%u\t%s\t%.0f\t%.1f\t%.1f\t%.0f%%", s->name,
                 o->compute == ENGINE_BF16 ? "bf16" : "f32", o->threads, engine_kernels(e),
                 (double)r->tokens / seconds[0], gflops, cpu, 100 * cpu / peak);
    (void)printf("\t%.0f", (double)engine_bytes(e) / 1e6);
    print_barriers(&work[0], &work[1], o->steps, wall);
    for (int p = 0; p < ENGINE_PHASES; p++) {
        all += engine_phase_seconds(e, (enum engine_phase)p);
    }
    for (int p = 0; p < ENGINE_PHASES; p++) {
        (void)printf("\t%.1f%%", 100 * engine_phase_seconds(e, (enum engine_phase)p) / all);
    }
    (void)printf("\n");
}

static winnow_status bench(const struct shape *s, const struct options *o, struct winnow_error *err)
{
    struct model_config c = MODEL_CONFIG_INIT;
    c.vocab = s->vocab;
    c.dim = s->dim;
    c.layers = s->layers;
    c.heads = c.kv_heads = s->heads;
    c.head_dim = s->head_dim;
    c.ffn = s->ffn;
    struct winnow_env env = {.kernels = o->kernels};
    struct model *m;
    struct trainer *t;
    TRY(model_new(&c, &m, err));
    model_init_random(m, 1);
    struct pool *pool = pool_new(o->threads);
    struct trainer_options opt = TRAINER_OPTIONS_INIT;
    opt.compute = o->compute;
    opt.tokens_max = o->tokens_max;
    TRY(trainer_new(m, pool, &opt, &env, &t, err));
    uint32_t *tokens = mem_alloc(sizeof *tokens * s->length * s->sequences);
    uint32_t *starts = mem_alloc(sizeof *starts * (s->sequences + 1));
    double *wall = mem_alloc(o->steps * sizeof *wall), *cpu = mem_alloc(o->steps * sizeof *cpu);
    fill_batch(s, tokens, starts);
    struct token_batch b = {tokens, starts, s->sequences, NULL};
    struct trainer_result r;
    TRY(trainer_step(t, &b, &r, err));
    struct barriers work[2] = {barriers_of(pool)};
    double start = env_seconds();
    for (uint32_t i = 0; i < o->steps; i++) {
        double w = env_seconds(), p = cpu_seconds();
        TRY(trainer_step(t, &b, &r, err));
        wall[i] = env_seconds() - w;
        cpu[i] = (cpu_seconds() - p) / o->threads;
    }
    work[1] = barriers_of(pool);
    double whole = env_seconds() - start;
    const struct kernels *k;
    TRY(kernels_pick(o->kernels, &k, err));
    double seconds[2] = {median(wall, o->steps), median(cpu, o->steps)};
    double peak = tile_peak(k, o->compute == ENGINE_BF16 ? GEMM_BF16 : GEMM_F32);
    print_row(s, o, t, &r, seconds, peak, work, whole);
    trainer_free(t);
    pool_free(pool);
    model_free(m);
    void *all[] = {tokens, starts, wall, cpu};
    for (size_t i = 0; i < 4; i++) {
        mem_free(all[i]);
    }
    return WINNOW_OK;
}

static void nothing(void *ctx, size_t piece, uint32_t worker)
{
    (void)ctx, (void)piece, (void)worker;
}

/* Microseconds of a barrier around no work, one right after the other. */
static double empty_barrier(uint32_t threads)
{
    enum { ROUNDS = 20000 };
    struct pool *pool = pool_new(threads);
    double start = env_seconds();
    for (int i = 0; i < ROUNDS; i++) {
        pool_run(pool, threads, nothing, NULL);
    }
    double seconds = env_seconds() - start;
    pool_free(pool);
    return seconds / ROUNDS * 1e6;
}

static uint32_t number(const char *text, uint32_t otherwise)
{
    long n = text ? strtol(text, NULL, 10) : 0;
    return n > 0 && n < 1000000 ? (uint32_t)n : otherwise;
}

int main(int argc, char **argv)
{
    const char *arg[6] = {NULL};
    for (int i = 1; i < argc && i < 7; i++) {
        arg[i - 1] = argv[i];
    }
    struct options o = {.model = arg[0] ? arg[0] : "all",
                        .compute = arg[1] && strcmp(arg[1], "bf16") == 0 ? ENGINE_BF16 : ENGINE_F32,
                        .threads = number(arg[2], 1),
                        .steps = number(arg[3], 5),
                        .tokens_max = number(arg[4], 0),
                        .kernels = arg[5]};
    (void)printf("# a barrier of %u threads: %.1f us\n", o.threads, empty_barrier(o.threads));
    (void)printf("model\ttype\tthreads\tkernels\ttokens/s\tGFLOP/s\tper cpu second\tof tile peak"
                 "\tMB held\tbarriers a step\tbound of 64 threads");
    for (int p = 0; p < ENGINE_PHASES; p++) {
        (void)printf("\t%s", engine_phase_name((enum engine_phase)p));
    }
    (void)printf("\n");
    struct winnow_error err;
    for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
        if (strcmp(o.model, "all") != 0 && strcmp(o.model, SHAPES[i].name) != 0) {
            continue;
        }
        if (bench(&SHAPES[i], &o, &err) != WINNOW_OK) {
            (void)fprintf(stderr, "bench_train: %s\n", err.text);
            return 1;
        }
    }
    return 0;
}
