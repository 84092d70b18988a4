/* near_nodes.h -- the documents among which near-copies are looked for, as numbers.
 *
 * Those of the corpus come first, in its order; behind them those of the old corpora that
 * it is compared with, one corpus after the other. */
#ifndef WINNOW_DEDUP_NEAR_NODES_H
#define WINNOW_DEDUP_NEAR_NODES_H

#include "dedup/near_sets.h"
#include "dedup/signatures.h"

#define NEAR_OLD_MAX 64U

struct near_nodes {
    struct signatures corpora[NEAR_OLD_MAX + 1]; /* [0]: the new one */
    uint64_t starts[NEAR_OLD_MAX + 2];           /* first node of each, and the end */
    size_t corpus_count;
    uint32_t numbers; /* of a signature */
    uint32_t agree;   /* numbers that two near-copies have in common at least */
    double threshold;
    struct near_sets *sets; /* compare these, not signatures; NULL: signatures */
    uint64_t memory;        /* of mapped files that may stay in memory; 0: all */
    uint64_t touched, last; /* bytes since they were given back; the node asked for last */
};

/* Once all corpora are open. */
winnow_status near_nodes_count(struct near_nodes *n, struct winnow_error *err);
void near_nodes_release(struct near_nodes *n);

static inline bool near_is_old(const struct near_nodes *n, uint64_t node)
{
    return node >= n->starts[1];
}

/* Which corpus a node is of. */
size_t near_corpus_of(const struct near_nodes *n, uint64_t node);
const struct signature *near_signature(struct near_nodes *n, uint64_t node);

/* How much of their shingles two documents share: estimated, or exactly where there are sets. */
winnow_status near_similarity(struct near_nodes *n, uint64_t a, uint64_t b, double *out,
                              struct winnow_error *err);
winnow_status near_similar(struct near_nodes *n, uint64_t a, uint64_t b, bool *out,
                           struct winnow_error *err);

#endif /* WINNOW_DEDUP_NEAR_NODES_H */
