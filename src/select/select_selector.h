/* select_selector.h -- the choice by vectors as a selector (prune/selector.h): what the stage
 * `select` drives over a corpus and a proof over the pool that a seed draws.  Options: struct
 * winnow_select_options.
 *
 * It takes no text and no scores: vectors lie beside the corpus, and those of a target are made in
 * the selector's folder.  A budget that is a number of documents is, of a part of the corpus, the
 * same share of that part. */
#ifndef WINNOW_SELECT_SELECT_SELECTOR_H
#define WINNOW_SELECT_SELECT_SELECTOR_H

#include "prune/selector.h"
#include "select/choice.h"

extern const struct selector_kind SELECT_SELECTOR;

/* ---- what the stage tells of it beside what every selector has ---- */

const char *select_method_name(const struct winnow_select_options *o);

/* Whether it ranks by the scores of its items, which whoever drives it then gives. */
bool select_by_scores(const struct winnow_select_options *o);

/* While it is chosen: factors, orders and scores of the rows; the vectors that are held. */
uint64_t select_choice_bytes(const struct winnow_select_options *o, const struct store_head *h,
                             uint64_t budget);

/* Once prepared: the vectors of the corpus (NULL where the method needs none), those of target i
 * (NULL behind the last), and how many of the corpus's documents stand among the targets'
 * examples, too. */
const struct store *select_selector_pool(const struct selector *s);
const struct choice_target *select_selector_target(const struct selector *s, size_t i);
uint64_t select_selector_leaks(const struct selector *s, uint64_t *examples);

/* What the last choose() did, and under what budget. */
const struct choice *select_selector_choice(const struct selector *s);
size_t select_selector_budget(const struct selector *s);

/* The problem that it solved, with other options; valid until the next choose(). */
struct choice_problem select_selector_problem(const struct selector *s,
                                              const struct winnow_select_options *o);

#endif /* WINNOW_SELECT_SELECT_SELECTOR_H */
