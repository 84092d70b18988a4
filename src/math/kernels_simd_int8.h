/* kernels_simd_int8.h -- part of kernels_simd.h: products of 8-bit factors.
 *
 * The instruction multiplies unsigned by signed bytes.  B is the unsigned one
 * (numbers + 128), so that A's quads can be broadcast from memory; what 128
 * times A's numbers adds is taken off by starting from A's stored sums. */
#ifndef WINNOW_MATH_KERNELS_SIMD_INT8_H
#define WINNOW_MATH_KERNELS_SIMD_INT8_H

/* Sums of one block of `steps` steps. */
INLINE void int8_block(I sum[][VECTORS], const struct gemm_tile *t, const uint32_t *a,
                       const uint32_t *b, size_t steps, const char *ahead, size_t rows,
                       size_t vectors)
{
    size_t line = t->ahead ? 64 : 0, a_step = t->a_step;
    const uint32_t *start = a + (steps + 1) * a_step;
#pragma GCC unroll 16
    for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (size_t j = 0; j < vectors; j++) {
            sum[i][j] = (I)P_SET1(start[i]);
        }
    }
    for (size_t k = steps; k > 0; k--, a += a_step, b += COLS, ahead += line) {
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
}

/* A block's sums times both scales, added to those of the blocks before. */
INLINE void add_block(float *all, I sum[][VECTORS], const float *a_scale, const float *b_scale,
                      size_t rows, size_t vectors, bool first)
{
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
            V x = V_OF_INTS((P)sum[i][j]), both = V_MUL(own, scale[j]);
            V_STORE(at, first ? V_MUL(x, both) : V_FMA(x, both, V_LOAD(at)));
        }
    }
}

/* gcc does not see that a tile has a block, and that the first one writes all[]. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

INLINE void tile_int8_any(const struct gemm_tile *t, size_t rows, size_t vectors)
{
    /* In the first cache: the registers hold one block's sums. */
    float all[ROWS * COLS] __attribute__((aligned(64)));
    const uint32_t *a = t->a, *b = t->b;
    const char *ahead = t->ahead ? t->ahead : (const char *)t->b;
    for (size_t left = t->k, steps; left > 0; left -= steps) {
        I block[ROWS][VECTORS];
        steps = left < KERNELS_BLOCK_STEPS ? left : KERNELS_BLOCK_STEPS;
        int8_block(block, t, a, b, steps, ahead, rows, vectors);
        a += steps * t->a_step;
        b += steps * COLS;
        ahead += t->ahead ? steps * 64 : 0;
        if (left == t->k) {
            add_block(all, block, (const float *)a, (const float *)b, rows, vectors, true);
        } else {
            add_block(all, block, (const float *)a, (const float *)b, rows, vectors, false);
        }
        a += 2 * t->a_step;
        b += COLS;
    }
    V sum[ROWS][VECTORS];
    get_sums(sum, all, COLS, rows, vectors);
    put_sums(t, sum, rows, vectors);
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

#pragma GCC diagnostic pop

/* ---- packing ---- */

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
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        size_t at = k + i * LANES;
        v[i] = at < n ? V_MUL(load_part(x + at, part(at, n)), f) : V_SET1(0.0F);
    }
    return p_of_quads(v[0], v[1], v[2], v[3]);
}

/* Part of a row or column of panels, up to LANES rows of a block, to columns of a
 * panel `width` wide, of which `lanes` are stored; flip is 0x80808080 where 128
 * is to be added.  Scales go to scale, the sums' starts to start (NULL: not
 * wanted). */
struct int8_rows {
    uint32_t *dst;
    size_t width, lanes;
    uint32_t flip;
    float *scale;
    float *start;
};

/* 4 LANES numbers from k on of each row; their sums are added to sum. */
INLINE P turn_quads(const struct int8_rows *to, const struct pack_source *s, size_t k,
                    const float *factor, P sum)
{
    V x[LANES];
#pragma GCC unroll 16
    for (size_t r = 0; r < LANES; r++) {
        x[r] = r < s->rows ? V_OF_P(row_quads(s->src + r * s->stride, k, s->cols, factor[r]))
                           : V_SET1(0.0F);
    }
    v_transpose(x);
    P ones = P_SET1(0x01010101U), flip = P_SET1(to->flip);
    float *dst = (float *)(to->dst + k / 4 * to->width);
#pragma GCC unroll 16
    for (size_t i = 0; i < LANES; i++, dst += to->width) {
        P quads = P_OF_V(x[i]);
        sum = v_dot4(sum, ones, quads);
        store_part(dst, V_OF_P(P_XOR(quads, flip)), to->lanes);
    }
    return sum;
}

/* s: one block of up to LANES rows. */
INLINE void pack_rows_of_block(const struct int8_rows *to, const struct pack_source *s)
{
    float factor[LANES], scale[LANES];
    for (size_t r = 0; r < LANES; r++) {
        float top = r < s->rows ? block_top(s->src + r * s->stride, s->cols) : 0.0F;
        factor[r] = top > 0 ? 127.0F / top : 0.0F;
        scale[r] = top / 127.0F;
    }
    P sum = P_SET1(0);
    for (size_t k = 0; k < s->cols; k += KERNELS_BLOCK_PART) {
        for (size_t part = 0; part < KERNELS_BLOCK_PART; part += (size_t)4 * LANES) {
            sum = turn_quads(to, s, k + part, factor, sum);
        }
    }
    store_part(to->scale, V_LOAD(scale), to->lanes);
    if (to->start) { /* times -128 */
        store_part(to->start, V_OF_P(P_MINUS_128(sum)), to->lanes);
    }
}

INLINE void pack_int8(uint32_t *dst, const struct pack_source *s, size_t width, bool left)
{
    for (size_t r0 = 0; r0 < s->rows; r0 += width) {
        for (size_t k = 0; k < s->cols; k += KERNELS_BLOCK) {
            size_t n = s->cols - k < KERNELS_BLOCK ? s->cols - k : KERNELS_BLOCK;
            size_t steps = kernels_block_steps(n);
            float *scale = (float *)(dst + steps * width);
            for (size_t r = 0; r < width; r += LANES) {
                size_t rows = rows_left(s->rows, r0 + r, part(r, width));
                const float *src = rows > 0 ? s->src + (r0 + r) * s->stride + k : s->src;
                struct int8_rows to = {dst + r,        width,
                                       part(r, width), left ? 0 : 0x80808080U,
                                       scale + r,      left ? scale + width + r : NULL};
                pack_rows_of_block(&to, &(struct pack_source){src, s->stride, rows, n});
            }
            dst += (steps + (left ? 2 : 1)) * width;
        }
    }
}

static void pack_a_int8(uint32_t *dst, uint32_t width, const struct pack_source *s)
{
    pack_int8(dst, s, width, true);
}

static void pack_b_int8(uint32_t *dst, const struct pack_source *s)
{
    pack_int8(dst, s, COLS, false);
}

#endif /* WINNOW_MATH_KERNELS_SIMD_INT8_H */
