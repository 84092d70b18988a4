/* band.h -- which documents lie in a band of a score's distribution.
 *
 * "Perplexed by Perplexity" (Ankner et al. 2024) ranks a pool by the perplexity
 * that a reference model trained on the same distribution gives, and keeps a
 * share r of it: the lowest, the middle or the highest.
 *
 *     low     ranks [0, rn)       medium  the rn ranks around the median       high  the last rn
 *
 * Ranks are exact: scores are sorted.  Documents of the same score are ranked by
 * their key (split.h), then by their place in the input, so that the same
 * documents are kept in whatever order shards are given.  Memory: 24 bytes a
 * document beside the scores.
 */
#ifndef WINNOW_PRUNE_BAND_H
#define WINNOW_PRUNE_BAND_H

#include "winnow/prune.h"

#include "prune/selector.h"

#include <stddef.h>

struct band_edges {
    double low, high; /* least and greatest score kept; NaN where nothing is */
    size_t pool, kept;
};

/* Ranks kept of n at rate: from first to end (exclusive).  Their number is
 * rate * n to the nearest whole, at least 1 where n and rate are not 0. */
void band_ranks(enum winnow_criterion c, double rate, size_t n, size_t *first, size_t *end);

/* Sets kept of each item; edges has an entry a group.  WINNOW_E_NOMEM where the
 * ranking does not fit. */
winnow_status band_cut(struct selector_item *items, size_t count, enum winnow_criterion c,
                       double rate, struct band_edges *edges, size_t groups,
                       struct winnow_error *err);

/* The scores that are numbers, in ascending order, into out (room for count);
 * returns how many. */
size_t band_sorted_scores(const struct selector_item *items, size_t count, double *out);

#endif /* WINNOW_PRUNE_BAND_H */
