/* near_groups.h -- candidates, and which of them are near-copies.
 *
 * The numbers of a signature are cut into bands of some rows.  Two documents that agree in
 * all rows of a band are candidates: at a Jaccard index s that happens with probability
 * 1 - (1 - s^rows)^bands.  A candidate counts as a near-copy only where near_similar() says
 * so, too; near-copies are linked, and what hangs together by links is a cluster.
 *
 * Keys of bands are sorted outside of memory.  Within a band two that hang together already
 * are not compared again, which changes no cluster. */
#ifndef WINNOW_DEDUP_NEAR_GROUPS_H
#define WINNOW_DEDUP_NEAR_GROUPS_H

#include "dedup/links.h"
#include "dedup/near_nodes.h"

struct near_counts {
    uint64_t candidates;  /* documents that share a band with another, once for each band */
    uint64_t compared;    /* pairs */
    uint64_t similar;     /* of them */
    uint64_t passed_over; /* documents that were not compared with all of a crowded band */
};

struct near_work {
    const struct winnow_env *env;
    const char *folder; /* where sorting spills */
    uint64_t memory;    /* of a sort */
};

/* Joins all near-copies among the nodes. */
winnow_status near_link(struct near_nodes *nodes, const struct near_work *work, struct links *links,
                        struct near_counts *counts, struct winnow_error *err);

/* Calls call() with every band that more than one document has, one document after the other in
 * ascending order; first says that a new band begins. */
winnow_status near_each_band(struct near_nodes *nodes, const struct near_work *work,
                             winnow_status (*call)(void *ctx, uint64_t node, bool first,
                                                   struct winnow_error *err),
                             void *ctx, struct winnow_error *err);

#endif /* WINNOW_DEDUP_NEAR_GROUPS_H */
