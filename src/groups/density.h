/* density.h -- how many documents are about where one is, by sketches (Sachdeva et al. 2024).
 *
 * DENSITY_SKETCHES hash functions of DENSITY_JOINED projections each, cut into steps of
 * DENSITY_WIDTH (p-stable hashing), count rows in DENSITY_BUCKETS buckets; a row's density is the
 * mean of its buckets' shares.  So it is an estimate of a sum over all rows of a kernel that
 * falls with the distance, in one pass and memory that does not grow. */
#ifndef WINNOW_GROUPS_DENSITY_H
#define WINNOW_GROUPS_DENSITY_H

#include "groups/kmeans.h"

#define DENSITY_SKETCHES 128U
#define DENSITY_JOINED   4U
#define DENSITY_BUCKETS  20000U
#define DENSITY_WIDTH    1.0

/* density[i] of each of the rows, above 0 and at most 1. */
winnow_status density_find(const struct kmeans_home *home, const struct group_rows *rows,
                           uint64_t seed, float *density, struct winnow_error *err);

uint64_t density_bytes(size_t dim, uint32_t threads);

#endif /* WINNOW_GROUPS_DENSITY_H */
