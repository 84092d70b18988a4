/* near_clusters.h -- which document of each cluster stays, and what is said of the others.
 *
 * One stays: the first, the longest or the best.  Where an old corpus has a document in the
 * cluster, none of the new ones does.  With `direct` a document ends only where it is itself
 * near one that stays; otherwise a chain of near-copies is one cluster, however far apart its
 * ends are.
 *
 * What becomes of each document that has a cluster is a row, in the order of the corpus:
 * two files (docs/formats/signatures.md), which the pass over the documents looks up. */
#ifndef WINNOW_DEDUP_NEAR_CLUSTERS_H
#define WINNOW_DEDUP_NEAR_CLUSTERS_H

#include "dedup/near_groups.h"

#include <stdatomic.h>

/* An id of so many bytes is let go of as soon as it was read: mapped pages count as memory. */
#define NEAR_LONG_NAME ((size_t)1 << 16)

/* One document of a cluster. */
struct near_row {
    uint64_t ordinal;
    uint64_t cluster; /* hash of the normalised text of its first document */
    uint64_t name_at; /* the id of the document that stays, among the names */
    uint32_t name_len;
    uint32_t against; /* NEAR_STAYS: it stays; 0: it ends; i: for one of the i-th old corpus */
    double value;     /* similarity to the one that stays, or documents of the cluster */
};
#define NEAR_STAYS UINT32_MAX

struct near_choice {
    const struct winnow_dedup_options *opt;
    const char *rows_path, *names_path;
};

struct near_tally {
    uint64_t clusters, removed, removed_against;
    uint64_t chained; /* removed, though less similar to the one that stays than asked for */
    uint64_t largest, largest_cluster;
    uint64_t largest_first; /* its first node */
};

/* removed: a bit for each document of the corpus, zeroed. */
winnow_status near_choose(struct near_nodes *nodes, struct links *links,
                          const struct near_choice *choice, const struct near_work *work,
                          uint64_t *removed, struct near_tally *tally, struct winnow_error *err);

static inline bool near_bit(const uint64_t *bits, uint64_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

/* ---- looking up ---- */

struct near_rows {
    struct file_map rows, names;
    uint64_t count;
    _Atomic uint64_t looked; /* so many times */
};
winnow_status near_rows_open(const char *rows, const char *names, struct near_rows *out,
                             struct winnow_error *err);
void near_rows_close(struct near_rows *r);

/* Of the document at that ordinal, or NULL; on any thread. */
const struct near_row *near_rows_find(struct near_rows *r, uint64_t ordinal);
struct str near_rows_name(const struct near_rows *r, const struct near_row *row);

#endif /* WINNOW_DEDUP_NEAR_CLUSTERS_H */
