/* bench_select.c -- a whole choice by pursuit over as many rows as fit into memory.
 *
 *     bench_select [ROWS [DIM [BUDGET [TARGETS [THREADS]]]]]
 *
 * Rows of noise in bf16 as a store holds them; each target is a planted positive sum of its share
 * of BUDGET rows, with noise of a tenth of its length.  Prints what choose() takes (factors,
 * rounds, shards, everything) of the clock and of the processor, how often the processor time of a
 * plain read of the rows that is, the most memory that was resident, and how many of the chosen
 * rows were planted. */
#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "select/choice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct bench {
    struct store_head head, target_head;
    struct store_part part;
    struct store pool, target;
    uint16_t *data, *target_data;
    float *norms, *target_norms;
    struct store_row *rows, *target_rows;
    size_t n, dim, budget, targets;
    struct pool *threads;
    const struct kernels *k;
    uint64_t sums[64];
};

static void check(winnow_status st, const struct winnow_error *err)
{
    if (st != WINNOW_OK) {
        (void)fprintf(stderr, "%s\n", err->text);
        exit(1);
    }
}

/* To norm 1, and bf16. */
static void put(const float *x, size_t dim, uint16_t *to)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    for (size_t i = 0; i < dim; i++) {
        to[i] = vector_bf16((float)((double)x[i] / sqrt(sum)));
    }
}

static void fill_row(void *ctx, size_t row, uint32_t worker)
{
    (void)worker;
    struct bench *b = ctx;
    struct rng r;
    float *x = mem_alloc(b->dim * sizeof *x);
    rng_init(&r, row, "bench");
    for (size_t i = 0; i < b->dim; i++) { /* a sum of four uniform numbers is near enough */
        uint64_t u = rng_u64(&r);
        double sum = (double)(u & 0xFFFF) + (double)(u >> 16 & 0xFFFF) +
                     (double)(u >> 32 & 0xFFFF) + (double)(u >> 48);
        x[i] = (float)(sum / 65535 - 2);
    }
    put(x, b->dim, b->data + row * b->dim);
    b->norms[row] = 1;
    b->rows[row] = (struct store_row){
        .id = row + 1, .key = rng_mix(row), .ordinal = row, .tokens = 100, .targets = 10};
    mem_free(x);
}

static float number(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float x;
    memcpy(&x, &wide, sizeof x);
    return x;
}

/* Row i * step belongs to target i % targets. */
static void plant(struct bench *b, size_t step)
{
    float *x = mem_alloc(b->dim * sizeof *x);
    for (size_t t = 0; t < b->targets; t++) {
        struct rng r;
        double size = 0;
        rng_init(&r, t, "target");
        memset(x, 0, b->dim * sizeof *x);
        for (size_t i = t; i < b->budget; i += b->targets) {
            float w = (float)(0.5 + rng_uniform(&r));
            for (size_t k = 0; k < b->dim; k++) {
                x[k] += w * number(b->data[i * step * b->dim + k]);
            }
        }
        for (size_t k = 0; k < b->dim; k++) {
            size += (double)x[k] * (double)x[k];
        }
        for (size_t k = 0; k < b->dim; k++) {
            x[k] += (float)(0.1 * sqrt(size / (double)b->dim) * rng_normal(&r));
        }
        put(x, b->dim, b->target_data + t * b->dim);
        b->target_norms[t] = 1;
        b->target_rows[t] = (struct store_row){.id = t + 1, .tokens = 100, .targets = 10};
    }
    mem_free(x);
}

static void read_piece(void *ctx, size_t piece, uint32_t worker)
{
    struct bench *b = ctx;
    size_t words = b->n * b->dim / 4, from = words * piece / 256;
    const uint64_t *p = (const uint64_t *)(const void *)b->data;
    uint64_t sum[8] = {0};
    for (size_t i = from; i + 8 <= words * (piece + 1) / 256; i += 8) {
        for (size_t k = 0; k < 8; k++) {
            sum[k] += p[i + k];
        }
    }
    b->sums[worker % 64] += sum[0] ^ sum[1] ^ sum[2] ^ sum[3] ^ sum[4] ^ sum[5] ^ sum[6] ^ sum[7];
}

