/* nnls_dump.c -- weights of non-negative least squares, for nnls_vs_scipy.py.
 *
 * Standard input: n, the numbers of A'A (n rows of n) and of A'b, as text; again and again.
 * Standard output: a line of n weights each. */
#include "base/mem.h"
#include "select/nnls.h"

#include <stdio.h>
#include <string.h>

static int read_all(double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (scanf("%lf", &x[i]) != 1) {
            return 0;
        }
    }
    return 1;
}

int main(void)
{
    size_t n;
    while (scanf("%zu", &n) == 1 && n > 0 && n < 10000) {
        double *gram = mem_zalloc((n * n + 2 * n) * sizeof *gram), *c = gram + n * n, *w = c + n;
        const struct nnls p = {gram, n, n, c, 1e-11, 1e-12};
        struct winnow_error err;
        if (!read_all(gram, n * n + n) || nnls_solve(&p, w, &err) != WINNOW_OK) {
            return 1;
        }
        for (size_t i = 0; i < n; i++) {
            (void)printf("%.17g ", w[i]);
        }
        (void)printf("\n");
        mem_free(gram);
    }
    return 0;
}
