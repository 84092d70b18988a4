/* recall.h -- which documents taught a model what examples of unwanted output show.
 *
 *     gradient   <g, g_z>: by how much a step of plain descent on document z would have made the
 *                examples likelier (g: gradient of their mean loss)
 *     ekfac      <H^-1 g, g_z> with the curvature H of kfac.h: the influence that z had on a
 *                training that came to rest
 *     tfidf      the cosine of rare tokens and pairs of tokens of the nearest passage, with no
 * model
 *
 * A positive number: the document made the examples likelier.  Documents are met passage by passage
 * (passages.h); gradients add up over them. */
#ifndef WINNOW_CORRECT_RECALL_H
#define WINNOW_CORRECT_RECALL_H

#include "correct/passages.h"
#include "engine/engine.h"

enum recall_kind { RECALL_EKFAC, RECALL_GRADIENT, RECALL_TFIDF };

struct recall_options {
    enum recall_kind kind;
    uint32_t calibration; /* documents that curvature is fitted on, those of least hash */
    double damping;       /* share of a matrix's mean curvature */
    uint64_t seed;
    uint32_t context;
    const char *folder; /* what is half done lies there; exists */
};

struct recall_texts {
    const struct feature_texts *documents, *examples;
};

/* By row of documents. */
struct influence {
    double all;       /* NaN: nothing to predict */
    double best;      /* of the passage that has the most */
    uint64_t passage; /* which that is */
};

struct recall_result {
    struct influence *influence; /* by row, the caller's */
    double flops;                /* what it cost */
};

/* Goes on where an earlier call with the same folder stopped, to the same numbers.  engine: with
 * gradients; NULL for RECALL_TFIDF. */
winnow_status recall(const struct recall_options *opt, const struct recall_texts *texts,
                     struct engine *engine, struct pool *pool, const struct winnow_env *env,
                     struct recall_result *out, struct winnow_error *err);

/* Bytes beside the engine and the rows. */
uint64_t recall_memory(const struct recall_options *opt, const struct model_config *c,
                       uint32_t threads);

/* The third kind. */
winnow_status recall_by_words(const struct recall_texts *texts, uint32_t context,
                              const struct winnow_env *env, struct influence *influence,
                              struct winnow_error *err);

#endif /* WINNOW_CORRECT_RECALL_H */
