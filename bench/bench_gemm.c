/* bench_gemm.c -- our matrix products beside oneDNN's, one thread each.
 *
 *     bench_gemm        a table on standard output
 *
 * Shapes are those of a training step (tokens x outputs x inputs).  Ours are
 * timed as the engine uses them: tiles of about 128 tokens, each packed first,
 * against weights packed once.  oneDNN's matmul gets all tokens in one call and
 * weights in whatever layout it asked for, packed once; in bf16 it is spared
 * the conversion of the activations, which ours includes.  Rounds of the two
 * alternate; figures are medians of processor time. */
#include "base/mem.h"
#include "base/rng.h"
#include "math/gemm.h"

#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 9 };

static double cpu_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(dnnl_status_t st, const char *what)
{
    if (st != dnnl_success) {
        (void)fprintf(stderr, "bench_gemm: oneDNN: %s failed (%d)\n", what, (int)st);
        exit(1);
    }
}

/* ---- ours ---- */

struct ours {
    struct gemm g;
    struct gemm_shape s;
    const float *x;
    float *y;
    void *a, *b;
    size_t tile;
};

static void ours_run(const struct ours *o)
{
    for (size_t m0 = 0; m0 < o->s.m; m0 += o->tile) {
        size_t m = o->s.m - m0 < o->tile ? o->s.m - m0 : o->tile;
        struct pack_source src = {o->x + m0 * o->s.k, o->s.k, m, o->s.k};
        gemm_pack_a_rows(&o->g, o->a, &src);
        gemm_run(&o->g, (struct gemm_shape){m, o->s.n, o->s.k}, o->a, o->b,
                 &(struct gemm_out){o->y + m0 * o->s.n, o->s.n, false, NULL});
    }
}

/* ---- oneDNN ---- */

struct theirs {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t matmul;
    dnnl_memory_t x, w, y;
};

static dnnl_memory_t reordered(struct theirs *t, const dnnl_memory_desc_t *to, float *data,
                               size_t rows, size_t cols, bool turned)
{
    dnnl_dims_t dims = {(dnnl_dim_t)rows, (dnnl_dim_t)cols};
    dnnl_dims_t strides = {turned ? 1 : (dnnl_dim_t)cols, turned ? (dnnl_dim_t)rows : 1};
    dnnl_memory_desc_t from;
    must(dnnl_memory_desc_init_by_strides(&from, 2, dims, dnnl_f32, strides), "describing");
    dnnl_memory_t a, b;
    must(dnnl_memory_create(&a, &from, t->engine, data), "memory");
    must(dnnl_memory_create(&b, to, t->engine, DNNL_MEMORY_ALLOCATE), "memory");
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t p;
    must(dnnl_reorder_primitive_desc_create(&pd, &from, t->engine, to, t->engine, NULL), "reorder");
    must(dnnl_primitive_create(&p, pd), "reorder");
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, a}, {DNNL_ARG_TO, b}};
    must(dnnl_primitive_execute(p, t->stream, 2, args), "reorder");
    must(dnnl_stream_wait(t->stream), "waiting");
    (void)dnnl_primitive_destroy(p);
    (void)dnnl_primitive_desc_destroy(pd);
    (void)dnnl_memory_destroy(a);
    return b;
}

static void theirs_open(struct theirs *t, struct gemm_shape s, enum gemm_type type, float *x,
                        float *w)
{
    dnnl_data_type_t in = type == GEMM_BF16 ? dnnl_bf16 : dnnl_f32;
    dnnl_dims_t mk = {(dnnl_dim_t)s.m, (dnnl_dim_t)s.k}, kn = {(dnnl_dim_t)s.k, (dnnl_dim_t)s.n};
    dnnl_dims_t mn = {(dnnl_dim_t)s.m, (dnnl_dim_t)s.n};
    dnnl_memory_desc_t xd, wd, yd;
    must(dnnl_engine_create(&t->engine, dnnl_cpu, 0), "engine");
    must(dnnl_stream_create(&t->stream, t->engine, dnnl_stream_default_flags), "stream");
    must(dnnl_memory_desc_init_by_tag(&xd, 2, mk, in, dnnl_ab), "describing");
    must(dnnl_memory_desc_init_by_tag(&wd, 2, kn, in, dnnl_format_tag_any), "describing");
    must(dnnl_memory_desc_init_by_tag(&yd, 2, mn, dnnl_f32, dnnl_ab), "describing");
    dnnl_matmul_desc_t md;
    dnnl_primitive_desc_t pd;
    must(dnnl_matmul_desc_init(&md, &xd, &wd, NULL, &yd), "matmul");
    must(dnnl_primitive_desc_create(&pd, &md, NULL, t->engine, NULL), "matmul");
    const dnnl_memory_desc_t *packed = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    t->w = reordered(t, packed, w, s.k, s.n, true);
    t->x = reordered(t, &xd, x, s.m, s.k, false);
    must(dnnl_memory_create(&t->y, &yd, t->engine, DNNL_MEMORY_ALLOCATE), "memory");
    must(dnnl_primitive_create(&t->matmul, pd), "matmul");
    (void)dnnl_primitive_desc_destroy(pd);
}

