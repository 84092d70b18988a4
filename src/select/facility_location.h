/* facility_location.h -- rows that stand for all: f(S) = the sum over i of max over j in S of
 * s(i, j), with s the cosine, or 0 where it is negative.  Greedy is within 1 - 1/e of the
 * best; lazy greedy looks at a row again only when its old gain is the largest left. */
#ifndef WINNOW_SELECT_FACILITY_LOCATION_H
#define WINNOW_SELECT_FACILITY_LOCATION_H

#include <stddef.h>
#include <stdint.h>

/* s[n][n]; order and gains get n entries: rows in the order of choosing, what each added.
 * Ties go to the lower row. */
void facility_greedy(const float *s, size_t n, uint32_t *order, double *gains);

/* The same the slow way, for tests. */
void facility_greedy_naive(const float *s, size_t n, uint32_t *order, double *gains);

#endif /* WINNOW_SELECT_FACILITY_LOCATION_H */
