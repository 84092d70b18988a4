/* kfac_internal.h -- products of blocks, for fitting factors and for using them. */
#ifndef WINNOW_CORRECT_KFAC_INTERNAL_H
#define WINNOW_CORRECT_KFAC_INTERNAL_H

#include "correct/kfac.h"
#include "math/gemm.h"

/* A worker's memory. */
struct kfac_scratch {
    void *a, *b;      /* packed factors */
    float *one, *two; /* [KFAC_BLOCK][KFAC_BLOCK] */
};
/* For products of up to `rows` rows or terms with blocks. */
struct kfac_scratch *kfac_scratch_new(const struct gemm *g, size_t rows, uint32_t threads);
void kfac_scratch_free(struct kfac_scratch *s, uint32_t threads);

struct kfac_factor {
    const float *from;
    size_t stride;
    bool columns; /* the sum runs down its columns instead of along its rows */
};
/* out[m][n] (stride) = the sum over k of a and b. */
void kfac_product(const struct gemm *g, const struct kfac_scratch *s, struct kfac_factor a,
                  struct kfac_factor b, struct gemm_shape shape, const struct gemm_out *out);

/* Block i of a side: where it begins, and its rows. */
struct kfac_span {
    size_t from, n;
    float *vectors; /* [n][n] */
};
struct kfac_span kfac_span(const struct kfac_side *s, size_t i);

/* All factors of a model's matrices, as 0. */
winnow_status kfac_make(const struct model_config *c, struct kfac *out, struct winnow_error *err);

#endif /* WINNOW_CORRECT_KFAC_INTERNAL_H */
