/* Pursuit on planted problems, where the right answer is known. */
#include "base/env.h"
#include "base/rng.h"
#include "base/sort.h"
#include "check.h"
#include "select/pursuit.h"

#include <stdlib.h>
#include <string.h>

struct pool_of_rows {
    struct vector_rows rows;
    uint16_t *data;
    float *scales;
    uint32_t *which;
    bool *taken;
    struct rng rng;
    struct pool *pool;
    const struct kernels *k;
};

static void set_row(struct pool_of_rows *p, size_t row, const float *x)
{
    size_t width = vector_rows_width(&p->rows);
    double sum = 0;
    for (size_t i = 0; i < width; i++) {
        uint16_t b = vector_bf16(x[i]);
        uint32_t bits = (uint32_t)b << 16;
        float back;
        memcpy(&back, &bits, sizeof back);
        p->data[row * width + i] = b;
        sum += (double)back * (double)back;
    }
    for (uint32_t t = 0; t < p->rows.parts; t++) {
        p->scales[row * p->rows.parts + t] = (float)(1 / sqrt(sum));
    }
}

static void open_rows(struct pool_of_rows *p, size_t n, uint32_t dim, uint32_t threads)
{
    struct winnow_error err;
    *p = (struct pool_of_rows){.pool = pool_new(threads)};
    assert_ok(kernels_pick(NULL, &p->k, &err), err);
    rng_init(&p->rng, 9, "pursuit");
    p->data = malloc(n * dim * sizeof *p->data);
    p->scales = malloc(n * sizeof *p->scales);
    p->which = malloc(n * sizeof *p->which);
    p->taken = calloc(n, sizeof *p->taken);
    p->rows = (struct vector_rows){p->data, n, 1, dim, p->scales};
    float *x = malloc(dim * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < dim; j++) {
            x[j] = (float)rng_normal(&p->rng);
        }
        set_row(p, i, x);
        p->which[i] = (uint32_t)i;
    }
    free(x);
}

static void close_rows(struct pool_of_rows *p)
{
    free(p->data);
    free(p->scales);
    free(p->which);
    free(p->taken);
    pool_free(p->pool);
}

/* b = a positive sum of `m` rows, `step` apart; returns its norm. */
static double plant(struct pool_of_rows *p, size_t m, size_t step, float *b)
{
    size_t width = vector_rows_width(&p->rows);
    float *x = malloc(width * sizeof *x);
    double sum = 0;
    memset(b, 0, width * sizeof *b);
    for (size_t i = 0; i < m; i++) {
        float w = (float)(0.5 + rng_uniform(&p->rng));
        vector_rows_expand(&p->rows, i * step, x);
        for (size_t j = 0; j < width; j++) {
            b[j] += w * x[j];
        }
    }
    for (size_t j = 0; j < width; j++) {
        sum += (double)b[j] * (double)b[j];
    }
    free(x);
    return sqrt(sum);
}

static void run(struct pool_of_rows *p, const float *b, size_t count, size_t budget,
                struct pursuit_options opt, struct pursuit *out)
{
    struct winnow_error err;
    const struct winnow_env env = {0};
    const struct pursuit_problem problem = {.rows = &p->rows,
                                            .which = p->which,
                                            .n = p->rows.count,
                                            .targets = b,
                                            .count = count,
                                            .budget = budget,
                                            .taken = p->taken};
    assert_ok(pursuit_run(&problem, &opt, p->k, p->pool, &env, out, &err), err);
}

static const enum pursuit_way WAYS[] = {PURSUIT_COSAMP, PURSUIT_OMP, PURSUIT_BLOCK};

static struct pursuit_options way(enum pursuit_way w)
{
    struct pursuit_options opt = PURSUIT_OPTIONS_INIT;
    opt.way = w;
    return opt;
}

