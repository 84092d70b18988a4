/* projections.h -- what the gradients of a checkpoint's matrices are projected on.
 *
 * Of every matrix of the layers: the `rank` directions, on the side of its inputs and of its
 * outputs, in which the gradients of some calibration texts are largest, each text counting
 * alike whatever its norm.  Second moments of the optimizer, where there are some, scale the
 * gradient as its step would: v is taken as row times column, so that the scaling is part of
 * the projections and costs nothing.
 *
 * The directions come by orthogonal iteration over passes of the texts: no gradient is formed,
 * only its products with some vectors (G q = Y' (X q)).
 */
#ifndef WINNOW_VECTORS_PROJECTIONS_H
#define WINNOW_VECTORS_PROJECTIONS_H

#include "engine/examples.h"

#define PROJECTION_PASSES 3U
#define PROJECTIONS_SPARE 8U /* directions beyond the rank: the rank's own settle sooner */

struct projections {
    uint32_t layers, rank;
    float *values; /* in[inputs][rank], then out[outputs][rank], matrix behind matrix */
    size_t count;
    size_t *places; /* [layers * EXAMPLE_MATRICES] where each begins */
};
void projections_release(struct projections *p);

/* moments: v of every weight, corrected for its start; NULL: not scaled.  texts: a batch of
 * any size, each sequence a text. */
winnow_status projections_fit(struct engine *e, const struct token_batch *texts, uint32_t rank,
                              const float *moments, const struct winnow_env *env,
                              struct projections *out, struct winnow_error *err);

/* Sets all of an engine's. */
void projections_use(const struct projections *p, const struct model_config *c,
                     struct engine_examples *x);

uint64_t projections_hash(const struct projections *p);

/* A file of them, for models of this config (docs/formats/vectors.md). */
winnow_status projections_save(const struct projections *p, const char *path,
                               struct winnow_error *err);
winnow_status projections_load(const char *path, const struct model_config *c, uint32_t rank,
                               struct projections *out, struct winnow_error *err);

/* out[i] = 1 / (sqrt(v[i]) + eps): the same scaling weight by weight. */
void moments_scale(const float *v, size_t count, float *out);

#endif /* WINNOW_VECTORS_PROJECTIONS_H */
