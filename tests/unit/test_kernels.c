/* Every table this processor can run against kernels_generic.c, for every
 * length 0..67 and a few long ones. */
#include "base/rng.h"
#include "check.h"
#include "math/kernels.h"

#include <stdlib.h>
#include <string.h>

#define MOST  1100U
#define GUARD 64U /* numbers behind the end that must stay as they are */

static float numbers(struct rng *r)
{
    return (float)rng_normal(r);
}

static void fill(float *x, size_t n, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, "kernels");
    for (size_t i = 0; i < n; i++) {
        x[i] = numbers(&r);
    }
}

/* Arrays that both tables get the same of. */
struct arrays {
    float a[MOST + GUARD], b[MOST + GUARD], c[MOST + GUARD], d[MOST + GUARD];
};

static void fill_arrays(struct arrays *x, uint64_t seed)
{
    fill(x->a, MOST + GUARD, seed);
    fill(x->b, MOST + GUARD, seed + 1);
    fill(x->c, MOST + GUARD, seed + 2);
    fill(x->d, MOST + GUARD, seed + 3);
}

static void assert_same(const char *what, const struct kernels *k, size_t n, const float *got,
                        const float *want, size_t count, double tolerance)
{
    for (size_t i = 0; i < count; i++) {
        double off = fabs((double)got[i] - (double)want[i]);
        if (!(off <= tolerance * (1 + fabs((double)want[i])))) {
            fail_msg("%s %s, length %zu: [%zu] = %.9g, generic %.9g", k->name, what, n, i,
                     (double)got[i], (double)want[i]);
        }
    }
}

static void assert_scalar(const char *what, const struct kernels *k, size_t n, double got,
                          double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * (1 + fabs(want)))) {
        fail_msg("%s %s, length %zu: %.9g, generic %.9g", k->name, what, n, got, want);
    }
}

static void assert_arrays(const char *what, const struct kernels *k, size_t n,
                          const struct arrays *got, const struct arrays *want)
{
    assert_same(what, k, n, got->a, want->a, MOST + GUARD, 2e-6);
    assert_same(what, k, n, got->b, want->b, MOST + GUARD, 2e-6);
    assert_same(what, k, n, got->c, want->c, MOST + GUARD, 2e-6);
    assert_same(what, k, n, got->d, want->d, MOST + GUARD, 2e-6);
}

/* Does one kernel to x; the number it returns, or 0. */
typedef double step_fn(const struct kernels *k, struct arrays *x, size_t n);

static double do_axpy(const struct kernels *k, struct arrays *x, size_t n)
{
    k->axpy(x->a, 0.7F, x->b, n);
    return 0;
}
static double do_add(const struct kernels *k, struct arrays *x, size_t n)
{
    k->add(x->a, x->b, n);
    return 0;
}
static double do_scale(const struct kernels *k, struct arrays *x, size_t n)
{
    k->scale(x->a, -1.3F, n);
    return 0;
}
static double do_dot(const struct kernels *k, struct arrays *x, size_t n)
{
    return (double)k->dot(x->a, x->b, n);
}
/* Seven rows that overlap, and the high halves of b as bf16. */
static double do_dots_bf16(const struct kernels *k, struct arrays *x, size_t n)
{
    uint16_t row[MOST];
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x->b[i], sizeof bits);
        row[i] = (uint16_t)(bits >> 16);
    }
    k->dots_bf16(x->d, row, x->a, 5, 1 + n % 7, n);
    return 0;
}
static double do_sum_squares(const struct kernels *k, struct arrays *x, size_t n)
{
    return k->sum_squares(x->a, n);
}
static double do_rmsnorm(const struct kernels *k, struct arrays *x, size_t n)
{
    return n > 0 ? (double)k->rmsnorm(x->a, x->b, x->c, n, 1e-5F) : 0;
}
static double do_rmsnorm_again(const struct kernels *k, struct arrays *x, size_t n)
{
    k->rmsnorm_again(x->a, x->b, x->c, n, 0.8F);
    return 0;
}
static double do_rmsnorm_back(const struct kernels *k, struct arrays *x, size_t n)
{
    float w[MOST];
    fill(w, MOST, 99);
    if (n > 0) {
        struct norm_back step = {x->a, x->b, n % 2 ? x->a : NULL, x->c, x->d, w, 0.8F};
        k->rmsnorm_back(&step, n);
    }
    return 0;
}
static double do_rope(const struct kernels *k, struct arrays *x, size_t n)
{
    k->rope(x->a, x->b, x->c, n / 2);
    return 0;
}
static double do_rope_back(const struct kernels *k, struct arrays *x, size_t n)
{
    k->rope_back(x->a, x->b, x->c, n / 2);
    return 0;
}
static double do_swiglu(const struct kernels *k, struct arrays *x, size_t n)
{
    k->scale(x->b, 20.0F, MOST); /* far out, where a sigmoid is 0 or 1 */
    k->swiglu(x->a, x->b, x->c, n);
    return 0;
}
static double do_swiglu_back(const struct kernels *k, struct arrays *x, size_t n)
{
    k->swiglu_back(x->a, x->b, x->c, x->d, n);
    return 0;
}
static double do_attention_back(const struct kernels *k, struct arrays *x, size_t n)
{
    k->attention_back(x->a, x->b, n, 0.3F, 1.5F, 0.2F);
    return 0;
}
static double do_max(const struct kernels *k, struct arrays *x, size_t n)
{
    return n > 0 ? (double)k->max(x->a, n) : 0;
}
static double do_sum_exp(const struct kernels *k, struct arrays *x, size_t n)
{
    return (double)k->sum_exp(x->a, n, 3.5F);
}
static double do_exp_scale(const struct kernels *k, struct arrays *x, size_t n)
{
    k->exp_scale(x->a, n, 2.0F, -0.5F);
    return 0;
}
static double do_adamw(const struct kernels *k, struct arrays *x, size_t n)
{
    struct adamw_step s = {.rate = 1e-2F,
                           .beta1 = 0.9F,
                           .beta2 = 0.95F,
                           .root = 2.0F,
                           .eps = 1e-8F,
                           .decay = 1e-3F,
                           .gradient = 0.4F};
    for (size_t i = 0; i < n; i++) {
        x->c[i] = fabsf(x->c[i]);
    }
    k->adamw(x->a, x->b, x->c, x->d, n, &s);
    return 0;
}