static void planted_rows_are_found(void **state)
{
    (void)state;
    enum { N = 3000, D = 512, M = 40 }; /* M ln(N / M) = .34 D */
    struct pool_of_rows p;
    open_rows(&p, N, D, 2);
    float b[D];
    (void)plant(&p, M, 70, b);
    for (size_t k = 0; k < 2; k++) { /* block does not take back, so it may add others */
        struct pursuit out;
        run(&p, b, 1, M, way(WAYS[k]), &out);
        assert_int_equal(out.count, M);
        assert_true(out.residual < 1e-5); /* b itself is f32 */
        for (size_t i = 0; i < out.count; i++) {
            assert_int_equal(out.atoms[i].row % 70, 0);
            assert_in_range(out.atoms[i].row / 70, 0, M - 1);
        }
        pursuit_release(&out);
    }
    close_rows(&p);
}

/* Every row five times: exactly, and moved by 1e-3 of its length. */
static void no_two_copies_are_chosen(void **state)
{
    (void)state;
    enum { N = 1000, D = 256, M = 20 };
    for (int moved = 0; moved < 2; moved++) {
        struct pool_of_rows p;
        open_rows(&p, N, D, 1);
        float b[D], x[D], y[D];
        for (size_t g = 0; g < N / 5; g++) {
            vector_rows_expand(&p.rows, g * 5, x);
            for (size_t c = 1; c < 5; c++) {
                for (size_t j = 0; j < D; j++) {
                    y[j] = x[j] + (moved ? (float)(1e-3 / sqrt(D) * rng_normal(&p.rng)) : 0);
                }
                set_row(&p, g * 5 + c, y);
            }
        }
        (void)plant(&p, M, 5, b);
        for (size_t k = 0; k < 3; k++) {
            struct pursuit out;
            struct pursuit_options opt = way(WAYS[k]);
            opt.pivot = 1e-4; /* wider than bf16's own rounding */
            run(&p, b, 1, M, opt, &out);
            bool seen[N / 5] = {0};
            assert_in_range(out.count, M - 2, M);
            for (size_t i = 0; i < out.count; i++) {
                assert_false(seen[out.atoms[i].row / 5]);
                seen[out.atoms[i].row / 5] = true;
            }
            pursuit_release(&out);
        }
        close_rows(&p);
    }
}

static void residuals_fall_and_gains_add_up(void **state)
{
    (void)state;
    enum { N = 800, D = 128, M = 24 };
    struct pool_of_rows p;
    open_rows(&p, N, D, 1);
    float b[D];
    double size = 0, best[3];
    for (size_t j = 0; j < D; j++) {
        b[j] = (float)rng_normal(&p.rng);
        size += (double)b[j] * (double)b[j];
    }
    for (size_t k = 0; k < 3; k++) {
        struct pursuit out;
        run(&p, b, 1, M, way(WAYS[k]), &out);
        double gain = 0, last = 1;
        for (size_t i = 0; i < out.count; i++) {
            gain += out.atoms[i].gain;
            assert_true(out.atoms[i].weight > 0);
            assert_true(i == 0 || out.atoms[i].weight <= out.atoms[i - 1].weight);
        }
        assert_near(gain / size, 1 - out.residual * out.residual, 1e-5);
        for (size_t i = 0; i < out.curve_count; i++) {
            assert_true(out.curve[i].residual <= last);
            last = out.curve[i].residual;
        }
        best[k] = out.residual;
        pursuit_release(&out);
    }
    assert_true(best[0] < best[1] + 0.05);
    assert_true(best[2] < best[1] + 0.05);
    close_rows(&p);
}

