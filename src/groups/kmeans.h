/* kmeans.h -- spherical k-means: clusters of unit vectors by the cosine to their mean direction.
 *
 * It learns from a sample of the rows (one of each of as many equal stretches of them), held in
 * memory, starts by k-means++ over a part of that, and ends when the mean cosine rises by less
 * than 1e-4 or after so many iterations; then all rows are assigned in one sweep.  Sums over a
 * cluster are in the order of its rows, so threads do not show.  A cluster that lost all its rows
 * takes the one that is farthest from its centroid; where no row is far from its own (equal
 * documents) it stays empty. */
#ifndef WINNOW_GROUPS_KMEANS_H
#define WINNOW_GROUPS_KMEANS_H

#include "base/env.h"
#include "groups/group_rows.h"

struct kmeans_options {
    size_t k;
    uint32_t iterations, sample; /* sample: rows a cluster; 0: all rows */
    bool random_start;
    uint64_t seed;
    const char *stream; /* of random numbers */
    const char *path;   /* of its state, gone on from; NULL: none */
};

struct kmeans {
    size_t k, dim;
    float *centroids; /* [k][dim], of norm 1 */
    uint32_t iterations;
    double cosine; /* mean, of the sample's rows to their centroids at the last iteration */
    size_t sampled;
};
void kmeans_release(struct kmeans *m);

/* Where the work is done; borrowed. */
struct kmeans_home {
    struct pool *pool;
    const struct kernels *k;
    const struct winnow_env *env;
};

/* opt->k <= rows->count, which is the caller's to check. */
winnow_status kmeans_train(const struct kmeans_home *home, const struct group_rows *rows,
                           const struct kmeans_options *opt, struct kmeans *out,
                           struct winnow_error *err);

/* Of each of the rows: its centroid, the first of those as near, and the cosine to it. */
winnow_status kmeans_assign(const struct kmeans_home *home, const struct group_rows *rows,
                            const struct kmeans *m, uint32_t *cluster, float *cosine,
                            struct winnow_error *err);

/* Bytes that both take beside the rows' own arrays. */
uint64_t kmeans_bytes(size_t rows, size_t dim, const struct kmeans_options *opt, uint32_t threads);

#endif /* WINNOW_GROUPS_KMEANS_H */
