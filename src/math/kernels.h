/* kernels.h -- the loops that a step spends its time in, one table for each
 * instruction set.
 *
 * kernels_generic.c is the meaning: plain C, read that to know what a kernel
 * does.  The others give the same up to rounding, for every length, and are
 * chosen at run time.  Results depend on the table, so runs record its name.
 */
#ifndef WINNOW_MATH_KERNELS_H
#define WINNOW_MATH_KERNELS_H

#include "base/error.h"

/* The widest tile any table has. */
#define KERNELS_ROWS_MAX 16U
#define KERNELS_COLS_MAX 64U

/* int8: k is cut into blocks of this many numbers, the last one shorter and filled
 * up with zeros to a multiple of KERNELS_BLOCK_PART, each row's part of a block
 * having a scale of its own (the largest magnitude is 127).  A step is a quad of k,
 * the lowest in the lowest byte. */
#define KERNELS_BLOCK       64U
#define KERNELS_BLOCK_PART  64U
#define KERNELS_BLOCK_STEPS (KERNELS_BLOCK / 4)

/* Steps of a block of n numbers, or of many blocks. */
static inline size_t kernels_block_steps(size_t n)
{
    return (n + KERNELS_BLOCK_PART - 1) / KERNELS_BLOCK_PART * (KERNELS_BLOCK_PART / 4);
}

/* One tile of a matrix product, C[m][n] = base[m][n] + sum over k of A[k][m] * B[k][n].
 * A has gemm_rows numbers for each k (m <= gemm_rows of them used), B has
 * gemm_cols (n <= gemm_cols; all up to the next multiple of `lanes` must be
 * readable), next ones a_step and b_step further on.
 * In bf16 a step is a pair of k: a uint32_t with the even one in its low half;
 * steps count such pairs.
 * In int8 steps count quads.  A block of A is [steps][a_step] quads, [a_step]
 * scales (float) and [a_step] sums of the block's numbers times -128 (int32); one
 * of B is [steps][gemm_cols] quads of numbers + 128 and [gemm_cols] scales.  Sums
 * within a block are exact; blocks are added in f32, in order. */
struct gemm_tile {
    size_t k;
    const void *a, *b;
    size_t a_step, b_step;
    float *c;
    size_t c_step;
    uint32_t m, n;
    const float *base; /* added to the product, as far apart as C; NULL: nothing */
    /* Memory that the next tiles will read: fetched meanwhile, a line of 64 bytes a
     * step.  NULL: none. */
    const void *ahead;
    const float *from; /* where the sums start, as far apart as C; NULL: from 0 */
};

/* A source of a packing: numbers at src[r * stride + c]. */
struct pack_source {
    const float *src;
    size_t stride;
    size_t rows, cols;
};

/* Rows of attention scores, stride numbers apart: row i sees first + i * more
 * keys; what lies behind them up to cols becomes 0. */
struct softmax_rows {
    size_t stride, rows, cols;
    size_t first, more;
    float scale;
};

/* Arguments of rmsnorm_back. */
struct norm_back {
    float *dx, *dw;
    const float *base; /* NULL: nothing */
    const float *dy, *x, *w;
    float r;
};

struct adamw_step {
    float rate; /* learning rate / (1 - beta1^t) */
    float beta1, beta2;
    float root; /* 1 / sqrt(1 - beta2^t) */
    float eps;
    float decay;    /* learning rate * weight decay */
    float gradient; /* factor on the gradient (clipping) */
};

struct kernels {
    const char *name;
    uint32_t lanes;                /* floats in a register */
    uint32_t gemm_rows, gemm_cols; /* of a tile; cols is a multiple of lanes */

    void (*tile_f32)(const struct gemm_tile *t);
    void (*tile_bf16)(const struct gemm_tile *t);
    void (*tile_int8)(const struct gemm_tile *t);