static const struct {
    const char *name;
    step_fn *run;
} STEPS[] = {
    {"axpy", do_axpy},
    {"add", do_add},
    {"scale", do_scale},
    {"dot", do_dot},
    {"dots_bf16", do_dots_bf16},
    {"sum_squares", do_sum_squares},
    {"rmsnorm", do_rmsnorm},
    {"rmsnorm_again", do_rmsnorm_again},
    {"rmsnorm_back", do_rmsnorm_back},
    {"rope", do_rope},
    {"rope_back", do_rope_back},
    {"swiglu", do_swiglu},
    {"swiglu_back", do_swiglu_back},
    {"attention_back", do_attention_back},
    {"max", do_max},
    {"sum_exp", do_sum_exp},
    {"exp_scale", do_exp_scale},
    {"adamw", do_adamw},
};

static void every_table_does_what_the_generic_one_does(void **state)
{
    (void)state;
    static struct arrays got, want;
    const struct kernels *k;
    for (size_t t = 0; (k = kernels_usable(t)); t++) {
        for (size_t s = 0; s < sizeof STEPS / sizeof *STEPS; s++) {
            for (size_t i = 0; i < 70; i++) {
                size_t n = i < 68 ? i : i == 68 ? 513 : 1024;
                fill_arrays(&got, n);
                want = got;
                double r = STEPS[s].run(k, &got, n);
                double expected = STEPS[s].run(&KERNELS_GENERIC, &want, n);
                assert_scalar(STEPS[s].name, k, n, r, expected, 1e-5);
                assert_arrays(STEPS[s].name, k, n, &got, &want);
            }
        }
    }
}

/* Columns of different tables are not equally wide: compare by column, with
 * masked (-inf) entries among them. */
static void softmax_of_columns_is_the_softmax(void **state)
{
    (void)state;
    const struct kernels *k;
    for (size_t t = 0; (k = kernels_usable(t)); t++) {
        uint32_t cols = k->gemm_cols;
        for (size_t rows = 1; rows <= 67; rows++) {
            static float s[67 * KERNELS_COLS_MAX], old[67 * KERNELS_COLS_MAX];
            float lse[KERNELS_COLS_MAX];
            fill(s, rows * cols, rows);
            k->scale(s, 8.0F, rows * cols);
            for (size_t r = rows / 2 + 1; r < rows; r++) {
                s[r * cols] = -INFINITY;
            }
            memcpy(old, s, rows * cols * sizeof *s);
            k->softmax_cols(s, rows, cols, 0.7F, lse);
            for (size_t c = 0; c < cols; c++) {
                double sum = 0;
                for (size_t r = 0; r < rows; r++) {
                    sum += exp(0.7 * (double)old[r * cols + c]);
                }
                assert_near((double)lse[c], log(sum), 1e-6);
                for (size_t r = 0; r < rows; r++) {
                    double p = exp(0.7 * (double)old[r * cols + c]) / sum;
                    assert_near((double)s[r * cols + c], p, 1e-6);
                }
            }
        }
    }
}

/* Rows and columns of the same scores, rows of growing length as causal
 * attention has them. */
