/* Matrix products of every table against plain loops in double, over shapes
 * around every edge of a tile. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "math/gemm.h"

#include <stdlib.h>
#include <string.h>

static void fill(float *x, size_t n, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, "gemm");
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)rng_normal(&r);
    }
}

/* What a bf16 factor is, by adding and taking away a large multiple. */
static double rounded_bf16(float x)
{
    if (x == 0.0F) {
        return 0;
    }
    int exponent;
    (void)frexp((double)x, &exponent);
    double unit = ldexp(1.0, exponent - 8);
    return nearbyint((double)x / unit) * unit;
}

/* Part of a row, k on: 127 steps on each side of 0, up to its largest number. */
static void round_block(double *x, size_t n)
{
    double top = 0;
    for (size_t i = 0; i < n; i++) {
        top = fmax(top, fabs(x[i]));
    }
    float factor = top > 0 ? 127.0F / (float)top : 0.0F;
    for (size_t i = 0; i < n; i++) {
        x[i] = (double)nearbyintf((float)x[i] * factor) * top / 127;
    }
}

/* A factor [rows][k] as the type sees it; in memory k may run down columns. */
static double *seen_factor(const float *x, size_t rows, size_t k, bool cols, enum gemm_type type)
{
    double *seen = mem_alloc(rows * k * sizeof *seen);
    for (size_t r = 0; r < rows; r++) {
        double *row = seen + r * k;
        for (size_t i = 0; i < k; i++) {
            float v = cols ? x[i * rows + r] : x[r * k + i];
            row[i] = type == GEMM_BF16 ? rounded_bf16(v) : (double)v;
        }
        for (size_t i = 0; type == GEMM_INT8 && i < k; i += KERNELS_BLOCK) {
            round_block(row + i, k - i < KERNELS_BLOCK ? k - i : KERNELS_BLOCK);
        }
    }
    return seen;
}

/* Four ways to lay out the factors; k runs along rows or down columns. */
struct layout {
    bool a_cols, b_cols;
};