static void one_row_is_the_most_similar_one(void **state)
{
    (void)state;
    enum { N = 500, D = 64 };
    struct pool_of_rows p;
    open_rows(&p, N, D, 1);
    float b[D], x[D];
    for (size_t j = 0; j < D; j++) {
        b[j] = (float)rng_normal(&p.rng);
    }
    size_t best = 0;
    double top = -1;
    for (size_t i = 0; i < N; i++) {
        vector_rows_expand(&p.rows, i, x);
        double d = vector_dot(p.k, x, b, D);
        best = d > top ? i : best;
        top = d > top ? d : top;
    }
    for (size_t k = 1; k < 3; k++) { /* cosamp fits two at once and keeps the larger weight */
        struct pursuit out;
        run(&p, b, 1, 1, way(WAYS[k]), &out);
        assert_int_equal(out.count, 1);
        assert_int_equal(out.atoms[0].row, best);
        pursuit_release(&out);
    }
    close_rows(&p);
}

static void no_more_rows_than_dimensions(void **state)
{
    (void)state;
    enum { N = 600, D = 32 };
    struct pool_of_rows p;
    open_rows(&p, N, D, 1);
    float b[D];
    for (size_t j = 0; j < D; j++) {
        b[j] = (float)rng_normal(&p.rng);
    }
    for (size_t k = 0; k < 3; k++) {
        struct pursuit out;
        run(&p, b, 1, 100, way(WAYS[k]), &out);
        assert_in_range(out.count, 1, D);
        assert_true(out.residual >= 0 && out.residual < 0.2);
        pursuit_release(&out);
    }
    close_rows(&p);
}

static int by_row(const void *a, const void *b)
{
    const struct pursuit_atom *x = a, *y = b;
    return (x->row > y->row) - (x->row < y->row);
}

static void neither_order_nor_threads_nor_company_matter(void **state)
{
    (void)state;
    enum { N = 700, D = 96, M = 16, K = 11 };
    struct pool_of_rows p, q;
    open_rows(&p, N, D, 1);
    open_rows(&q, N, D, 3);
    size_t width = D * sizeof *p.data;
    for (size_t i = 0; i < N; i++) { /* q's row i is p's row (i * 3) mod N, N no multiple of 3 */
        memcpy(q.data + i * D, p.data + i * 3 % N * D, width);
        q.scales[i] = p.scales[i * 3 % N];
    }
    float *b = malloc(K * D * sizeof *b);
    for (size_t j = 0; j < (size_t)K * D; j++) {
        b[j] = (float)rng_normal(&p.rng);
    }
    for (size_t k = 0; k < 3; k++) {
        struct pursuit together[K], permuted[K], alone;
        run(&p, b, K, M, way(WAYS[k]), together);
        run(&q, b, K, M, way(WAYS[k]), permuted);
        for (size_t t = 0; t < K; t++) {
            run(&p, b + t * D, 1, M, way(WAYS[k]), &alone);
            assert_int_equal(alone.count, together[t].count);
            for (size_t i = 0; i < alone.count; i++) { /* bit by bit, but not what pads them */
                const struct pursuit_atom *x = &alone.atoms[i], *y = &together[t].atoms[i];
                assert_int_equal(x->row, y->row);
                assert_memory_equal(&x->weight, &y->weight, sizeof x->weight);
                assert_memory_equal(&x->gain, &y->gain, sizeof x->gain);
            }
            for (size_t i = 0; i < permuted[t].count; i++) {
                permuted[t].atoms[i].row = permuted[t].atoms[i].row * 3 % N;
            }
            sort(permuted[t].atoms, permuted[t].count, sizeof *alone.atoms, by_row);
            sort(alone.atoms, alone.count, sizeof *alone.atoms, by_row);
            assert_int_equal(permuted[t].count, alone.count);
            for (size_t i = 0; i < alone.count; i++) {
                assert_int_equal(permuted[t].atoms[i].row, alone.atoms[i].row);
                assert_near(permuted[t].atoms[i].weight, alone.atoms[i].weight, 1e-6);
            }
            pursuit_release(&alone);
            pursuit_release(&together[t]);
            pursuit_release(&permuted[t]);
        }
    }
    free(b);
    close_rows(&p);
    close_rows(&q);
}

