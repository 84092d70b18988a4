/* eigen.h -- eigenvalues and eigenvectors of a symmetric matrix of some hundred rows. */
#ifndef WINNOW_MATH_EIGEN_H
#define WINNOW_MATH_EIGEN_H

#include <stdbool.h>
#include <stddef.h>

/* Numbers of scratch for n rows. */
size_t eigen_scratch(size_t n);

/* a[n][n], of which all is read, is destroyed; row i of vectors[n][n] is the eigenvector, of
 * length 1, of values[i]; they come in no order.  On one thread, in the same bits every time.
 * False where it does not settle, as with numbers that are not finite. */
bool eigen_symmetric(double *a, size_t n, double *values, double *vectors, double *scratch);

#endif /* WINNOW_MATH_EIGEN_H */
