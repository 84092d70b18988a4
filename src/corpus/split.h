/* split.h -- which side of a split a document falls on.
 *
 * Held-out text, the reference model's own part and random subsets are drawn by
 * hashing, so that a draw needs no list, is the same in every program that
 * asks, and puts all copies of a text on one side: a document's key is the hash
 * of its normalised text.  Normalised means: ASCII letters in lower case, ASCII
 * digits, and all bytes past ASCII; spacing, punctuation and control characters
 * do not count.  Documents that differ in more than that are different ones.
 */
#ifndef WINNOW_CORPUS_SPLIT_H
#define WINNOW_CORPUS_SPLIT_H

#include "base/str.h"

uint64_t split_key(struct str text);

/* A number in [0, 1) that key draws under that seed and purpose; draws of
 * different seeds or purposes ("heldout", "reference", "order") are independent. */
double split_unit(uint64_t key, uint64_t seed, const char *purpose);

/* The 64 bits behind split_unit(), for sorting. */
uint64_t split_draw(uint64_t key, uint64_t seed, const char *purpose);

/* The one held-out rule of the whole program: it depends on the text and the
 * share only, not on any seed, so the run that sets documents aside and the
 * proof that tests on them agree, and no later seed moves a document over. */
bool split_is_heldout(uint64_t key, double share);

#endif /* WINNOW_CORPUS_SPLIT_H */
