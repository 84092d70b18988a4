/* band_selector.h -- the method of "Perplexed by Perplexity" (Ankner et al. 2024) as a
 * selector: a reference trained on the documents of least draw scores the others, and a
 * band of the scores is kept.  Options: struct winnow_prune_options.
 *
 * With a --reference-model nothing is trained or set aside; with --cross-fit there are two
 * references, each trained on documents of one half and scoring the other; scores that lie
 * in files (--score-attribute) are given to choose() by the driver. */
#ifndef WINNOW_PRUNE_BAND_SELECTOR_H
#define WINNOW_PRUNE_BAND_SELECTOR_H

#include "prune/band.h"
#include "prune/prune_reference.h"
#include "prune/selector.h"

extern const struct selector_kind BAND_SELECTOR;

/* ---- what `prune` tells of it beside what every selector has ---- */

/* The references that were trained: 0, 1 or 2 of them. */
size_t band_selector_references(const struct selector *s, const struct reference **out);

/* What the last choose() cut, an entry a group. */
const struct band_edges *band_selector_edges(const struct selector *s);

/* The model that scores, NULL where none does, and how it reads documents. */
const struct model *band_selector_model(const struct selector *s, uint32_t *window,
                                        uint32_t *stride);

/* Bytes that a worker takes with its first score. */
uint64_t band_selector_worker_bytes(const struct selector *s);

#endif /* WINNOW_PRUNE_BAND_SELECTOR_H */