/* The same vector at three checkpoints chooses what one does. */
static void equal_checkpoints_are_one(void **state)
{
    (void)state;
    enum { N = 400, D = 64, M = 12 };
    struct pool_of_rows p, q;
    open_rows(&p, N, D, 1);
    open_rows(&q, N, 3 * D, 1);
    q.rows.parts = 3;
    q.rows.dim = D;
    q.scales = realloc(q.scales, 3UL * N * sizeof *q.scales);
    q.rows.scales = q.scales;
    for (size_t i = 0; i < N; i++) {
        for (size_t t = 0; t < 3; t++) {
            memcpy(q.data + (i * 3 + t) * D, p.data + i * D, D * sizeof *p.data);
            q.scales[i * 3 + t] = p.scales[i] / sqrtf(3);
        }
    }
    float b[3 * D];
    for (size_t j = 0; j < D; j++) {
        b[j] = b[D + j] = b[2 * D + j] = (float)rng_normal(&p.rng);
    }
    struct pursuit one, three;
    run(&p, b, 1, M, way(PURSUIT_COSAMP), &one);
    run(&q, b, 1, M, way(PURSUIT_COSAMP), &three);
    assert_int_equal(one.count, three.count);
    assert_near(one.residual, three.residual, 1e-4);
    for (size_t i = 0; i < one.count; i++) {
        assert_int_equal(one.atoms[i].row, three.atoms[i].row);
    }
    pursuit_release(&one);
    pursuit_release(&three);
    close_rows(&p);
    close_rows(&q);
}

static void noise_is_left_alone_and_copies_of_held_rows_too(void **state)
{
    (void)state;
    enum { N = 2000, D = 512 };
    struct pool_of_rows p;
    open_rows(&p, N, D, 1);
    float b[D], held[D];
    for (size_t j = 0; j < D; j++) {
        b[j] = (float)rng_normal(&p.rng);
    }
    struct pursuit_options opt = way(PURSUIT_COSAMP);
    opt.floor = 1.1 * pursuit_noise_floor(N, D);
    struct pursuit out;
    run(&p, b, 1, 20, opt, &out); /* b has nothing to do with any row */
    assert_in_range(out.count, 0, 1);
    pursuit_release(&out);

    (void)plant(&p, 1, 1, b); /* row 0, which is held already */
    vector_rows_expand(&p.rows, 0, held);
    struct winnow_error err;
    const struct winnow_env env = {0};
    const struct pursuit_problem problem = {.rows = &p.rows,
                                            .which = p.which,
                                            .n = N,
                                            .targets = b,
                                            .count = 1,
                                            .budget = 4,
                                            .taken = p.taken,
                                            .held = held,
                                            .held_count = 1};
    opt.floor = 0;
    assert_ok(pursuit_run(&problem, &opt, p.k, p.pool, &env, &out, &err), err);
    assert_true(p.taken[0]);
    for (size_t i = 0; i < out.count; i++) {
        assert_true(out.atoms[i].row != 0);
    }
    pursuit_release(&out);
    close_rows(&p);
}

