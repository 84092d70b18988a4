/* stats.h -- intervals, tests and their correction for a handful of seeds. */
#ifndef WINNOW_PROVE_STATS_H
#define WINNOW_PROVE_STATS_H

#include <stddef.h>
#include <stdint.h>

double stats_mean(const double *x, size_t n);

/* Sample standard deviation (n - 1); NaN where n < 2. */
double stats_sd(const double *x, size_t n);

/* P(T <= t) of Student's distribution, and the t with P(|T| <= t) = level. */
double stats_t_cdf(double t, double df);
double stats_t_quantile(double level, double df);

struct stats_paired {
    double mean, low, high; /* 95 % by Student's t; NaN where n < 2 */
    double p;               /* two-sided, of a mean of 0; NaN where n < 2 */
};

/* Of differences, one a seed.  All alike and not 0, as counted items are: no interval, no p. */
struct stats_paired stats_paired_t(const double *differences, size_t n);

/* The true mean difference of which a paired t test at level alpha (two-sided) of n seeds,
 * whose differences spread by sd, would say so with probability power.  NaN where n < 2. */
double stats_detectable(double sd, size_t n, double alpha, double power);

/* Holm's step-down correction: out[i] is p[i] corrected for n tests.  NaN stays
 * NaN and does not count.  out may be p. */
void stats_holm(const double *p, size_t n, double *out);

/* The share of sorted x, linear between its members (type 7). */
double stats_quantile(const double *sorted, size_t n, double share);
void stats_sort(double *x, size_t n);

#endif /* WINNOW_PROVE_STATS_H */
