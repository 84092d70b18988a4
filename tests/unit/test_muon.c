/* Muon against itself in plain double loops, and against what it promises:
 * singular values near 1, AdamW's bits wherever it does not act. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "small_llama.h"
#include "train/muon.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

static void fill(float *x, size_t n, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, "muon");
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)rng_normal(&r);
    }
}

/* ---- the slow twin: the smaller side first, every product in full ---- */

static void multiply(double *c, const double *a, const double *b, size_t m, size_t n, size_t k)
{
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t l = 0; l < k; l++) {
                sum += a[i * k + l] * b[l * n + j];
            }
            c[i * n + j] = sum;
        }
    }
}

static void turn(double *to, const double *from, size_t rows, size_t cols)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < cols; j++) {
            to[j * rows + i] = from[i * cols + j];
        }
    }
}

static void twin(double *x, size_t rows, size_t cols)
{
    size_t n = rows * cols, m = rows < cols ? rows : cols, k = rows < cols ? cols : rows;
    double *y = malloc(n * 8), *yt = malloc(n * 8), *by = malloc(n * 8);
    double *a = malloc(m * m * 8), *aa = malloc(m * m * 8), norm = 0;
    if (rows > cols) {
        turn(y, x, rows, cols);
    } else {
        memcpy(y, x, n * 8);
    }
    for (size_t i = 0; i < n; i++) {
        norm += y[i] * y[i];
    }
    for (size_t i = 0; i < n; i++) {
        y[i] /= sqrt(norm) + 1e-7;
    }
    for (int step = 0; step < 5; step++) {
        turn(yt, y, m, k);
        multiply(a, y, yt, m, m, k);
        multiply(aa, a, a, m, m, m);
        for (size_t i = 0; i < m * m; i++) {
            a[i] = -4.7750 * a[i] + 2.0315 * aa[i];
        }
        multiply(by, a, y, m, k, m);
        for (size_t i = 0; i < n; i++) {
            y[i] = 3.4445 * y[i] + by[i];
        }
    }
    if (rows > cols) {
        turn(x, y, m, k);
    } else {
        memcpy(x, y, n * 8);
    }
    double *all[] = {y, yt, by, a, aa};
    for (size_t i = 0; i < 5; i++) {
        free(all[i]);
    }
}

static void orthogonalize(const struct gemm *g, float *x, size_t rows, size_t cols)
{
    size_t bytes = muon_matrix_scratch(g, rows, cols) * sizeof(float);
    float *scratch = mem_alloc(bytes);
    memset(scratch, 0xFF, bytes); /* NaNs, if ever read */
    muon_orthogonalize(g, x, rows, cols, scratch);
    mem_free(scratch);
}

static const size_t SHAPES[][2] = {{1, 1},   {1, 40},  {40, 1},   {5, 7},    {16, 16},  {33, 31},
                                   {48, 64}, {64, 48}, {63, 190}, {190, 65}, {129, 129}};

static void it_is_what_plain_loops_give(void **state)
{
    (void)state;
    for (size_t t = 0; kernels_usable(t); t++) {
        for (int type = GEMM_F32; type <= GEMM_BF16; type++) {
            const struct gemm g = {kernels_usable(t), (enum gemm_type)type};
            for (size_t s = 0; s < sizeof SHAPES / sizeof *SHAPES; s++) {
                size_t rows = SHAPES[s][0], cols = SHAPES[s][1], n = rows * cols;
                float *x = malloc(n * sizeof *x);
                double *want = malloc(n * sizeof *want), off = 0, all = 0;
                fill(x, n, s);
                for (size_t i = 0; i < n; i++) {
                    want[i] = (double)x[i];
                }
                twin(want, rows, cols);
                orthogonalize(&g, x, rows, cols);
                for (size_t i = 0; i < n; i++) {
                    off += ((double)x[i] - want[i]) * ((double)x[i] - want[i]);
                    all += want[i] * want[i];
                }
                /* A singular value's way up multiplies rounding by up to 3.44^5. */
                double most = type == GEMM_F32 ? 1e-4 : 0.1;
                if (!(sqrt(off / all) <= most)) {
                    fail_msg("%s type %d, %zu x %zu: %g off", g.k->name, type, rows, cols,
                             sqrt(off / all));
                }
                free(x);
                free(want);
            }
        }
    }
}

