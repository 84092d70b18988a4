/* bench_pursuit.c -- how fast rows are chosen.
 *
 *     bench_pursuit [ROWS [DIM [BUDGET [THREADS]]]]
 *
 * Rows of noise, unit vectors in bf16; the target is a planted positive sum of BUDGET of them
 * with noise of a tenth of its length.  Prints what cosamp, block and plain OMP take (a row a
 * sweep, by the same sweep and the same factor that grows; the best of three turns each), how
 * many of the planted rows each finds and its residual; and the sweep's bytes a second with one
 * and eight targets beside a plain read of the same memory by the same threads. */
#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "select/pursuit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    struct vector_rows rows;
    uint16_t *data;
    float *scales, *target, *out;
    uint32_t *which;
    bool *taken;
    struct pool *pool;
    const struct kernels *k;
    size_t budget;
};

static void check(winnow_status st, const struct winnow_error *err)
{
    if (st != WINNOW_OK) {
        (void)fprintf(stderr, "%s\n", err->text);
        exit(1);
    }
}

static void fill_piece(void *ctx, size_t row, uint32_t worker)
{
    (void)worker;
    struct bench *b = ctx;
    struct rng r;
    size_t dim = b->rows.dim;
    double sum = 0;
    rng_init(&r, row, "bench");
    uint16_t *to = b->data + row * dim;
    for (size_t i = 0; i < dim; i++) { /* a sum of four uniform numbers is near enough */
        uint64_t u = rng_u64(&r);
        double x = (double)(u & 0xFFFF) + (double)(u >> 16 & 0xFFFF) + (double)(u >> 32 & 0xFFFF) +
                   (double)(u >> 48) - 2.0 * 65535;
        to[i] = vector_bf16((float)(x / 65536));
        uint32_t bits = (uint32_t)to[i] << 16;
        float back;
        memcpy(&back, &bits, sizeof back);
        sum += (double)back * (double)back;
    }
    b->scales[row] = (float)(1 / sqrt(sum));
    b->which[row] = (uint32_t)row;
}

/* Row i * step for i < budget. */
static void plant(struct bench *b, size_t step)
{
    size_t dim = b->rows.dim;
    struct rng r;
    float *x = mem_alloc(dim * sizeof *x);
    rng_init(&r, 7, "target");
    memset(b->target, 0, 8 * dim * sizeof *b->target);
    for (size_t i = 0; i < b->budget; i++) {
        float w = (float)(0.5 + rng_uniform(&r));
        vector_rows_expand(&b->rows, i * step, x);
        for (size_t k = 0; k < dim; k++) {
            b->target[k] += w * x[k];
        }
    }
    double size = sqrt(vector_dot(b->k, b->target, b->target, dim));
    for (size_t k = 0; k < dim; k++) {
        b->target[k] += (float)(0.1 * size / sqrt((double)dim) * rng_normal(&r));
    }
    for (size_t t = 1; t < 8; t++) {
        memcpy(b->target + t * dim, b->target, dim * sizeof *b->target);
    }
    mem_free(x);
}

static const struct {
    enum pursuit_way way;
    const char *name;
} WAYS[] = {{PURSUIT_COSAMP, "cosamp"}, {PURSUIT_BLOCK, "block"}, {PURSUIT_OMP, "omp"}};

static double run(struct bench *b, size_t way, size_t step, bool tell)
{
    struct winnow_error err;
    struct pursuit out;
    const struct winnow_env env = {0};
    struct pursuit_options opt = PURSUIT_OPTIONS_INIT;
    opt.way = WAYS[way].way;
    const struct pursuit_problem p = {.rows = &b->rows,
                                      .which = b->which,
                                      .n = b->rows.count,
                                      .targets = b->target,
                                      .count = 1,
                                      .budget = b->budget,
                                      .taken = b->taken};
    double start = env_seconds();
    check(pursuit_run(&p, &opt, b->k, b->pool, &env, &out, &err), &err);
    double spent = env_seconds() - start;
    size_t found = 0;
    for (size_t i = 0; i < out.count; i++) {
        found += out.atoms[i].row % step == 0 && out.atoms[i].row / step < b->budget;
    }
    if (tell) {
        (void)printf("  %-7s %3zu steps   %zu chosen, %zu planted   residual %.4f\n",
                     WAYS[way].name, out.steps, out.count, found, out.residual);
    }
    pursuit_release(&out);
    return spent;
}

