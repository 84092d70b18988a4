/* ranks.h -- several processes that do one run together, started by mpirun or srun.
 *
 *     for each shard that is mine ...          each rank for itself, into the shared folder
 *     st = ranks_agree(ranks, st, err);        all meet: one failure is everybody's
 *     if (ranks_lead(ranks)) join what all wrote
 *
 * A struct winnow_ranks * of NULL is one process alone: every function works with it and does
 * nothing that takes time.  All others meet: they return when every rank has called them, in the
 * same order everywhere, and they all return the same status.  A rank that fails goes to its next
 * ranks_agree() with what went wrong, wherever it is; the others learn of it there, or
 * from ranks_check() between two pieces of work, and from then on each meeting returns that
 * failure at once.  So one error ends all of them with one sentence, and nobody waits for ever.
 *
 * One thread of each process.
 */
#ifndef WINNOW_RANKS_RANKS_H
#define WINNOW_RANKS_RANKS_H

#include "base/buf.h"
#include "base/error.h"
#include "ranks/transport.h"

struct winnow_ranks;

/* Of a transport, which it takes over. */
struct winnow_ranks *ranks_new(const struct ranks_transport *transport);
void ranks_free(struct winnow_ranks *r); /* all of them: they leave together */

uint32_t ranks_rank(const struct winnow_ranks *r);
uint32_t ranks_count(const struct winnow_ranks *r);  /* 1 alone */
uint32_t ranks_beside(const struct winnow_ranks *r); /* on this machine */
bool ranks_lead(const struct winnow_ranks *r);       /* rank 0, which does what one has to do */

/* Bytes that this rank has sent to others. */
uint64_t ranks_sent(const struct winnow_ranks *r);

/* A failure of another rank that is known by now: WINNOW_E_CANCELLED, and to be taken to the next
 * meeting.  Costs next to nothing. */
winnow_status ranks_check(struct winnow_ranks *r, struct winnow_error *err);

/* The meeting: mine where all is well everywhere, else the failure of the first rank that has
 * one, "rank 2: ..." where it is not rank 0. */
winnow_status ranks_agree(struct winnow_ranks *r, winnow_status mine, struct winnow_error *err);

/* What rank 0 has in bytes, to all. */
winnow_status ranks_cast(struct winnow_ranks *r, struct buf *bytes, struct winnow_error *err);

/* What each has, to all, in the order of ranks; lens (NULL: not wanted) has ranks_count()
 * elements. */
winnow_status ranks_gather(struct winnow_ranks *r, struct str mine, struct buf *all, size_t *lens,
                           struct winnow_error *err);

/* Sums over all ranks, in their place.  Of doubles in the order of ranks, so that all have the
 * same bits each time; over another number of ranks they are others. */
winnow_status ranks_sum(struct winnow_ranks *r, uint64_t *values, size_t count,
                        struct winnow_error *err);
winnow_status ranks_sum_doubles(struct winnow_ranks *r, double *values, size_t count,
                                struct winnow_error *err);

/* ---- exchange by key ---- */

struct ranks_exchange {
    void *ctx;
    size_t round_bytes; /* of messages that one rank holds back before all meet; 0: 16 MB */
    /* The next message, which holds until the next call, and who is to have it; *more false at
     * the end. */
    winnow_status (*next)(void *ctx, uint32_t *to, struct str *message, bool *more,
                          struct winnow_error *err);
    /* Those for this rank: of one sender in the order in which it gave them. */
    winnow_status (*take)(void *ctx, uint32_t from, struct str message, struct winnow_error *err);
};

/* Whose a key is; keys are hashes. */
uint32_t ranks_owner(const struct winnow_ranks *r, uint64_t key);

winnow_status ranks_exchange(struct winnow_ranks *r, const struct ranks_exchange *how,
                             struct winnow_error *err);

#endif /* WINNOW_RANKS_RANKS_H */
