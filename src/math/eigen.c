/* eigen.c -- Householder's reflections to three diagonals, then implicit QL steps.
 *
 * Both parts work along rows: reflections and turns are kept as rows of the transposed matrix of
 * vectors, so that the inner loops run over memory in order.  (Golub, Van Loan: Matrix
 * Computations, 8.3.) */
#include "math/eigen.h"

#include <math.h>
#include <string.h>

#define STEPS_MAX 60 /* of QL, an eigenvalue; two or three are usual */

size_t eigen_scratch(size_t n)
{
    return 2 * n;
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* y += f x */
static void add(double *restrict y, double f, const double *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += f * x[i];
    }
}

/* The reflection that takes column k of a below the diagonal to its first number, left in row k
 * of a from k + 1 on as v with the factor 2 / v'v, which is returned (0: none is needed); a below
 * and right of k is reflected from both sides. */
static double reflect(double *a, size_t n, size_t k, double *below, double *p)
{
    size_t m = n - k - 1;
    double *v = a + k * n + k + 1, norm = sqrt(dot(v, v, m));
    double rest = dot(v + 1, v + 1, m - 1);
    if (!(rest > 0)) {
        *below = v[0];
        return 0;
    }
    *below = v[0] > 0 ? -norm : norm;
    v[0] -= *below;
    double factor = 2 / (v[0] * v[0] + rest);
    for (size_t i = 0; i < m; i++) {
        p[i] = factor * dot(a + (k + 1 + i) * n + k + 1, v, m);
    }
    add(p, -factor / 2 * dot(p, v, m), v, m);
    for (size_t i = 0; i < m; i++) {
        double *row = a + (k + 1 + i) * n + k + 1;
        add(row, -v[i], p, m);
        add(row, -p[i], v, m);
    }
    return factor;
}

/* a becomes d on the diagonal and e[i] between i and i + 1; q its transposed transformation. */
static void to_three_diagonals(double *a, size_t n, double *d, double *e, double *q, double *spare)
{
    memset(q, 0, n * n * sizeof *q);
    for (size_t i = 0; i < n; i++) {
        q[i * n + i] = 1;
    }
    for (size_t k = 0; k + 2 < n; k++) {
        spare[k] = reflect(a, n, k, &e[k], spare + k + 1);
    }
    for (size_t i = 0; i < n; i++) {
        d[i] = a[i * n + i];
    }
    if (n > 1) {
        e[n - 2] = a[(n - 2) * n + n - 1];
    }
    /* q' = H_0 H_1 ..., from the last on: rows of q are columns of the product */
    for (size_t k = n; k-- > 0;) {
        if (k + 2 >= n || spare[k] == 0) {
            continue;
        }
        const double *v = a + k * n + k + 1;
        for (size_t i = k + 1; i < n; i++) {
            double *row = q + i * n + k + 1;
            add(row, -spare[k] * dot(row, v, n - k - 1), v, n - k - 1);
        }
    }
}

static void turn_rows(double *restrict a, double *restrict b, double c, double s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double x = a[i], y = b[i];
        b[i] = s * x + c * y;
        a[i] = c * x - s * y;
    }
}

/* One QL step with Wilkinson's shift on rows l..m. */
static void step(double *d, double *e, size_t l, size_t m, double *q, size_t n)
{
    double g = (d[l + 1] - d[l]) / (2 * e[l]), r = hypot(g, 1);
    double s = 1, c = 1, p = 0;
    g = d[m] - d[l] + e[l] / (g + copysign(r, g));
    for (size_t i = m; i-- > l;) {
        double f = s * e[i], b = c * e[i];
        r = hypot(f, g);
        e[i + 1] = r;
        if (r == 0) {
            d[i + 1] -= p;
            e[m] = 0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        turn_rows(q + i * n, q + (i + 1) * n, c, s, n);
    }
    d[l] -= p;
    e[l] = g;
    e[m] = 0;
}

/* The row at which the block that begins with l ends: what lies beside the diagonal is nothing
 * there, measured by the whole matrix (of which much may be 0). */
static size_t end_of_block(const double *e, double nothing, size_t l, size_t n)
{
    size_t m = l;
    while (m + 1 < n && fabs(e[m]) > nothing) {
        m++;
    }
    return m;
}

/* Infinite where one is no number. */
static double largest(const double *d, const double *e, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        double x = fabs(d[i]) + fabs(e[i]);
        most = x <= most ? most : isfinite(x) ? x : (double)INFINITY;
    }
    return most;
}

bool eigen_symmetric(double *a, size_t n, double *values, double *vectors, double *scratch)
{
    double *e = scratch, *spare = scratch + n;
    to_three_diagonals(a, n, values, e, vectors, spare);
    e[n - 1] = 0;
    double nothing = 1e-16 * largest(values, e, n);
    if (!isfinite(nothing)) {
        return false;
    }
    for (size_t l = 0; l < n; l++) {
        size_t m;
        for (int steps = 0; (m = end_of_block(e, nothing, l, n)) != l; steps++) {
            if (steps == STEPS_MAX) {
                return false;
            }
            step(values, e, l, m, vectors, n);
        }
    }
    return true;
}