static void softmax_of_rows_is_that_of_columns(void **state)
{
    (void)state;
    const struct kernels *k;
    for (size_t t = 0; (k = kernels_usable(t)); t++) {
        uint32_t cols = k->gemm_cols;
        for (size_t keys = 1; keys <= 67; keys++) {
            for (size_t more = 0; more < 2; more++) {
                size_t count = more * (cols - 1) < keys ? cols : keys;
                size_t first = keys - more * (count - 1), stride = keys + 5;
                static float down[67 * KERNELS_COLS_MAX], across[KERNELS_COLS_MAX * 80];
                float lse[KERNELS_COLS_MAX];
                fill(down, keys * cols, keys);
                k->scale(down, 8.0F, keys * cols);
                for (size_t i = 0; i < count; i++) {
                    for (size_t j = 0; j < keys; j++) {
                        across[i * stride + j] = down[j * cols + i];
                        if (j >= first + i * more) {
                            down[j * cols + i] = -INFINITY;
                        }
                    }
                }
                k->softmax_cols(down, keys, cols, 0.7F, lse);
                k->softmax_rows(across, &(struct softmax_rows){.stride = stride,
                                                               .rows = count,
                                                               .cols = keys,
                                                               .first = first,
                                                               .more = more,
                                                               .scale = 0.7F});
                for (size_t i = 0; i < count; i++) {
                    for (size_t j = 0; j < keys; j++) {
                        assert_memory_equal(&across[i * stride + j], &down[j * cols + i],
                                            sizeof(float));
                    }
                }
            }
        }
    }
}

/* A product over k in two tiles, the second going on where the first ended, has
 * the bits of one over all of k. */
static void a_tile_goes_on_where_another_ended(void **state)
{
    (void)state;
    const struct kernels *k;
    static float a[64 * KERNELS_ROWS_MAX], b[64 * KERNELS_COLS_MAX];
    fill(a, 64 * KERNELS_ROWS_MAX, 1);
    fill(b, 64 * KERNELS_COLS_MAX, 2);
    for (size_t t = 0; (k = kernels_usable(t)); t++) {
        for (int bf16 = 0; bf16 < 2; bf16++) {
            void (*run)(const struct gemm_tile *) = bf16 ? k->tile_bf16 : k->tile_f32;
            float one[KERNELS_ROWS_MAX * KERNELS_COLS_MAX] = {0};
            float two[KERNELS_ROWS_MAX * KERNELS_COLS_MAX] = {0};
            struct gemm_tile tile = {.k = 50,
                                     .a = a,
                                     .b = b,
                                     .a_step = k->gemm_rows,
                                     .b_step = k->gemm_cols,
                                     .c = one,
                                     .c_step = KERNELS_COLS_MAX,
                                     .m = k->gemm_rows,
                                     .n = k->gemm_cols - 3};
            run(&tile);
            tile.c = two;
            tile.k = 13;
            run(&tile);
            tile.a = a + (size_t)13 * k->gemm_rows;
            tile.b = b + (size_t)13 * k->gemm_cols;
            tile.k = 50 - 13;
            tile.from = two;
            run(&tile);
            assert_memory_equal(one, two, sizeof one);
        }
    }
}

static void exponentials_are_right_far_out(void **state)
{
    (void)state;
    const struct kernels *k;
    for (size_t t = 0; (k = kernels_usable(t)); t++) {
        for (double x = -86; x < 88; x += 0.37) {
            float y[17];
            for (size_t i = 0; i < 17; i++) {
                y[i] = (float)x;
            }
            double want = exp((double)(float)x);
            k->exp_scale(y, 17, 0.0F, 1.0F);
            for (size_t i = 0; i < 17; i += 16) {
                assert_true(fabs((double)y[i] - want) <= 4e-7 * want);
            }
        }
        float low[3] = {-INFINITY, -1e30F, -200.0F};
        k->exp_scale(low, 3, 0.0F, 1.0F);
        for (size_t i = 0; i < 3; i++) {
            assert_true(low[i] >= 0.0F && low[i] < 1e-37F);
        }
    }
}

static void an_unknown_table_is_refused(void **state)
{
    (void)state;
    const struct kernels *k = NULL;
    struct winnow_error err;
    assert_int_equal(kernels_pick("abacus", &k, &err), WINNOW_E_USAGE);
    assert_ok(kernels_pick("generic", &k, &err), err);
    assert_ptr_equal(k, &KERNELS_GENERIC);
    assert_ok(kernels_pick(NULL, &k, &err), err);
    size_t n = 0;
    while (kernels_usable(n)) {
        n++;
    }
    assert_ptr_equal(k, kernels_usable(n - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_does_what_the_generic_one_does),
        cmocka_unit_test(softmax_of_columns_is_the_softmax),
        cmocka_unit_test(softmax_of_rows_is_that_of_columns),
        cmocka_unit_test(a_tile_goes_on_where_another_ended),
        cmocka_unit_test(exponentials_are_right_far_out),
        cmocka_unit_test(an_unknown_table_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
