/* kfac.h -- the curvature of a model's loss in the matrices of its layers, as the eigenvalue-
 * corrected Kronecker factors that influence is measured with (EK-FAC: George et al. 2018; for
 * language models Grosse et al. 2023).
 *
 * Of a matrix with inputs x and output gradients y, over the tokens of some documents whose
 * targets the model drew itself:
 *
 *     A = E[x x'] = Qa . Qa'      S = E[y y'] = Qs . Qs'
 *     curvature[o][i] = E[(Qs' G Qa)[o][i]^2]      G: the gradient of a document
 *
 * and the inverse applied to a matrix V is Qs ((Qs' V Qa) / (curvature + damping)) Qa'.  A side of
 * more than KFAC_BLOCK rows is cut into equal blocks, between which nothing is counted:
 * eigenvectors cost the cube.  Embedding, head, norms and biases have no factors. */
#ifndef WINNOW_CORRECT_KFAC_H
#define WINNOW_CORRECT_KFAC_H

#include "engine/examples.h"
#include "math/kernels.h"

#define KFAC_BLOCK 640U

/* One side of a matrix: n numbers in equal blocks, but for the last; of each its eigenvectors as
 * rows, block behind block. */
struct kfac_side {
    size_t n, block, blocks;
    float *vectors;
};
struct kfac_matrix {
    struct kfac_side in, out;
    float *curvature; /* [outputs][inputs], in the blocks' coordinates */
};

struct kfac {
    uint32_t layers;
    struct kfac_matrix *matrices; /* [layers * EXAMPLE_MATRICES] */
    float *values;                /* all numbers of all of them */
    size_t count;
    double targets; /* that curvature is the mean over */
};
void kfac_release(struct kfac *k);

/* Bytes that fitting takes beside the engine. */
uint64_t kfac_memory(const struct model_config *c, uint32_t context, uint32_t threads);

/* Documents for a fit, one by one: false behind the last one.  The batch holds one sequence
 * with targets, which are read only for where they are. */
struct kfac_documents {
    void *ctx;
    bool (*next)(void *ctx, size_t i, struct token_batch *out);
    size_t count;
};

/* Two passes over the documents; of seed comes what the model says on them.  Results do not
 * depend on threads. */
winnow_status kfac_fit(struct engine *e, struct pool *pool, const struct kfac_documents *documents,
                       uint64_t seed, const struct winnow_env *env, struct kfac *out,
                       struct winnow_error *err);

/* v, laid out as the weights, becomes the inverse curvature times it; what has no factors
 * becomes 0.  damping: share of a matrix's mean curvature. */
void kfac_precondition(const struct kfac *k, const struct model *m, double damping,
                       struct pool *pool, const struct kernels *kernels, float *v);

/* A file of them, for models of this config. */
winnow_status kfac_save(const struct kfac *k, const char *path, struct winnow_error *err);
winnow_status kfac_load(const char *path, const struct model_config *c, struct kfac *out,
                        struct winnow_error *err);

#endif /* WINNOW_CORRECT_KFAC_H */