/* Other work on the machine disturbs it less than the clock. */
static double processor_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double read_seconds(struct bench *b)
{
    double best = 1e9;
    for (int round = 0; round < 3; round++) {
        double start = processor_seconds();
        pool_run(b->threads, 256, read_piece, b);
        double spent = processor_seconds() - start;
        best = spent < best ? spent : best;
    }
    return best;
}

static void run(struct bench *b, size_t step)
{
    struct winnow_error err;
    const struct winnow_env env = {.seed = 1};
    struct winnow_select_options opt = WINNOW_SELECT_OPTIONS_INIT;
    opt.objective = WINNOW_EACH; /* so many pursuits in step */
    const struct choice_target target = {&b->target, "planted"};
    const struct choice_problem p = {.opt = &opt,
                                     .pool = &b->pool,
                                     .targets = &target,
                                     .target_count = 1,
                                     .budget = b->budget,
                                     .threads = b->threads,
                                     .k = b->k,
                                     .env = &env};
    struct choice out;
    double once = read_seconds(b), start = env_seconds(), busy = processor_seconds();
    check(choose(&p, &out, &err), &err);
    double spent = env_seconds() - start;
    busy = processor_seconds() - busy;
    size_t planted = 0;
    for (size_t i = 0; i < out.count; i++) {
        planted += out.picks[i].row % step == 0 && out.picks[i].row / step < b->budget;
    }
    struct rusage use;
    (void)getrusage(RUSAGE_SELF, &use);
    (void)printf("  %.2f s, of the processor %.2f, %.1f times a read of the rows (%.3f s, %.1f "
                 "GB/s); %zu rounds, %zu "
                 "chosen, %zu planted; %.2f GiB at most, the rows are %.2f\n",
                 spent, busy, busy / once, once, (double)(b->n * b->dim * 2) / once / 1e9,
                 out.rounds, out.count, planted, (double)use.ru_maxrss / 1048576,
                 (double)(b->n * b->dim * 2) / 1073741824);
    choice_release(&out);
}

int main(int argc, char **argv)
{
    struct winnow_error err;
    static struct bench b;
    b.n = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    b.dim = argc > 2 ? strtoul(argv[2], NULL, 10) : 2048;
    b.budget = argc > 3 ? strtoul(argv[3], NULL, 10) : b.n / 200;
    b.targets = argc > 4 ? strtoul(argv[4], NULL, 10) : 8;
    b.threads = pool_new(argc > 5 ? (uint32_t)atoi(argv[5]) : 0);
    check(kernels_pick(NULL, &b.k, &err), &err);
    b.data = mem_try_alloc_huge(b.n * b.dim * sizeof *b.data);
    if (!b.data) {
        (void)fprintf(stderr, "no memory\n");
        return 1;
    }
    b.norms = mem_alloc(b.n * sizeof *b.norms);
    b.rows = mem_alloc(b.n * sizeof *b.rows);
    b.target_data = mem_alloc(b.targets * b.dim * sizeof *b.target_data);
    b.target_norms = mem_alloc(b.targets * sizeof *b.target_norms);
    b.target_rows = mem_alloc(b.targets * sizeof *b.target_rows);
    b.part = (struct store_part){.step = 1, .rate = 1};
    b.head = (struct store_head){.parts = 1, .dim = (uint32_t)b.dim, .rows = b.n};
    b.target_head = (struct store_head){.parts = 1, .dim = (uint32_t)b.dim, .rows = b.targets};
    b.pool = (struct store){&b.head, &b.part, b.rows, b.norms, b.data, {{0}}, false};
    b.target = (struct store){&b.target_head, &b.part, b.target_rows, b.target_norms,
                              b.target_data,  {{0}},   false};
    pool_run(b.threads, b.n, fill_row, &b);
    size_t step = b.n / b.budget;
    plant(&b, step);
    (void)printf("%zu rows of %zu numbers, %zu to choose for %zu targets, %u threads\n", b.n, b.dim,
                 b.budget, b.targets, pool_threads(b.threads));
    run(&b, step);
    return 0;
}