/* Eigenvalues of a symmetric matrix, by Jacobi's rotations; a is destroyed. */
static void eigenvalues(double *a, size_t n, double *out)
{
    for (int sweep = 0; sweep < 12; sweep++) {
        for (size_t p = 0; p < n; p++) {
            for (size_t q = p + 1; q < n; q++) {
                double angle = 0.5 * atan2(2 * a[p * n + q], a[q * n + q] - a[p * n + p]);
                double c = cos(angle), s = sin(angle);
                for (size_t i = 0; i < n; i++) {
                    double x = a[i * n + p], y = a[i * n + q];
                    a[i * n + p] = c * x - s * y;
                    a[i * n + q] = s * x + c * y;
                }
                for (size_t i = 0; i < n; i++) {
                    double x = a[p * n + i], y = a[q * n + i];
                    a[p * n + i] = c * x - s * y;
                    a[q * n + i] = s * x + c * y;
                }
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = a[i * n + i];
    }
}

static void the_result_is_nearly_orthogonal(void **state)
{
    (void)state;
    enum { M = 40, N = 120 };
    for (int tall = 0; tall <= 1; tall++) {
        for (int type = GEMM_F32; type <= GEMM_BF16; type++) {
            const struct kernels *k;
            struct winnow_error err;
            assert_ok(kernels_pick(NULL, &k, &err), err);
            const struct gemm g = {k, (enum gemm_type)type};
            static float x[M * N];
            static double gram[M * M];
            double values[M];
            fill(x, M * N, 3);
            orthogonalize(&g, x, tall ? N : M, tall ? M : N);
            for (size_t i = 0; i < M; i++) {
                for (size_t j = 0; j < M; j++) {
                    gram[i * M + j] = 0;
                    for (size_t l = 0; l < N; l++) {
                        gram[i * M + j] += tall ? (double)x[l * M + i] * (double)x[l * M + j]
                                                : (double)x[i * N + l] * (double)x[j * N + l];
                    }
                }
            }
            eigenvalues(gram, M, values);
            for (size_t i = 0; i < M; i++) {
                double singular = sqrt(values[i]);
                if (!(singular > 0.65 && singular < 1.25)) {
                    fail_msg("tall %d type %d: singular value %g", tall, type, singular);
                }
            }
        }
    }
}

static void zeros_stay_zeros(void **state)
{
    (void)state;
    const struct gemm g = {&KERNELS_GENERIC, GEMM_F32};
    float x[12] = {0}, zeros[12] = {0};
    orthogonalize(&g, x, 3, 4);
    assert_memory_equal(x, zeros, sizeof x);
}

static void flops_are_those_of_the_products(void **state)
{
    (void)state;
    /* five times: half of X X' and of A A (the diagonal in), all of B X */
    assert_near(muon_matrix_flops(2, 3), 5 * (2 * 3 * 3 + 2 * 3 * 2 + 2 * 4 * 3), 0);
    assert_near(muon_matrix_flops(3, 2), muon_matrix_flops(2, 3), 0);
}

/* ---- in the trainer ---- */

struct run {
    struct model *m;
    struct pool *pool;
    struct trainer *t;
};

static void open_run(struct run *r, const struct trainer_options *opt)
{
    struct winnow_error err;
    struct winnow_env env = {0};
    struct model_config c = small_llama();
    c.qkv_bias = true;
    assert_ok(model_new(&c, &r->m, &err), err);
    model_init_random(r->m, 1);
    r->pool = pool_new(2);
    assert_ok(trainer_new(r->m, r->pool, opt, &env, &r->t, &err), err);
}

static void close_run(struct run *r)
{
    trainer_free(r->t);
    pool_free(r->pool);
    model_free(r->m);
}

/* The gradient of the mean loss at the weights as they are, clipped. */
static void batch_gradient(struct run *r, const struct token_batch *b, double clip, double *out)
{
    struct winnow_error err;
    size_t n = model_values_count(r->m);
    float *g = calloc(n, sizeof *g);
    double sum, norm = 0;
    assert_ok(engine_gradient(trainer_engine(r->t), b, 1.0F / (float)batch_targets(b), g, &sum,
                              NULL, &err),
              err);
    for (size_t i = 0; i < n; i++) {
        norm += (double)g[i] * (double)g[i];
    }
    norm = sqrt(norm);
    for (size_t i = 0; i < n; i++) {
        out[i] = (double)g[i] * (norm > clip ? clip / norm : 1);
    }
    free(g);
}

/* Two updates of every hidden matrix, in double from the engine's own gradients. */
static void updates_are_muons(void **state)
{
    (void)state;
    struct trainer_options opt = TRAINER_OPTIONS_INIT;
    opt.steps = 30;
    opt.warmup = 4;
    opt.clip = 0.5;
    opt.optimizer = TRAINER_MUON;
    struct run r;
    open_run(&r, &opt);
    size_t n = model_values_count(r.m);
    double *momentum = calloc(n, sizeof *momentum), *g = malloc(n * sizeof *g);
    double *x = malloc(n * sizeof *x), *before = malloc(n * sizeof *before);
    uint32_t tokens[60], starts[] = {0, 30, 60};
    for (uint32_t i = 0; i < 60; i++) {
        tokens[i] = (i * i * 7 + 3) % 64;
    }
    struct token_batch b = {tokens, starts, 2, NULL};
    for (int step = 1; step <= 2; step++) {
        struct trainer_result out;
        struct winnow_error err;
        batch_gradient(&r, &b, opt.clip, g);
        for (size_t i = 0; i < n; i++) {
            before[i] = (double)model_values(r.m)[i];
            momentum[i] = 0.95 * momentum[i] + g[i];
            x[i] = g[i] + 0.95 * momentum[i];
        }
        assert_ok(trainer_step(r.t, &b, &out, &err), err);
        double lr = opt.lr * step / 4, flops = 0;
        for (size_t i = 0; i < model_tensor_count(r.m); i++) {
            const struct model_tensor *t = model_tensor_at(r.m, i);
            if (!tensor_role_is_hidden(t->role)) {
                continue;
            }
            twin(x + t->offset, t->rows, t->cols);
            flops += muon_matrix_flops(t->rows, t->cols);
            double scale = 0.2 * sqrt(t->rows > t->cols ? t->rows : t->cols);
            for (size_t j = t->offset; j < t->offset + (size_t)t->rows * t->cols; j++) {
                double want = before[j] - lr * (0.1 * before[j] + scale * x[j]);
                double got = (double)model_values(r.m)[j];
                if (!(fabs(got - want) <= 2e-3 * lr + 1e-7)) {
                    fail_msg("step %d %s[%zu]: %.9g, expected %.9g", step, t->name, j - t->offset,
                             got, want);
                }
            }
        }
        double products = 2 * 3 * model_config_flops(model_config(r.m), 30);
        assert_near(out.flops, products + flops, 1e-12);
    }
    double *all[] = {momentum, g, x, before};
    for (size_t i = 0; i < 4; i++) {
        free(all[i]);
    }
    close_run(&r);
}

static void all_else_is_adamws_to_the_bit(void **state)
{
    (void)state;
    struct trainer_options opt = TRAINER_OPTIONS_INIT;
    struct run adamw, muon;
    open_run(&adamw, &opt);
    opt.optimizer = TRAINER_MUON;
    open_run(&muon, &opt);
    uint32_t tokens[30], starts[] = {0, 30};
    for (uint32_t i = 0; i < 30; i++) {
        tokens[i] = i * 5 % 64;
    }
    struct token_batch b = {tokens, starts, 1, NULL};
    struct trainer_result out;
    struct winnow_error err;
    assert_ok(trainer_step(adamw.t, &b, &out, &err), err);
    assert_ok(trainer_step(muon.t, &b, &out, &err), err);
    size_t hidden = 0;
    for (size_t i = 0; i < model_tensor_count(muon.m); i++) {
        const struct model_tensor *t = model_tensor_at(muon.m, i);
        const float *x = model_data_const(muon.m, t), *y = model_data_const(adamw.m, t);
        size_t bytes = (size_t)t->rows * t->cols * sizeof *x;
        hidden += tensor_role_is_hidden(t->role) ? 1 : 0;
        assert_true(tensor_role_is_hidden(t->role) == (memcmp(x, y, bytes) != 0));
    }
    assert_int_equal(hidden, 2 * 7);
    close_run(&adamw);
    close_run(&muon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_what_plain_loops_give),
        cmocka_unit_test(the_result_is_nearly_orthogonal),
        cmocka_unit_test(zeros_stay_zeros),
        cmocka_unit_test(flops_are_those_of_the_products),
        cmocka_unit_test(updates_are_muons),
        cmocka_unit_test(all_else_is_adamws_to_the_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