    /* Panels of `width` rows of a matrix, each panel holding, for each column
     * k, those rows' numbers: dst[panel][k][width].  Short panels are filled
     * with 0.  bf16: dst[panel][k / 2][width] pairs. */
    void (*pack_rows_f32)(float *dst, uint32_t width, const struct pack_source *s);
    void (*pack_rows_bf16)(uint32_t *dst, uint32_t width, const struct pack_source *s);
    /* Panels of `width` columns, k being the rows: dst[panel][k][width]. */
    void (*pack_cols_f32)(float *dst, uint32_t width, const struct pack_source *s);
    void (*pack_cols_bf16)(uint32_t *dst, uint32_t width, const struct pack_source *s);
    /* Panels of `width` or gemm_cols rows as tile_int8 reads them in A and B. */
    void (*pack_a_int8)(uint32_t *dst, uint32_t width, const struct pack_source *s);
    void (*pack_b_int8)(uint32_t *dst, const struct pack_source *s);

    /* y += a x;  y += x;  y *= a */
    void (*axpy)(float *y, float a, const float *x, size_t n);
    void (*add)(float *y, const float *x, size_t n);
    void (*scale)(float *y, float a, size_t n);
    float (*dot)(const float *a, const float *b, size_t n);
    double (*sum_squares)(const float *x, size_t n);
    /* out[i] = the product of a row of bf16 with x + i * stride, for count of them */
    void (*dots_bf16)(float *out, const uint16_t *row, const float *x, size_t stride, size_t count,
                      size_t n);

    /* y = x * r * w with r = 1 / sqrt(mean(x^2) + eps), which is returned. */
    float (*rmsnorm)(float *y, const float *x, const float *w, size_t n, float eps);
    /* y = x * r * w */
    void (*rmsnorm_again)(float *y, const float *x, const float *w, size_t n, float r);
    /* dx = base + the gradient through it; dw += dy * x * r */
    void (*rmsnorm_back)(const struct norm_back *s, size_t n);

    /* Turns (x[i], x[i + half]) by the angle of cosine c[i] and sine s[i]; back
     * turns the other way. */
    void (*rope)(float *x, const float *c, const float *s, size_t half);
    void (*rope_back)(float *x, const float *c, const float *s, size_t half);

    /* h = silu(g) * u; back: h again, and dg, du from dh, in place of g and u. */
    void (*swiglu)(float *h, const float *g, const float *u, size_t n);
    void (*swiglu_back)(float *h, float *g, float *u, const float *dh, size_t n);

    /* Columns of s[rows][gemm_cols], a multiple of lanes of them (cols): each
     * becomes exp(scale * s - its log-sum), which is stored in lse. */
    void (*softmax_cols)(float *s, size_t rows, uint32_t cols, float scale, float *lse);
    /* The same over rows: each number becomes the one that softmax_cols makes of
     * it, bit for bit. */
    void (*softmax_rows)(float *s, const struct softmax_rows *r);
    /* s = exp(scale * s - lse);  d = s * (d - delta) * scale */
    void (*attention_back)(float *s, float *d, size_t n, float scale, float lse, float delta);

    float (*max)(const float *x, size_t n);                  /* n > 0 */
    float (*sum_exp)(const float *x, size_t n, float shift); /* of exp(x - shift) */
    /* x = exp(x - shift) * a */
    void (*exp_scale)(float *x, size_t n, float shift, float a);

    /* AdamW on n weights; g is zeroed behind. */
    void (*adamw)(float *w, float *m, float *v, float *g, size_t n, const struct adamw_step *s);
};

extern const struct kernels KERNELS_GENERIC;
#if defined(__x86_64__)
extern const struct kernels KERNELS_AVX2;
extern const struct kernels KERNELS_AVX512;
extern const struct kernels KERNELS_AVX512_BF16;
#endif

/* The table of that name, or the best one this processor can run where name is
 * NULL.  WINNOW_E_USAGE for a name that is unknown or cannot run here. */
winnow_status kernels_pick(const char *name, const struct kernels **out, struct winnow_error *err);

/* The name of the table that kernels_pick() gives for one, for keys and settings. */
winnow_status kernels_asked(const char *name, const char **out, struct winnow_error *err);

/* The i-th table that this processor can run, best last; NULL behind the end. */
const struct kernels *kernels_usable(size_t i);

#endif /* WINNOW_MATH_KERNELS_H */
