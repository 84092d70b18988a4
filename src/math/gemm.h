/* gemm.h -- matrix products on one thread.
 *
 * A caller cuts its work into tiles that do not depend on the number of
 * threads and calls gemm_run() for each on whatever thread is free, so results
 * do not depend on it either.  Both factors are packed first: weights once
 * while they stand, activations tile by tile into the worker's scratch.
 *
 *     C[m][n] (+)= sum over k of A[m][k] * B[n][k]
 *
 * Packing knows where the numbers lie: "rows" when k runs along the rows of the
 * source, "cols" when it runs down its columns.  So
 *     forward     Y = X W'     A = rows of X,  B = rows of W
 *     backward    dX = dY W    A = rows of dY, B = columns of W
 *     gradient    dW = dY' X   A = columns of dY, B = columns of X
 */
#ifndef WINNOW_MATH_GEMM_H
#define WINNOW_MATH_GEMM_H

#include "math/kernels.h"

enum gemm_type {
    GEMM_F32,
    GEMM_BF16, /* factors rounded to bf16, sums in f32 */
    /* Factors rounded to bytes with a scale for each KERNELS_BLOCK of k, sums of
     * a block exact; packed from rows only, and no views. */
    GEMM_INT8,
};

struct gemm {
    const struct kernels *k;
    enum gemm_type type;
};

/* Bytes of a packed factor: multiples of 64. */
size_t gemm_size_a(const struct gemm *g, size_t m, size_t k);
size_t gemm_size_b(const struct gemm *g, size_t n, size_t k);

/* s: m x k (rows) or k x m (cols). */
void gemm_pack_a_rows(const struct gemm *g, void *dst, const struct pack_source *s);
void gemm_pack_a_cols(const struct gemm *g, void *dst, const struct pack_source *s);
/* s: n x k (rows) or k x n (cols). */
void gemm_pack_b_rows(const struct gemm *g, void *dst, const struct pack_source *s);
void gemm_pack_b_cols(const struct gemm *g, void *dst, const struct pack_source *s);

/* The same a part at a time: rows m0.. (a multiple of gemm_panel_rows(g, m)) and
 * columns k0.. (a multiple of GEMM_PART) of an A of m x k, in any order.  Only the
 * last parts of all may be other than whole multiples of these. */
#define GEMM_PART KERNELS_BLOCK
struct gemm_part {
    size_t m, k, m0, k0;
};
void gemm_pack_a_part(const struct gemm *g, void *dst, const struct gemm_part *part,
                      const struct pack_source *s);
/* Rows that lie side by side in an A of m rows, at most gemm_rows. */
uint32_t gemm_panel_rows(const struct gemm *g, size_t m);

/* Where column n0 (a multiple of gemm_cols) of a packed B begins. */
const void *gemm_at_b(const struct gemm *g, const void *b, size_t n0, size_t k);

struct gemm_out {
    float *c;
    size_t stride;
    bool add;          /* to what c holds, or to base */
    const float *base; /* NULL: c; of the same stride */
};

struct gemm_shape {
    size_t m, n, k;
};

void gemm_run(const struct gemm *g, struct gemm_shape s, const void *a, const void *b,
              const struct gemm_out *out);
/* Only the first rows of such a product: m remains what A was packed with. */
void gemm_run_top(const struct gemm *g, struct gemm_shape s, size_t rows, const void *a,
                  const void *b, const struct gemm_out *out);

/* ---- for callers that lay out factors themselves (attention) ---- */

/* Steps of k: k itself, or pairs of it in bf16.  A step is 4 bytes. */
size_t gemm_steps(const struct gemm *g, size_t k);

/* Panels of any width, as kernels.h has them. */
void gemm_pack_rows(const struct gemm *g, void *dst, uint32_t width, const struct pack_source *s);
void gemm_pack_cols(const struct gemm *g, void *dst, uint32_t width, const struct pack_source *s);

/* A factor of 4-byte steps: step k of row i lies at
 * ptr[(i / width) * panel + k * step + i % width], width being gemm_rows for
 * the left and gemm_cols for the right one. */
struct gemm_view {
    const void *ptr;
    size_t step, panel;
};
void gemm_run_views(const struct gemm *g, struct gemm_shape s, struct gemm_view a,
                    struct gemm_view b, const struct gemm_out *out);

#endif /* WINNOW_MATH_GEMM_H */