static void race(struct bench *b, size_t step)
{
    double best[3] = {1e9, 1e9, 1e9};
    for (int turn = 0; turn < 3; turn++) {
        for (size_t way = 0; way < 3; way++) {
            double spent = run(b, way, step, turn == 0);
            best[way] = spent < best[way] ? spent : best[way];
        }
    }
    for (size_t way = 0; way < 3; way++) {
        (void)printf("  %-7s %8.3f s, omp takes %.1f times as long\n", WAYS[way].name, best[way],
                     best[2] / best[way]);
    }
}

struct reading {
    const struct bench *b;
    uint64_t sums[64];
};

static void read_piece(void *ctx, size_t piece, uint32_t worker)
{
    struct reading *r = ctx;
    size_t words = r->b->rows.count * r->b->rows.dim / 4, from = words * piece / 256;
    const uint64_t *p = (const uint64_t *)(const void *)r->b->data;
    uint64_t sum[8] = {0};
    for (size_t i = from; i + 8 <= words * (piece + 1) / 256; i += 8) {
        for (size_t k = 0; k < 8; k++) {
            sum[k] += p[i + k];
        }
    }
    r->sums[worker % 64] += sum[0] ^ sum[1] ^ sum[2] ^ sum[3] ^ sum[4] ^ sum[5] ^ sum[6] ^ sum[7];
}

static void bandwidth(struct bench *b)
{
    double bytes = (double)b->rows.count * b->rows.dim * 2, best[3] = {1e9, 1e9, 1e9};
    static struct reading r;
    r.b = b;
    for (int round = 0; round < 7; round++) {
        for (int what = 0; what < 3; what++) {
            double start = env_seconds();
            if (what == 0) {
                pool_run(b->pool, 256, read_piece, &r);
            } else {
                const struct vector_sweep s = {.rows = &b->rows,
                                               .n = b->rows.count,
                                               .x = b->target,
                                               .count = what == 1 ? 1 : 8,
                                               .out = b->out};
                vector_sweep(&s, b->k, b->pool);
            }
            double spent = env_seconds() - start;
            best[what] = spent < best[what] ? spent : best[what];
        }
    }
    (void)printf("  a read %.1f GB/s; a sweep with 1 target %.1f GB/s (%.0f %%), with 8 %.1f "
                 "GB/s (%.1f times as long)\n",
                 bytes / best[0] / 1e9, bytes / best[1] / 1e9, 100 * best[0] / best[1],
                 bytes / best[2] / 1e9, best[2] / best[1]);
}

int main(int argc, char **argv)
{
    struct winnow_error err;
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 60000;
    uint32_t dim = argc > 2 ? (uint32_t)atoi(argv[2]) : 2048;
    size_t budget = argc > 3 ? strtoul(argv[3], NULL, 10) : 150;
    static struct bench b;
    b.pool = pool_new(argc > 4 ? (uint32_t)atoi(argv[4]) : 0);
    b.budget = budget;
    check(kernels_pick(NULL, &b.k, &err), &err);
    b.data = mem_try_alloc_huge(n * dim * sizeof *b.data);
    b.scales = mem_alloc(n * sizeof *b.scales);
    b.which = mem_alloc(n * sizeof *b.which);
    b.taken = mem_zalloc(n);
    b.target = mem_alloc(8UL * dim * sizeof *b.target);
    b.out = mem_alloc(8 * n * sizeof *b.out);
    b.rows = (struct vector_rows){b.data, n, 1, dim, b.scales};
    if (!b.data) {
        (void)fprintf(stderr, "no memory\n");
        return 1;
    }
    pool_run(b.pool, n, fill_piece, &b);
    size_t step = n / budget;
    plant(&b, step);
    (void)printf("%zu rows of %u numbers, %zu to find, %u threads\n", n, dim, budget,
                 pool_threads(b.pool));
    bandwidth(&b);
    race(&b, step);
    return 0;
}
