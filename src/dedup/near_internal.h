/* near_internal.h -- the steps of `dedup --method minhash`, as near.c calls them. */
#ifndef WINNOW_DEDUP_NEAR_INTERNAL_H
#define WINNOW_DEDUP_NEAR_INTERNAL_H

#include "dedup/dedup_guard.h"
#include "dedup/minhash.h"
#include "dedup/near.h"
#include "dedup/near_clusters.h"

struct near_slot;

/* Files of the stage's own, in its state/. */
struct near_paths {
    struct buf records, names; /* signatures of the corpus, until there are clusters */
    struct buf kept;           /* of what stays: the file that --against reads */
    struct buf rows, row_names, summary;
};

/* What the summary stands for. */
#define NEAR_LEFT(r) \
    ((struct buf *const[]){&(r)->paths.kept, &(r)->paths.rows, &(r)->paths.row_names})
#define NEAR_LEFT_COUNT 3

struct near_run {
    struct stage *stage;
    const struct winnow_dedup_options *opt;
    const char *folder; /* state/ */
    struct near_paths paths;
    struct minhash hash;
    struct near_alphabet *alphabet;
    struct signatures_writer writer;
    uint64_t from; /* documents before it were signed by an earlier process */
    pthread_mutex_t lock;
    char **chunks; /* of slots */
    size_t chunk_count, chunk_cap;
    struct near_slot *free_slots;
    struct near_sets *sets;
    struct near_nodes nodes;
    struct guard guard;
    struct near_rows rows;
};

/* near_sign.c: the pass that writes the signatures. */
winnow_status near_sign(struct near_run *r, struct winnow_error *err);
void near_slots_release(struct near_run *r);
struct signatures_shape near_shape(const struct near_run *r);

/* near_compare.c: clusters, what becomes of each document, the summary. */
winnow_status near_compare(struct near_run *r, struct winnow_error *err);

/* near_against.c: the signatures of an earlier run, opened behind those of the corpus. */
winnow_status near_against_find(const char *run, struct buf *path, struct winnow_error *err);
winnow_status near_against_check(const struct winnow_dedup_options *opt, uint64_t seed,
                                 struct winnow_error *err);
winnow_status near_against_open(struct near_run *r, struct winnow_error *err);

#endif /* WINNOW_DEDUP_NEAR_INTERNAL_H */
