/* arm_way.h -- how an arm trains on its corpus, read from its name.
 *
 *     before+lfr              learn, focus, review; so +lfr:random, +reweight:linupper:0.4
 *     before+repeat:4         a quarter of the documents, four times
 *     repeat:4                the same
 *     clean+dropout:0.1=DIR   the corpus in DIR under dropout
 *     repeat:16+dropout:0.1   both
 *     final+weights           losses times the weights that the selection gave
 *     without:wiki+lfr        the corpus without one of its sources (prove/arm_sources.h)
 *     final+copies            documents as often in an epoch as their weights say
 *
 * All arms train on the same number of tokens.  An arm of K passes has as many documents as hold
 * a K-th of them: the first ones of those that the plain arm has, so that arms of one corpus
 * differ by the way alone.
 */
#ifndef WINNOW_PROVE_ARM_WAY_H
#define WINNOW_PROVE_ARM_WAY_H

#include "base/arena.h"
#include "base/buf.h"
#include "train/sampling.h"

/* What becomes of the weights of a selection that gives any. */
enum arm_use {
    ARM_USE_SUPPORT, /* nothing: what is chosen counts alike */
    ARM_USE_WEIGHTS,
    ARM_USE_COPIES,
};
extern const char *const ARM_USE_NAMES[]; /* as in names; NULL-terminated */

struct arm_way {
    struct winnow_sampling sampling;
    enum arm_use use;
    double repeat;  /* passes that were asked for; 0: as many as the sampling makes */
    double dropout; /* NaN: that of the proof */
};

/* A name as sentences have it: its first 60 characters and "..." where there are more, "?" for
 * what is no character. */
void arm_show(struct str name, struct buf *out);
const char *arm_shown(struct arena *keep, struct str name);

/* Splits name into what is taken ("before", "clean") and how it is trained on; *base lives in
 * keep. */
winnow_status arm_way_read(const char *name, struct arena *keep, const char **base,
                           struct arm_way *out, struct winnow_error *err);

/* Passes over the documents, about. */
double arm_way_passes(const struct arm_way *w);

/* Tokens of documents that an arm needs in order to train on so many. */
uint64_t arm_way_tokens(const struct arm_way *w, uint64_t tokens);

#endif /* WINNOW_PROVE_ARM_WAY_H */
