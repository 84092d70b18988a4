/* median.h -- of repeated measurements. */
#ifndef WINNOW_BENCH_MEDIAN_H
#define WINNOW_BENCH_MEDIAN_H

#include <stddef.h>
#include <stdlib.h>

static inline int median_order(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Sorts x; n is at least 1. */
static inline double median(double *x, size_t n)
{
    qsort(x, n, sizeof *x, median_order);
    return x[n / 2];
}

#endif /* WINNOW_BENCH_MEDIAN_H */