/* Many rows are held; of each some lie a little nearer than a copy and some a little farther. */
static void only_what_is_nearer_than_a_copy_leaves(void **state)
{
    (void)state;
    enum { N = 600, D = 256, HELD = 150 };
    struct pool_of_rows p;
    open_rows(&p, N, D, 2);
    float *held = malloc((size_t)HELD * D * sizeof *held), *b = calloc(D, sizeof *b), x[D], y[D];
    for (size_t i = 0; i < HELD; i++) {
        vector_rows_expand(&p.rows, 4 * i, held + i * D);
        p.taken[4 * i] = true;
        for (size_t c = 1; c < 4; c++) { /* cosines of about .995, .985 and .97 */
            static const double AWAY[] = {0, 0.1, 0.174, 0.25};
            for (size_t j = 0; j < D; j++) {
                y[j] = held[i * D + j] + (float)(AWAY[c] / sqrt(D) * rng_normal(&p.rng));
            }
            set_row(&p, 4 * i + c, y);
        }
        vector_rows_expand(&p.rows, 4 * i + 1, x);
        for (size_t j = 0; j < D; j++) {
            b[j] += x[j];
        }
    }
    struct winnow_error err;
    const struct winnow_env env = {0};
    const struct pursuit_problem problem = {.rows = &p.rows,
                                            .which = p.which,
                                            .n = N,
                                            .targets = b,
                                            .count = 1,
                                            .budget = 60,
                                            .taken = p.taken,
                                            .held = held,
                                            .held_count = HELD};
    struct pursuit out;
    const struct pursuit_options opt = way(PURSUIT_COSAMP);
    assert_ok(pursuit_run(&problem, &opt, p.k, p.pool, &env, &out, &err), err);
    assert_in_range(out.count, 20, 60);
    for (size_t i = 0; i < N; i++) {
        double near = 0;
        vector_rows_expand(&p.rows, i, x);
        for (size_t h = 0; h < HELD; h++) {
            double d = vector_dot(p.k, x, held + h * D, D);
            near = d > near ? d : near;
        }
        assert_true(!p.taken[i] || near > opt.copy);
        for (size_t a = 0; a < out.count; a++) {
            assert_true(out.atoms[a].row != i || near <= opt.copy);
        }
    }
    pursuit_release(&out);
    free(held);
    free(b);
    close_rows(&p);
}

/* With room for all rows, a pursuit ends where no weight can be moved any more (Karush, Kuhn and
 * Tucker): rows with a weight are orthogonal to the residual, no other points to it. */
static void the_optimum_of_a_small_pool_is_reached(void **state)
{
    (void)state;
    enum { N = 90, D = 120 };
    struct pool_of_rows p;
    open_rows(&p, N, D, 1);
    float b[D], x[D];
    double size = 0;
    for (size_t j = 0; j < D; j++) {
        b[j] = (float)rng_normal(&p.rng);
        size += (double)b[j] * (double)b[j];
    }
    struct pursuit out;
    run(&p, b, 1, N, way(PURSUIT_COSAMP), &out);
    assert_in_range(out.count, N / 4, 3 * N / 4);
    double residual[D], weight[N] = {0};
    for (size_t j = 0; j < D; j++) {
        residual[j] = (double)b[j];
    }
    for (size_t a = 0; a < out.count; a++) {
        weight[out.atoms[a].row] = out.atoms[a].weight;
        vector_rows_expand(&p.rows, out.atoms[a].row, x);
        for (size_t j = 0; j < D; j++) {
            residual[j] -= out.atoms[a].weight * (double)x[j];
        }
    }
    for (size_t i = 0; i < N; i++) {
        double d = 0;
        vector_rows_expand(&p.rows, i, x);
        for (size_t j = 0; j < D; j++) {
            d += (double)x[j] * residual[j];
        }
        assert_true(d <= 1e-6 * sqrt(size));
        assert_true(weight[i] == 0 || d >= -1e-6 * sqrt(size));
    }
    pursuit_release(&out);
    close_rows(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_rows_are_found),
        cmocka_unit_test(no_two_copies_are_chosen),
        cmocka_unit_test(residuals_fall_and_gains_add_up),
        cmocka_unit_test(one_row_is_the_most_similar_one),
        cmocka_unit_test(no_more_rows_than_dimensions),
        cmocka_unit_test(neither_order_nor_threads_nor_company_matter),
        cmocka_unit_test(equal_checkpoints_are_one),
        cmocka_unit_test(noise_is_left_alone_and_copies_of_held_rows_too),
        cmocka_unit_test(the_optimum_of_a_small_pool_is_reached),
        cmocka_unit_test(only_what_is_nearer_than_a_copy_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
