/* nnls.h -- non-negative least squares by active sets (Lawson and Hanson 1974).
 *
 *     min |A w - b|  over w >= 0,   given A'A and A'b
 *
 * The columns with w > 0 have a Cholesky factor that grows by a column at a time.  A column
 * whose pivot^2 falls below `pivot` of its own square depends on those that are in: it stays
 * out.  That is what never lets two copies of a document in, and why nothing is added to the
 * diagonal: a ridge would share the weight out among copies instead.  So sqrt(pivot) is the
 * distance (of unit columns) within which a document is a copy.
 */
#ifndef WINNOW_SELECT_NNLS_H
#define WINNOW_SELECT_NNLS_H

#include "base/error.h"

#include <stddef.h>

#define NNLS_PIVOT 1e-6

struct nnls {
    const double *gram; /* A'A: [n][stride] */
    size_t n, stride;
    const double *c;  /* A'b */
    double tolerance; /* a column whose correlation with the residual is no larger stays out */
    double pivot;
};

/* w holds a start (>= 0) and then the solution.  WINNOW_E_NOMEM. */
winnow_status nnls_solve(const struct nnls *p, double *w, struct winnow_error *err);

#endif /* WINNOW_SELECT_NNLS_H */
