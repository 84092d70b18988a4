/* kernels_simd_int8.h -- part of kernels_simd.h: products of 8-bit factors.
 *
 * The instruction multiplies unsigned by signed bytes.  B is the unsigned one
 * (numbers + 128), so that A's quads can be broadcast from memory; what 128
 * times A's numbers adds is taken off by starting from A's stored sums. */
#ifndef WINNOW_MATH_KERNELS_SIMD_INT8_H
#define WINNOW_MATH_KERNELS_SIMD_INT8_H

INLINE void tile_int8_any(const struct gemm_tile *t, size_t rows, size_t vectors)
{
    float all[ROWS * COLS]; /* in the first cache: the registers hold one block's sums */
    const uint32_t *a = t->a, *b = t->b;
    const char *ahead = t->ahead ? t->ahead : (const char *)t->b;
    size_t line = t->ahead ? 64 : 0;
    memset(all, 0, rows * COLS * sizeof *all);
    for (size_t block = t->k; block > 0; block--) {
        I sum[ROWS][VECTORS];
        const uint32_t *start = a + (size_t)(KERNELS_BLOCK_STEPS + 1) * ROWS;
#pragma GCC unroll 16
        for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 4
            for (size_t j = 0; j < vectors; j++) {
                sum[i][j] = (I)P_SET1(start[i]);
            }
        }
        for (size_t k = KERNELS_BLOCK_STEPS; k > 0; k--, a += ROWS, b += COLS, ahead += line) {
            __builtin_prefetch(ahead);
            P bk[VECTORS];
#pragma GCC unroll 4
            for (size_t j = 0; j < vectors; j++) {
                bk[j] = P_LOAD(b + j * LANES);
            }
#pragma GCC unroll 16
            for (size_t i = 0; i < rows; i++) {
                P ak = P_SET1(a[i]);
#pragma GCC unroll 4
                for (size_t j = 0; j < vectors; j++) {
                    sum[i][j] = (I)v_dot4((P)sum[i][j], bk[j], ak);
                }
            }
        }
        const float *a_scale = (const float *)a, *b_scale = (const float *)b;
        a += (size_t)2 * ROWS;
        b += COLS;
        V scale[VECTORS];
#pragma GCC unroll 4
        for (size_t j = 0; j < vectors; j++) {
            scale[j] = V_LOAD(b_scale + j * LANES);
        }
#pragma GCC unroll 16
        for (size_t i = 0; i < rows; i++) {
            V own = V_SET1(a_scale[i]);
#pragma GCC unroll 4
            for (size_t j = 0; j < vectors; j++) {
                float *at = all + i * COLS + j * LANES;
                V x = V_OF_INTS((P)sum[i][j]);
                V_STORE(at, V_FMA(x, V_MUL(own, scale[j]), V_LOAD(at)));
            }
        }
    }
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < vectors; j++) {
            size_t at = i * t->c_step + j * LANES, n = part(j * LANES, t->n);
            V x = V_LOAD(all + i * COLS + j * LANES);
            store_part(t->c + at, t->base ? V_ADD(load_part(t->base + at, n), x) : x, n);
        }
    }
}

#define TILE8(M, N)                                            \
    static void tile_int8_##M##_##N(const struct gemm_tile *t) \
    {                                                          \
        tile_int8_any(t, M, N);                                \
    }
TILE_ALL(TILE8)

#define TILE_INT8(M, N) [(M)-1][(N)-1] = tile_int8_##M##_##N,

static void tile_int8(const struct gemm_tile *t)
{
    static tile_fn *const TILES[ROWS][VECTORS] = {TILE_ALL(TILE_INT8)};
    TILES[t->m - 1][(t->n - 1) / LANES](t);
}

/* ---- packing ---- */

#define QUAD_VECTORS (KERNELS_BLOCK_STEPS / LANES) /* vectors of a row's block, as quads */

