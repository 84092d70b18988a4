/* near_sets.h -- the shingles of documents as sets, for the exact Jaccard index.
 *
 * Only of documents that share a band with another: sets take more room than texts.  They
 * lie in a file that is unlinked as soon as it is open, each sorted and without doubles. */
#ifndef WINNOW_DEDUP_NEAR_SETS_H
#define WINNOW_DEDUP_NEAR_SETS_H

#include "dedup/near_words.h"

struct near_sets;

/* folder: where the file is made. */
winnow_status near_sets_new(struct near_sets **out, const char *folder, struct winnow_error *err);
void near_sets_free(struct near_sets *s);

/* A document will have a set: all of them before the first near_sets_put(), ascending. */
void near_sets_want(struct near_sets *s, uint32_t node, uint64_t ordinal);

/* On any thread: whether the document at that ordinal wants a set, and its set. */
bool near_sets_wanted(const struct near_sets *s, uint64_t ordinal);
winnow_status near_sets_put(struct near_sets *s, uint64_t ordinal, const struct near_words *words,
                            uint32_t ngram, struct buf *scratch, struct winnow_error *err);

/* Between two that have been put, on one thread. */
winnow_status near_sets_jaccard(struct near_sets *s, uint64_t a, uint64_t b, double *out,
                                struct winnow_error *err);

/* Of two sorted lists without doubles; 0 where both are empty. */
double near_jaccard(const uint64_t *a, size_t a_count, const uint64_t *b, size_t b_count);

/* The shingles of a text as such a list, in scratch; returns how many. */
size_t near_set_of(const struct near_words *words, uint32_t ngram, struct buf *scratch);

uint64_t near_sets_bytes(const struct near_sets *s);

#endif /* WINNOW_DEDUP_NEAR_SETS_H */
