/* diversify_internal.h -- one diversify at work, for diversify*.c.
 *
 * A row is a document of the store; a place is a row that has a vector, and all columns are by
 * place. */
#ifndef WINNOW_GROUPS_DIVERSIFY_INTERNAL_H
#define WINNOW_GROUPS_DIVERSIFY_INTERNAL_H

#include "winnow/diversify.h"

#include "groups/alike.h"
#include "groups/choose_rows.h"
#include "groups/group_names.h"
#include "groups/kmeans.h"
#include "vectors/corpus_rows.h"

#define NO_PLACE UINT32_MAX

struct diversify {
    struct stage *stage;
    const struct winnow_diversify_options *opt;
    struct kmeans_home home;
    struct corpus_rows rows;
    struct store pool;
    const char *features; /* where it lies */
    struct buf own;       /* the text of that, where it is of this stage's own */
    struct arena keep;

    uint32_t *which;    /* by place: its row */
    uint32_t *place_of; /* by row */
    size_t places, k, budget;
    bool has_budget;

    uint32_t *cluster;
    float *cosine; /* to the centroid */
    struct kmeans means;
    struct alike alike;
    float *density;
    uint64_t *draws;
    unsigned char *fate; /* enum row_fate */
    double limit;        /* a near-copy is above */
    double prototype;    /* d4: what is nearer to its centroid went */
    size_t second_k;     /* d4 */

    struct file_map ids; /* of documents that near-copies name: places, then ids */
};

/* ---- diversify_find.c ---- */

/* Vectors, clusters and what the method needs to know, from where an earlier call left it. */
winnow_status diversify_find(struct diversify *d, struct winnow_error *err);
/* Fates of all places. */
winnow_status diversify_choose(struct diversify *d, struct winnow_error *err);

struct group_rows diversify_rows(const struct diversify *d);

/* Bytes that so many documents with vectors of that width take, beside the store. */
uint64_t diversify_bytes(const struct winnow_diversify_options *o, uint64_t documents, uint64_t dim,
                         uint32_t threads);

/* ---- diversify_notes.c ---- */

/* Names clusters, counts what stays of them, and writes state/diversify.json; takes down the ids
 * that the ledger will name. */
winnow_status diversify_describe(struct diversify *d, struct winnow_error *err);

/* Of a near-copy: the first of its chain that is none. */
uint32_t diversify_root(const struct diversify *d, uint32_t place);
struct str diversify_id(const struct diversify *d, uint32_t place);

#endif /* WINNOW_GROUPS_DIVERSIFY_INTERNAL_H */
