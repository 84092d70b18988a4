/* dedup_ranks.h -- which of a rank's documents another rank has before it.
 *
 *     dedup_ranks_new(&d, ranks, folder, memory, err)
 *     dedup_ranks_add(d, hash, ordinal, id, err)      each document of this rank, in order
 *     dedup_ranks_settle(d, err)                      all ranks together
 *     dedup_ranks_each(d, take, ctx, err)             hashes whose first document is elsewhere
 *
 * Each hash belongs to one rank.  It is told of the first document that every rank has of it, and
 * tells those that come later whose is the first in the corpus.  So a rank that has put these
 * into its table (dedup_exact.h) says of each of its own documents what one process would say.
 * Sorted records and ids lie in files once they are more than memory. */
#ifndef WINNOW_DEDUP_DEDUP_RANKS_H
#define WINNOW_DEDUP_DEDUP_RANKS_H

#include "base/hash.h"
#include "ranks/ranks.h"

struct dedup_ranks;

winnow_status dedup_ranks_new(struct dedup_ranks **out, struct winnow_ranks *ranks,
                              const char *folder, uint64_t memory, struct winnow_error *err);
void dedup_ranks_free(struct dedup_ranks *d);

winnow_status dedup_ranks_add(struct dedup_ranks *d, struct hash128 h, uint64_t ordinal,
                              struct str id, struct winnow_error *err);
winnow_status dedup_ranks_settle(struct dedup_ranks *d, struct winnow_error *err);

winnow_status dedup_ranks_each(struct dedup_ranks *d,
                               winnow_status (*take)(void *ctx, struct hash128 h, struct str first,
                                                     struct winnow_error *err),
                               void *ctx, struct winnow_error *err);

/* Documents of the text that came most often in the whole corpus, and the id of its first; ptr
 * NULL where none came twice. */
uint64_t dedup_ranks_largest(const struct dedup_ranks *d, struct str *first);

#endif /* WINNOW_DEDUP_DEDUP_RANKS_H */
