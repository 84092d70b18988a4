/* examples.h -- the gradient of each sequence of a batch, or what is wanted of it,
 * from one backward pass.
 *
 * The gradient G_i of sequence i is never kept.  While the pass sums the gradients of the
 * matrices, each one's input x and the gradient of its output y lie in memory, and
 * G_i = sum over its tokens of y x'.  From that come, as asked for:
 *
 *     products   <G_i, V> with a direction V over all weights, the embedding (tied or
 *                not), the head, norms and biases with it; and |G_i|^2 over the layers'
 *                matrices alone
 *     factored   P_o' G_i P_i of every matrix of the layers: rank x rank numbers, from
 *                tokens projected on the way, at a few hundredths of a pass
 *     hashed     a CountSketch of the layers' matrices, scaled where asked
 *     a look     at x and y themselves, for who fits projections
 *
 * and, in the same sweep or without it, the summed gradient.  Embedding and head are left
 * out of sketches: they hold most of the norm and say least of which example helps.
 */
#ifndef WINNOW_ENGINE_EXAMPLES_H
#define WINNOW_ENGINE_EXAMPLES_H

#include "engine/engine.h"

/* The matrices of a layer; q, k and v are one, and so are gate and up. */
enum example_matrix { EXAMPLE_QKV, EXAMPLE_O, EXAMPLE_GATE_UP, EXAMPLE_DOWN, EXAMPLE_MATRICES };

struct example_shape {
    size_t inputs, outputs;
};
struct example_shape example_shape(const struct model_config *c, enum example_matrix matrix);

/* Where its gradient, outputs rows of inputs, begins among the weights. */
size_t example_offset(const struct model *m, uint32_t layer, enum example_matrix matrix);

/* One matrix of the micro-batch in work: row t of x and y belongs to the sequence that
 * starts[s] <= t < starts[s + 1] says; its number in the batch is which[s]. */
struct example_view {
    uint32_t layer;
    enum example_matrix matrix;
    const float *x, *y;
    size_t inputs, outputs;
    const uint32_t *starts, *which;
    size_t sequences;
};

#define EXAMPLE_RANK_MAX 64U

struct example_options {
    const float *direction; /* V, laid out as the weights; NULL: no products; borrowed */
    uint32_t rank;          /* of factored sketches, a multiple of 8; 0: none */
    uint32_t hashed;        /* numbers of a CountSketch; 0: none, and never with a gradient */
    uint64_t seed;          /* of the latter */
    const float *scale;     /* of each weight before it is hashed; NULL: 1; borrowed */
    void (*look)(void *ctx, const struct example_view *view);
    void *ctx;
};

struct engine_examples;

/* For this engine, made with gradients, which must outlive it. */
winnow_status engine_examples_new(struct engine *e, const struct example_options *opt,
                                  struct engine_examples **out, struct winnow_error *err);
void engine_examples_free(struct engine_examples *x);

/* Sets a matrix's projections, in[inputs][rank] and out[outputs][rank].  Those of all matrices
 * are to be set before sketches are asked for. */
void engine_examples_project(struct engine_examples *x, uint32_t layer, enum example_matrix matrix,
                             const float *in, const float *out);

/* Numbers of a sequence's sketch: factored layers * EXAMPLE_MATRICES * rank^2 (of each matrix
 * [output][input]), or hashed. */
size_t engine_examples_width(const struct engine_examples *x);

/* By sequence of the batch; of empty ones all is 0.  Those not asked for may be NULL. */
struct example_results {
    double *dots, *squares;
    float *sketches; /* [sequences][width] */
    double *nll;     /* sums */
};

/* As engine_gradient(), and what x asks for; gradient NULL: no sums of weights.  Every number
 * is that of scale * the sum of a sequence's nll.  The same bits for any number of threads, and
 * for a sequence's sketches whatever else the batch holds. */
winnow_status engine_gradient_examples(struct engine *e, const struct token_batch *b, float scale,
                                       float *gradient, struct engine_examples *x,
                                       const struct example_results *out, struct winnow_error *err);

#endif /* WINNOW_ENGINE_EXAMPLES_H */
