/* mix_clusters.h -- which documents are copies of each other, as a dedup found out: they lie on
 * one side of a split. */
#ifndef WINNOW_MIX_MIX_CLUSTERS_H
#define WINNOW_MIX_MIX_CLUSTERS_H

#include "base/env.h"

struct mix_cluster {
    uint64_t id, cluster; /* hashes */
};

/* Ids in the order of their hashes; all-zero is none. */
struct mix_clusters {
    struct mix_cluster *items;
    size_t count, cap;
};

/* path: a run or a stage of it with a ledger that has "cluster" and "kept" (dedup), or files whose
 * rows have "id" and "cluster", in the row or its "attributes". */
winnow_status mix_clusters_read(const char *path, const struct winnow_env *env,
                                struct mix_clusters *out, struct winnow_error *err);
void mix_clusters_release(struct mix_clusters *c);

/* The cluster's hash of that id; false where it is in none. */
bool mix_clusters_find(const struct mix_clusters *c, struct str id, uint64_t *cluster);

#endif /* WINNOW_MIX_MIX_CLUSTERS_H */
