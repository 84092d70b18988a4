/* arm_sources.h -- arms that are the corpus without one of its sources.
 *
 *     without:wiki        what `before` is, without the documents whose source is wiki
 *     without:wiki+lfr    the same, trained on in another way
 *     without:*           an arm of this kind for each source of the corpus
 *
 * They take documents along the same draws as `before`, in the same order, and train on as many
 * tokens: more of the other sources comes for what is left out.  So what is asked is whether the
 * source is worth its place, not whether more text is better than less.
 */
#ifndef WINNOW_PROVE_ARM_SOURCES_H
#define WINNOW_PROVE_ARM_SOURCES_H

#include "prove/experiment.h"

/* What stands behind "without:", or NULL where base is of another kind. */
const char *arm_source_of(const char *base);

/* An arm's name with letters, digits and - _ . + : alone, as names of files are; what is long or
 * no ASCII has a hash behind. */
const char *arm_source_name(struct experiment *x, const char *text);

/* Finds the sources that arms leave out, once the corpus is there, and makes the arms of
 * "without:*".  Fails where the corpus has no such source, or nothing else. */
winnow_status arm_sources_find(struct experiment *x, struct winnow_error *err);

#endif /* WINNOW_PROVE_ARM_SOURCES_H */
