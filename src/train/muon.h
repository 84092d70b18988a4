/* muon.h -- Muon: momentum, made orthogonal, as the update of hidden matrices.
 *
 * Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"
 * (kellerjordan.github.io/posts/muon), with decoupled decay and the rate of Liu
 * et al. 2025, "Muon is Scalable for LLM Training" (2502.16982, section 2.2):
 *
 *     M = mu M + G                       momentum
 *     X = G + mu M                       Nesterov's
 *     O = U V' where X = U S V'          about: five steps of a quintic Newton-Schulz
 *     W = W - rate (0.2 sqrt(max(rows, cols)) O + decay W)
 *
 * The factor gives an update the size that one of AdamW usually has, so that
 * rate and decay of AdamW can be kept.  Muon takes q, k, v, o, gate, up and down,
 * each its own matrix; embeddings, head, norms and biases are left to AdamW.
 *
 * A matrix is one piece of work: up to 7 x layers threads find something to do,
 * and results do not depend on how many there are.
 */
#ifndef WINNOW_TRAIN_MUON_H
#define WINNOW_TRAIN_MUON_H

#include "base/pool.h"
#include "math/gemm.h"
#include "model/model.h"

struct muon_step {
    float rate;     /* learning rate */
    float decay;    /* learning rate * weight decay */
    float momentum; /* mu */
    float gradient; /* factor on the gradient (clipping) */
};

/* ---- one matrix ---- */

/* Numbers of scratch, 64-byte aligned, that a matrix needs: a multiple of 16. */
size_t muon_matrix_scratch(const struct gemm *g, size_t rows, size_t cols);

/* x (row by row) becomes about U V'; its singular values then lie near 1 (about
 * 0.7 to 1.2) but for those that were below a few thousandths of its norm, which
 * five steps do not lift so far.  A matrix of zeros stays one.  Products are of g's type. */
void muon_orthogonalize(const struct gemm *g, float *x, size_t rows, size_t cols, float *scratch);

/* Floating-point operations of it, 2 a multiply-add, a symmetric product
 * counted as the half it is. */
double muon_matrix_flops(size_t rows, size_t cols);

/* ---- a model's matrices ---- */

struct muon;

/* Numbers of scratch a thread for models of that shape. */
size_t muon_scratch(const struct model_config *c, const struct gemm *g);

/* scratch: muon_scratch() numbers for each thread of the pools it will be given,
 * 64-byte aligned; it must outlive the object, as must g->k. */
struct muon *muon_new(const struct model *m, const struct gemm *g, float *scratch);
void muon_free(struct muon *u); /* NULL is fine */

/* One update.  All arrays are laid out as model_values(); the gradient of what
 * Muon takes is zeroed behind, other tensors are not touched. */
struct muon_arrays {
    float *weights, *momentum, *gradient;
};
void muon_update(struct muon *u, struct pool *pool, const struct muon_arrays *a,
                 const struct muon_step *s);

double muon_flops(const struct muon *u); /* of one update */

#endif /* WINNOW_TRAIN_MUON_H */
