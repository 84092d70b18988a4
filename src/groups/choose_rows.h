/* choose_rows.h -- which of clustered rows stay, under a budget: pure functions over columns.
 *
 * Chances are drawn from a row's own hash (draws), so order and threads do not matter; ties are
 * broken by draws, then by place. */
#ifndef WINNOW_GROUPS_CHOOSE_ROWS_H
#define WINNOW_GROUPS_CHOOSE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum row_fate { ROW_KEPT, ROW_NEAR_COPY, ROW_PROTOTYPE, ROW_NOT_DRAWN };

/* Rows whose number is above the limit become near-copies. */
void choose_below(const float *alike, size_t n, double limit, unsigned char *fate);

/* Of the rows that are kept the `budget` of least number stay, the others get `fate_of_others`.
 * Returns the greatest number that stays, NaN where none is left. */
double choose_least(const float *number, const uint64_t *draws, size_t n, size_t budget,
                    enum row_fate fate_of_others, unsigned char *fate);

/* `budget` rows, each drawn with a chance in proportion to 1 / density, without replacement
 * (Efraimidis and Spirakis 2006). */
void choose_sparse(const float *density, const uint64_t *draws, size_t n, size_t budget,
                   unsigned char *fate);

/* quota[c] rows of each of k clusters by chance. */
void choose_quota(const uint32_t *cluster, const uint64_t *draws, size_t n, const size_t *quota,
                  size_t k, unsigned char *fate);

/* How many of each cluster, in sum `budget`: in proportion to size^(1 - even), none more than it
 * has.  budget <= the sum of sizes. */
void share_out(const size_t *sizes, size_t k, size_t budget, double even, size_t *quota);

/* Entropy in bits of the shares. */
double entropy_of(const size_t *sizes, size_t k);

#endif /* WINNOW_GROUPS_CHOOSE_ROWS_H */
