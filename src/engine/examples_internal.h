/* examples_internal.h -- what the passes call for examples.h; each call does nothing where
 * nothing is asked for. */
#ifndef WINNOW_ENGINE_EXAMPLES_INTERNAL_H
#define WINNOW_ENGINE_EXAMPLES_INTERNAL_H

#include "engine/engine_internal.h"
#include "engine/examples.h"

/* Tokens of one sequence among those that a weight gradient sums over. */
struct weight_segment {
    uint32_t from, to, sequence;
};

struct example_site {
    void *in, *out; /* packed B: rank rows of inputs, of outputs */
    float *x, *y;   /* [T][rank] projected tokens; y is the same for all layers */
};

struct engine_examples {
    struct engine *e;
    struct example_options opt;
    size_t width;
    struct example_site *sites; /* [layers][EXAMPLE_MATRICES] */
    float *token_dots;          /* [T] of norms */
    float *tiles;               /* [threads][tile_floats] */
    size_t tile_floats;
    double *partial; /* [pieces][T][2] */
    struct weight_segment *segments;
    size_t segment_count;
    struct example_results out; /* of the call in work */
    void *memory;
    size_t memory_bytes;
};

/* The rows packed in a, projected on the side of inputs or outputs. */
void examples_project_rows(const struct engine *e, const void *a, struct tile_span span,
                           const struct engine_layer *l, enum example_matrix matrix, bool output);

/* A token's gradient of a norm: dy is that of its output, r its inverse root mean square. */
void examples_norm(const struct engine *e, size_t token, const float *dy, const float *x,
                   const float *w, float r);

/* All four matrices of a layer, once the inputs and the gradients of the outputs are there;
 * weights are those of plan_weights(), in the order of enum example_matrix. */
struct layer_weights {
    uint32_t layer;
    const struct weight_gradient *matrices[EXAMPLE_MATRICES];
};
void examples_layer(struct engine *e, const struct layer_weights *w);

/* Which scored tokens from..to belong to which sequence. */
void examples_cut_scored(struct engine *e, size_t from, size_t to);
/* The same of all tokens. */
void examples_cut_tokens(struct engine *e);

/* Whether pieces of weight gradients are cut by sequence, for products. */
static inline bool examples_want_products(const struct engine *e)
{
    return e->examples && e->examples->opt.direction;
}

/* Whether the pass sums or multiplies weight gradients at all. */
static inline bool examples_want_weights(const struct engine *e)
{
    return e->gradient || examples_want_products(e);
}

/* A piece of a weight gradient cut by sequence; piece counts over all that run together. */
void examples_piece(const struct engine *e, struct engine_scratch *s,
                    const struct weight_gradient *w, struct weight_tile at, size_t piece);
/* Before and after a round of that many pieces. */
void examples_clear(struct engine *e, size_t pieces);
void examples_join(struct engine *e, size_t pieces);

/* When all layers are done: embedding and norms. */
void examples_embedding(struct engine *e);

#endif /* WINNOW_ENGINE_EXAMPLES_INTERNAL_H */
