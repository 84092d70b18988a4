/* Non-negative least squares against all supports tried one by one. */
#include "base/rng.h"
#include "check.h"
#include "select/nnls.h"

#include <stdlib.h>
#include <string.h>

#define MOST 10U
#define ROWS 14U

struct problem {
    double a[ROWS][MOST], b[ROWS];
    double gram[MOST * MOST], c[MOST];
    size_t rows, n;
};

static void form(struct problem *p)
{
    for (size_t i = 0; i < p->n; i++) {
        for (size_t j = 0; j < p->n; j++) {
            p->gram[i * p->n + j] = 0;
            for (size_t r = 0; r < p->rows; r++) {
                p->gram[i * p->n + j] += p->a[r][i] * p->a[r][j];
            }
        }
        p->c[i] = 0;
        for (size_t r = 0; r < p->rows; r++) {
            p->c[i] += p->a[r][i] * p->b[r];
        }
    }
}

static double residual(const struct problem *p, const double *w)
{
    double sum = 0;
    for (size_t r = 0; r < p->rows; r++) {
        double x = p->b[r];
        for (size_t i = 0; i < p->n; i++) {
            x -= w[i] * p->a[r][i];
        }
        sum += x * x;
    }
    return sum;
}

/* Least squares on a support by Gauss-Jordan with pivoting; false where it is singular. */
static bool fit_support(const struct problem *p, unsigned support, double *w)
{
    double m[MOST][MOST + 1];
    size_t at[MOST], k = 0;
    for (size_t i = 0; i < p->n; i++) {
        w[i] = 0;
        if (support >> i & 1U) {
            at[k++] = i;
        }
    }
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j < k; j++) {
            m[i][j] = p->gram[at[i] * p->n + at[j]];
        }
        m[i][k] = p->c[at[i]];
    }
    for (size_t i = 0; i < k; i++) {
        size_t best = i;
        for (size_t r = i; r < k; r++) {
            best = fabs(m[r][i]) > fabs(m[best][i]) ? r : best;
        }
        if (fabs(m[best][i]) < 1e-9) {
            return false;
        }
        for (size_t j = 0; j <= k; j++) {
            double x = m[i][j];
            m[i][j] = m[best][j];
            m[best][j] = x;
        }
        for (size_t r = 0; r < k; r++) {
            double f = r == i ? 0 : m[r][i] / m[i][i];
            for (size_t j = i; j <= k; j++) {
                m[r][j] -= f * m[i][j];
            }
        }
    }
    for (size_t i = 0; i < k; i++) {
        w[at[i]] = m[i][k] / m[i][i];
        if (w[at[i]] < 0) {
            return false;
        }
    }
    return true;
}

static double best_of_all_supports(const struct problem *p)
{
    double w[MOST] = {0}, best = residual(p, w);
    for (unsigned s = 1; s < 1U << p->n; s++) {
        if (fit_support(p, s, w)) {
            double r = residual(p, w);
            best = r < best ? r : best;
        }
    }
    return best;
}

static void solve(const struct problem *p, double *w)
{
    struct winnow_error err;
    const struct nnls n = {p->gram, p->n, p->n, p->c, 1e-12, 1e-10};
    assert_ok(nnls_solve(&n, w, &err), err);
}

static void the_solution_is_the_best_of_all_supports(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 1, "nnls");
    for (size_t trial = 0; trial < 400; trial++) {
        struct problem p = {.rows = 3 + trial % 11, .n = 1 + trial % MOST};
        for (size_t i = 0; i < p.rows; i++) {
            p.b[i] = rng_normal(&r);
            for (size_t j = 0; j < p.n; j++) {
                p.a[i][j] = rng_normal(&r) + (trial % 3 == 0 ? 1 : 0);
            }
        }
        if (trial % 5 == 4 && p.n > 2) { /* a copy, exact */
            for (size_t i = 0; i < p.rows; i++) {
                p.a[i][p.n - 1] = p.a[i][0];
            }
        }
        form(&p);
        double w[MOST] = {0}, warm[MOST];
        solve(&p, w);
        assert_near(residual(&p, w), best_of_all_supports(&p), 1e-9);
        for (size_t i = 0; i < p.n; i++) { /* from any start */
            warm[i] = rng_uniform(&r) < 0.5 ? rng_uniform(&r) : 0;
        }
        solve(&p, warm);
        assert_near(residual(&p, warm), residual(&p, w), 1e-9);
    }
}

static void conditions_of_the_optimum_hold(void **state)
{
    (void)state;
    enum { N = 120, D = 60 };
    static double a[D][N], gram[N * N], c[N], w[N];
    struct rng r;
    rng_init(&r, 2, "nnls");
    double b[D];
    for (size_t i = 0; i < D; i++) {
        b[i] = rng_normal(&r) + 1;
        for (size_t j = 0; j < N; j++) {
            a[i][j] = rng_normal(&r) + 0.5;
        }
    }
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            for (size_t d = 0; d < D; d++) {
                gram[i * N + j] += a[d][i] * a[d][j];
            }
        }
        for (size_t d = 0; d < D; d++) {
            c[i] += a[d][i] * b[d];
        }
    }
    const struct nnls p = {gram, N, N, c, 1e-9, 1e-10};
    struct winnow_error err;
    assert_ok(nnls_solve(&p, w, &err), err);
    size_t in = 0;
    for (size_t i = 0; i < N; i++) {
        double g = c[i];
        for (size_t j = 0; j < N; j++) {
            g -= gram[i * N + j] * w[j];
        }
        assert_true(w[i] >= 0);
        assert_true(g <= 1e-6);
        assert_true(w[i] == 0 || fabs(g) <= 1e-6);
        in += w[i] > 0;
    }
    assert_in_range(in, 1, D); /* no more than the rank */
}

static void copies_never_come_in_together(void **state)
{
    (void)state;
    enum { N = 9 };
    double gram[N * N], c[N], w[N] = {0};
    for (size_t i = 0; i < N; i++) { /* three groups of three copies, orthogonal */
        for (size_t j = 0; j < N; j++) {
            gram[i * N + j] = i / 3 == j / 3 ? 1 - 1e-8 * (i != j) : 0;
        }
        c[i] = 1 + 1e-9 * (double)i;
    }
    const struct nnls p = {gram, N, N, c, 1e-12, NNLS_PIVOT};
    struct winnow_error err;
    assert_ok(nnls_solve(&p, w, &err), err);
    for (size_t g = 0; g < 3; g++) {
        assert_int_equal((w[3 * g] > 0) + (w[3 * g + 1] > 0) + (w[3 * g + 2] > 0), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_solution_is_the_best_of_all_supports),
        cmocka_unit_test(conditions_of_the_optimum_hold),
        cmocka_unit_test(copies_never_come_in_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