static void theirs_run(const struct theirs *t)
{
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, t->x}, {DNNL_ARG_WEIGHTS, t->w}, {DNNL_ARG_DST, t->y}};
    must(dnnl_primitive_execute(t->matmul, t->stream, 3, args), "matmul");
    must(dnnl_stream_wait(t->stream), "waiting");
}

static void theirs_close(struct theirs *t)
{
    (void)dnnl_primitive_destroy(t->matmul);
    (void)dnnl_memory_destroy(t->x);
    (void)dnnl_memory_destroy(t->w);
    (void)dnnl_memory_destroy(t->y);
    (void)dnnl_stream_destroy(t->stream);
    (void)dnnl_engine_destroy(t->engine);
}

static float worst_difference(const struct theirs *t, const float *y, size_t n)
{
    void *theirs;
    must(dnnl_memory_get_data_handle(t->y, &theirs), "reading");
    float worst = 0;
    for (size_t i = 0; i < n; i++) {
        float off = y[i] - ((const float *)theirs)[i];
        off = off < 0 ? -off : off;
        worst = off > worst ? off : worst;
    }
    return worst;
}

static void compare(const struct kernels *k, struct gemm_shape s, enum gemm_type type)
{
    struct ours o = {.g = {k, type}, .s = s, .tile = 128 / k->gemm_rows * k->gemm_rows};
    float *x = mem_alloc(s.m * s.k * 4), *w = mem_alloc(s.n * s.k * 4);
    struct rng r;
    rng_init(&r, 1, "bench");
    for (size_t i = 0; i < s.m * s.k; i++) {
        x[i] = (float)rng_normal(&r);
    }
    for (size_t i = 0; i < s.n * s.k; i++) {
        w[i] = (float)rng_normal(&r);
    }
    o.x = x;
    o.y = mem_alloc(s.m * s.n * 4);
    o.a = mem_alloc(gemm_size_a(&o.g, o.tile, s.k));
    o.b = mem_alloc(gemm_size_b(&o.g, s.n, s.k));
    gemm_pack_b_rows(&o.g, o.b, &(struct pack_source){w, s.k, s.n, s.k});
    struct theirs t;
    theirs_open(&t, s, type, x, w);
    double mine[ROUNDS], other[ROUNDS], ratio[ROUNDS], flops = 2.0 * (double)(s.m * s.n * s.k);
    int times = (int)(2e9 / flops) + 1;
    for (int round = -1; round < ROUNDS; round++) {
        double a = cpu_seconds();
        for (int i = 0; i < times; i++) {
            ours_run(&o);
        }
        double b = cpu_seconds();
        for (int i = 0; i < times; i++) {
            theirs_run(&t);
        }
        double c = cpu_seconds();
        if (round >= 0) { /* the one before warms up */
            mine[round] = times * flops / (b - a) * 1e-9;
            other[round] = times * flops / (c - b) * 1e-9;
            ratio[round] = (c - b) / (b - a);
        }
    }
    (void)printf("%zu x %zu x %zu\t%s\t%.0f\t%.0f\t%.2f\t%.1e\n", s.m, s.n, s.k,
                 type == GEMM_BF16 ? "bf16" : "f32", median(mine, ROUNDS), median(other, ROUNDS),
                 median(ratio, ROUNDS), (double)worst_difference(&t, o.y, s.m * s.n));
    theirs_close(&t);
    void *all[] = {x, w, o.y, o.a, o.b};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        mem_free(all[i]);
    }
}

int main(int argc, char **argv)
{
    /* OpenMP reads this when it is loaded. */
    if (argc > 0 && !getenv("OMP_NUM_THREADS")) {
        (void)setenv("OMP_NUM_THREADS", "1", 1);
        (void)execv("/proc/self/exe", argv);
    }
    static const struct gemm_shape SHAPES[] = {
        {2048, 288, 96},  {2048, 512, 96},  {2048, 96, 256},  {2048, 480, 160},  {2048, 864, 160},
        {2048, 960, 320}, {2048, 320, 864}, {2048, 576, 576}, {2048, 3072, 576}, {126, 576, 1536},
    };
    struct winnow_error err;
    const struct kernels *k;
    if (kernels_pick(NULL, &k, &err) != WINNOW_OK) {
        (void)fprintf(stderr, "bench_gemm: %s\n", err.text);
        return 1;
    }
    (void)printf("# ours: kernels %s; GFLOP/s on one thread\n", k->name);
    (void)printf("tokens x out x in\ttype\tours\toneDNN\tratio\tlargest difference\n");
    for (int type = GEMM_F32; type <= GEMM_BF16; type++) {
        for (size_t i = 0; i < sizeof SHAPES / sizeof *SHAPES; i++) {
            compare(k, SHAPES[i], (enum gemm_type)type);
        }
    }
    return 0;
}