/* The largest magnitude among a row's part of a block. */
INLINE float block_top(const float *x, size_t n)
{
    V top = V_SET1(0.0F), zero = top;
    for (size_t i = 0; i < n; i += LANES) {
        V v = load_part(x + i, part(i, n));
        top = V_MAX(top, V_MAX(v, V_SUB(zero, v)));
    }
    return v_maximum(top);
}

/* 4 LANES numbers of a row from k on, times factor, as quads. */
INLINE P row_quads(const float *x, size_t k, size_t n, float factor)
{
    V v[4], f = V_SET1(factor);
    for (size_t i = 0; i < 4; i++) {
        size_t at = k + i * LANES;
        v[i] = at < n ? V_MUL(load_part(x + at, part(at, n)), f) : V_SET1(0.0F);
    }
    return p_of_quads(v[0], v[1], v[2], v[3]);
}

/* One block of LANES rows (fewer exist) to columns of a panel `width` wide, of
 * which `lanes` are stored; flip is 0x80808080 where 128 is to be added.
 * Scales go to scale, the sums' starts to start (NULL: not wanted). */
struct int8_block {
    uint32_t *dst;
    size_t width, lanes;
    uint32_t flip;
    float *scale;
    float *start;
};

INLINE void pack_rows_of_block(const struct int8_block *to, const float *src, size_t stride,
                               size_t rows, size_t n)
{
    float factor[LANES], scale[LANES];
    for (size_t r = 0; r < LANES; r++) {
        float top = r < rows ? block_top(src + r * stride, n) : 0.0F;
        factor[r] = top > 0 ? 127.0F / top : 0.0F;
        scale[r] = top / 127.0F;
    }
    P flip = P_SET1(to->flip), sum = P_SET1(0), ones = P_SET1(0x01010101U);
    for (size_t q = 0; q < QUAD_VECTORS; q++) {
        V x[LANES];
        for (size_t r = 0; r < LANES; r++) {
            x[r] = r < rows ? V_OF_P(row_quads(src + r * stride, q * 4 * LANES, n, factor[r]))
                            : V_SET1(0.0F);
        }
        v_transpose(x);
        for (size_t k = 0; k < LANES; k++) {
            P quads = P_OF_V(x[k]);
            sum = v_dot4(sum, ones, quads);
            float *dst = (float *)(to->dst + (q * LANES + k) * to->width);
            store_part(dst, V_OF_P(P_XOR(quads, flip)), to->lanes);
        }
    }
    store_part(to->scale, V_LOAD(scale), to->lanes);
    if (to->start) { /* times -128 */
        store_part(to->start, V_OF_P(P_MINUS_128(sum)), to->lanes);
    }
}

INLINE void pack_int8(uint32_t *dst, const struct pack_source *s, size_t width, bool left)
{
    size_t extra = left ? 2 : 1;
    for (size_t r0 = 0; r0 < s->rows; r0 += width) {
        for (size_t k = 0; k < s->cols; k += KERNELS_BLOCK) {
            size_t n = s->cols - k < KERNELS_BLOCK ? s->cols - k : KERNELS_BLOCK;
            float *scale = (float *)(dst + KERNELS_BLOCK_STEPS * width);
            for (size_t r = 0; r < width; r += LANES) {
                size_t rows = rows_left(s->rows, r0 + r, part(r, width));
                const float *src = rows > 0 ? s->src + (r0 + r) * s->stride + k : s->src;
                struct int8_block to = {dst + r,        width,
                                        part(r, width), left ? 0 : 0x80808080U,
                                        scale + r,      left ? scale + width + r : NULL};
                pack_rows_of_block(&to, src, s->stride, rows, n);
            }
            dst += (KERNELS_BLOCK_STEPS + extra) * width;
        }
    }
}

static void pack_a_int8(uint32_t *dst, const struct pack_source *s)
{
    pack_int8(dst, s, ROWS, true);
}

static void pack_b_int8(uint32_t *dst, const struct pack_source *s)
{
    pack_int8(dst, s, COLS, false);
}

#endif /* WINNOW_MATH_KERNELS_SIMD_INT8_H */