static double product_at(const double *a, const double *b, size_t k)
{
    double sum = 0;
    for (size_t i = 0; i < k; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

static void check_product(const struct gemm *g, struct gemm_shape s, struct layout l, bool add)
{
    float *a = mem_alloc(s.m * s.k * 4), *b = mem_alloc(s.n * s.k * 4);
    void *pa = mem_alloc(gemm_size_a(g, s.m, s.k)), *pb = mem_alloc(gemm_size_b(g, s.n, s.k));
    size_t stride = s.n + 3; /* columns behind the product must stay as they are */
    float *c = mem_alloc(s.m * stride * 4), *old = mem_alloc(s.m * stride * 4);
    fill(a, s.m * s.k, s.m);
    fill(b, s.n * s.k, s.n + 1000);
    fill(c, s.m * stride, s.k + 2000);
    memcpy(old, c, s.m * stride * 4);
    struct pack_source rows_a = {a, s.k, s.m, s.k}, cols_a = {a, s.m, s.k, s.m};
    struct pack_source rows_b = {b, s.k, s.n, s.k}, cols_b = {b, s.n, s.k, s.n};
    l.a_cols ? gemm_pack_a_cols(g, pa, &cols_a) : gemm_pack_a_rows(g, pa, &rows_a);
    l.b_cols ? gemm_pack_b_cols(g, pb, &cols_b) : gemm_pack_b_rows(g, pb, &rows_b);
    gemm_run(g, s, pa, pb, &(struct gemm_out){c, stride, add, NULL});
    double *seen_a = seen_factor(a, s.m, s.k, l.a_cols, g->type);
    double *seen_b = seen_factor(b, s.n, s.k, l.b_cols, g->type);
    for (size_t i = 0; i < s.m; i++) {
        for (size_t j = 0; j < stride; j++) {
            double want = add || j >= s.n ? (double)old[i * stride + j] : 0;
            want += j < s.n ? product_at(seen_a + i * s.k, seen_b + j * s.k, s.k) : 0;
            double got = (double)c[i * stride + j];
            if (!(fabs(got - want) <= 1e-6 * (double)(s.k + 8))) {
                fail_msg("%s type %d, %zu x %zu x %zu: [%zu][%zu] = %.9g, expected %.9g",
                         g->k->name, g->type, s.m, s.n, s.k, i, j, got, want);
            }
        }
    }
    void *all[] = {a, b, pa, pb, c, old, seen_a, seen_b};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        mem_free(all[i]);
    }
}

/* Bytes are packed from rows only. */
static struct layout layout_of(size_t way, enum gemm_type type)
{
    return type == GEMM_INT8 ? (struct layout){false, false} : (struct layout){way & 1, way & 2};
}

static void products_are_right_around_every_edge(void **state)
{
    (void)state;
    static const size_t EDGES[] = {1, 2, 3, 5, 6, 7, 13, 14, 15, 16, 17, 29, 31, 32, 33, 47, 65};
    const struct kernels *k;
    for (size_t t = 0; (k = kernels_usable(t)); t++) {
        for (int type = GEMM_F32; type <= GEMM_INT8; type++) {
            struct gemm g = {k, (enum gemm_type)type};
            size_t count = sizeof EDGES / sizeof *EDGES, way = 0;
            for (size_t m = 0; m < count; m++) {
                for (size_t n = 0; n < count; n++, way++) {
                    struct gemm_shape s = {EDGES[m], EDGES[n], EDGES[(m * 5 + n * 3) % count]};
                    struct layout l = layout_of(way, g.type);
                    check_product(&g, s, l, way & 4);
                }
            }
        }
    }
}

static void products_are_right_when_k_is_deep(void **state)
{
    (void)state;
    const struct kernels *k;
    for (size_t t = 0; (k = kernels_usable(t)); t++) {
        for (int type = GEMM_F32; type <= GEMM_INT8; type++) {
            struct gemm g = {k, (enum gemm_type)type};
            for (size_t way = 0; way < 8; way++) {
                struct layout l = layout_of(way, g.type);
                check_product(&g, (struct gemm_shape){30, 70, 255 + way * 97}, l, way & 4);
            }
        }
    }
}

/* The engine relies on it: a row's result does not depend on the rows beside. */
static void a_row_alone_gives_the_same_bits(void **state)
{
    (void)state;
    enum { M = 29, N = 50, K = 300 };
    const struct kernels *k;
    for (size_t t = 0; (k = kernels_usable(t)); t++) {
        for (int type = GEMM_F32; type <= GEMM_INT8; type++) {
            struct gemm g = {k, (enum gemm_type)type};
            float *a = mem_alloc(M * K * 4), *b = mem_alloc(N * K * 4), c[M * N], row[N];
            void *pa = mem_alloc(gemm_size_a(&g, M, K)), *pb = mem_alloc(gemm_size_b(&g, N, K));
            fill(a, M * K, 1);
            fill(b, N * K, 2);
            gemm_pack_a_rows(&g, pa, &(struct pack_source){a, K, M, K});
            gemm_pack_b_rows(&g, pb, &(struct pack_source){b, K, N, K});
            gemm_run(&g, (struct gemm_shape){M, N, K}, pa, pb,
                     &(struct gemm_out){c, N, false, NULL});
            for (size_t i = 0; i < M; i++) {
                gemm_pack_a_rows(&g, pa, &(struct pack_source){a + i * K, K, 1, K});
                gemm_run(&g, (struct gemm_shape){1, N, K}, pa, pb,
                         &(struct gemm_out){row, N, false, NULL});
                assert_memory_equal(row, c + i * N, sizeof row);
            }
            void *all[] = {a, b, pa, pb};
            for (size_t i = 0; i < 4; i++) {
                mem_free(all[i]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_right_around_every_edge),
        cmocka_unit_test(products_are_right_when_k_is_deep),
        cmocka_unit_test(a_row_alone_gives_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
