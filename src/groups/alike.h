/* alike.h -- within each cluster, the nearest of those that come before: SemDeDup (Abbas et al.
 * 2023).
 *
 * A cluster's rows stand in order: those farthest from the centroid first ("hard", as the paper
 * keeps), or the nearest.  Each is compared with all before it, and what it is worth is the
 * greatest of these cosines: so a limit, or a share, is a cut of one column of numbers, and a
 * document that goes is near one that stood before it, which may have gone for an earlier one.
 * In clusters of more than ALIKE_WINDOW rows each is compared with as many before it only: rows
 * that are alike are about as far from the centroid, so they stand near each other. */
#ifndef WINNOW_GROUPS_ALIKE_H
#define WINNOW_GROUPS_ALIKE_H

#include "groups/kmeans.h"

#define ALIKE_WINDOW 16384U
#define ALIKE_NONE   UINT32_MAX

struct alike {
    float *cosine;     /* to the nearest before it; -1 where there is none */
    uint32_t *nearest; /* which, or ALIKE_NONE */
    uint64_t windowed; /* rows of clusters that are too large to be compared whole */
};
void alike_release(struct alike *a);

/* path: its state, of a call that ended after it; NULL: none. */
struct alike_options {
    size_t k;
    bool easy; /* the nearest to the centroid come first */
    const char *path;
};

/* cluster and cosine: of each row, as kmeans_assign() has them. */
winnow_status alike_find(const struct kmeans_home *home, const struct group_rows *rows,
                         const uint32_t *cluster, const float *cosine,
                         const struct alike_options *opt, struct alike *out,
                         struct winnow_error *err);

/* Bytes that it takes a row, what it leaves included. */
#define ALIKE_ROW_BYTES 24U

#endif /* WINNOW_GROUPS_ALIKE_H */
