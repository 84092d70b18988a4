/* kernels_simd.h -- the kernels written once for every vector width.
 *
 * Included by one file an instruction set, which first defines the vector type
 * V of LANES floats, its operations (V_LOAD ... below), the size of a tile
 * (ROWS x VECTORS registers of sums) and the table's name.  Not a header for
 * anybody else.
 *
 * Tails are done with masked loads, which read zeros behind the end, so there
 * is one loop body a kernel and no scalar remainder.
 */
#ifndef WINNOW_MATH_KERNELS_SIMD_H
#define WINNOW_MATH_KERNELS_SIMD_H

#define COLS   (LANES * VECTORS)
#define INLINE static inline __attribute__((always_inline))

/* The part of n that a vector at i covers. */
INLINE size_t part(size_t i, size_t n)
{
    return n - i < LANES ? n - i : LANES;
}

INLINE V load_part(const float *p, size_t n)
{
    return n == LANES ? V_LOAD(p) : V_LOADN(p, n);
}

INLINE void store_part(float *p, V x, size_t n)
{
    if (n == LANES) {
        V_STORE(p, x);
    } else {
        V_STOREN(p, x, n);
    }
}

/* exp by x = n ln 2 + r, |r| <= ln 2 / 2, and the polynomial of Cephes' expf;
 * within 2 units in the last place.  Far below the smallest normal result: 0. */
INLINE V v_exp(V x)
{
    V y = v_exp_range(x);
    V n = V_ROUND(V_MUL(y, V_SET1(1.44269504F)));
    V r = V_FMA(n, V_SET1(-0.693359375F), y);
    r = V_FMA(n, V_SET1(2.12194440e-4F), r);
    V p = V_SET1(1.9875691500e-4F);
    p = V_FMA(p, r, V_SET1(1.3981999507e-3F));
    p = V_FMA(p, r, V_SET1(8.3334519073e-3F));
    p = V_FMA(p, r, V_SET1(4.1665795894e-2F));
    p = V_FMA(p, r, V_SET1(1.6666665459e-1F));
    p = V_FMA(p, r, V_SET1(5.0000001201e-1F));
    p = V_ADD(V_FMA(p, V_MUL(r, r), r), V_SET1(1.0F));
    return v_exp_scale(p, n, x);
}

/* ---- matrix tiles ---- */

/* A tile that does not fill its vectors goes through memory, all[][COLS]: only the
 * last of many tiles, and code of its own for each size would be most of the
 * table. */
static __attribute__((noinline)) void put_edge(const struct gemm_tile *t, const float *all)
{
    for (size_t i = 0; i < t->m; i++) {
        for (size_t j = 0; j < t->n; j += LANES) {
            size_t at = i * t->c_step + j, n = part(j, t->n);
            V x = V_LOAD(all + i * COLS + j);
            store_part(t->c + at, t->base ? V_ADD(load_part(t->base + at, n), x) : x, n);
        }
    }
}

static __attribute__((noinline)) void get_edge(const struct gemm_tile *t, float *all)
{
    for (size_t i = 0; i < t->m; i++) {
        for (size_t j = 0; j < t->n; j += LANES) {
            V_STORE(all + i * COLS + j, load_part(t->from + i * t->c_step + j, part(j, t->n)));
        }
    }
}

/* Sums from or to rows `step` apart. */
INLINE void get_sums(V sum[][VECTORS], const float *from, size_t step, size_t rows, size_t vectors)
{
#pragma GCC unroll 16
    for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (size_t j = 0; j < vectors; j++) {
            sum[i][j] = V_LOAD(from + i * step + j * LANES);
        }
    }
}

INLINE void store_sums(float *to, size_t step, V sum[][VECTORS], size_t rows, size_t vectors)
{
#pragma GCC unroll 16
    for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (size_t j = 0; j < vectors; j++) {
            V_STORE(to + i * step + j * LANES, sum[i][j]);
        }
    }
}

INLINE void put_sums(const struct gemm_tile *t, V sum[][VECTORS], size_t rows, size_t vectors)
{
    if (t->n != vectors * LANES) {
        float all[ROWS * COLS];
        store_sums(all, COLS, sum, rows, vectors);
        put_edge(t, all);
        return;
    }
    if (t->base) {
#pragma GCC unroll 16
        for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 4
            for (size_t j = 0; j < vectors; j++) {
                sum[i][j] = V_ADD(V_LOAD(t->base + i * t->c_step + j * LANES), sum[i][j]);
            }
        }
    }
    store_sums(t->c, t->c_step, sum, rows, vectors);
}

INLINE void start_sums(const struct gemm_tile *t, V sum[][VECTORS], size_t rows, size_t vectors)
{
    if (t->from && t->n == vectors * LANES) {
        get_sums(sum, t->from, t->c_step, rows, vectors);
        return;
    }
    if (t->from) {
        float all[ROWS * COLS];
        get_edge(t, all);
        get_sums(sum, all, COLS, rows, vectors);
        return;
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (size_t j = 0; j < vectors; j++) {
            sum[i][j] = V_SET1(0.0F);
        }
    }
}

INLINE void tile_f32_any(const struct gemm_tile *t, size_t rows, size_t vectors)
{
    V sum[ROWS][VECTORS];
    start_sums(t, sum, rows, vectors);
    const float *a = t->a, *b = t->b;
    const char *ahead = t->ahead ? t->ahead : (const char *)t->b;
    size_t a_step = t->a_step, b_step = t->b_step, line = t->ahead ? 64 : 0;
    for (size_t k = t->k; k > 0; k--, a += a_step, b += b_step, ahead += line) {
        __builtin_prefetch(ahead);
        V bk[VECTORS];
#pragma GCC unroll 4
        for (size_t j = 0; j < vectors; j++) {
            bk[j] = V_LOAD(b + j * LANES);
        }
#pragma GCC unroll 16
        for (size_t i = 0; i < rows; i++) {
            V ak = V_SET1(a[i]);
#pragma GCC unroll 4
            for (size_t j = 0; j < vectors; j++) {
                sum[i][j] = V_FMA(ak, bk[j], sum[i][j]);
            }
        }
    }
    put_sums(t, sum, rows, vectors);
}

INLINE void tile_bf16_any(const struct gemm_tile *t, size_t rows, size_t vectors)
{
    V sum[ROWS][VECTORS];
    start_sums(t, sum, rows, vectors);
    const uint32_t *a = t->a, *b = t->b;
    const char *ahead = t->ahead ? t->ahead : (const char *)t->b;
    size_t a_step = t->a_step, b_step = t->b_step, line = t->ahead ? 64 : 0;
    for (size_t k = t->k; k > 0; k--, a += a_step, b += b_step, ahead += line) {
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
                sum[i][j] = v_dot2(sum[i][j], ak, bk[j]);
            }
        }
    }
    put_sums(t, sum, rows, vectors);
}

/* One function for each number of rows and vectors, so that the sums of each
 * stay in registers. */
#define TILE(M, N)                                             \
    static void tile_f32_##M##_##N(const struct gemm_tile *t)  \
    {                                                          \
        tile_f32_any(t, M, N);                                 \
    }                                                          \
    static void tile_bf16_##M##_##N(const struct gemm_tile *t) \
    {                                                          \
        tile_bf16_any(t, M, N);                                \
    }
TILE_ALL(TILE)

typedef void tile_fn(const struct gemm_tile *t);

#define TILE_F32(M, N)  [(M)-1][(N)-1] = tile_f32_##M##_##N,
#define TILE_BF16(M, N) [(M)-1][(N)-1] = tile_bf16_##M##_##N,

static void tile_f32(const struct gemm_tile *t)
{
    static tile_fn *const TILES[ROWS][VECTORS] = {TILE_ALL(TILE_F32)};
    TILES[t->m - 1][(t->n - 1) / LANES](t);
}

static void tile_bf16(const struct gemm_tile *t)
{
    static tile_fn *const TILES[ROWS][VECTORS] = {TILE_ALL(TILE_BF16)};
    TILES[t->m - 1][(t->n - 1) / LANES](t);
}

/* ---- packing ---- */

/* LANES vectors, turned, the first count of which go to dst[k * width], `lanes`
 * numbers each.  Unrolled here and where they come from, since an array with an
 * index that changes would be kept in memory. */
INLINE void put_turned(float *dst, size_t width, size_t lanes, V x[LANES], size_t count)
{
    v_transpose(x);
#pragma GCC unroll 16
    for (size_t k = 0; k < LANES; k++, dst += width) {
        if (k < count) {
            store_part(dst, x[k], lanes);
        }
    }
}

/* LANES rows (fewer exist) by up to LANES columns, turned: column k of them
 * goes to dst[k * width]. */
INLINE void turn_f32(float *dst, uint32_t width, const float *src, size_t stride, size_t rows,
                     size_t cols)
{
    V x[LANES];
#pragma GCC unroll 16
    for (size_t r = 0; r < LANES; r++) {
        x[r] = r < rows ? load_part(src + r * stride, cols) : V_SET1(0.0F);
    }
    put_turned(dst, width, width < LANES ? width : LANES, x, cols);
}

INLINE size_t rows_left(size_t rows, size_t at, size_t most)
{
    size_t left = rows > at ? rows - at : 0;
    return left < most ? left : most;
}

static void pack_rows_f32(float *dst, uint32_t width, const struct pack_source *s)
{
    for (size_t r0 = 0; r0 < s->rows; r0 += width, dst += s->cols * width) {
        for (size_t r = 0; r < width; r += LANES) {
            size_t rows = rows_left(s->rows, r0 + r, width - r < LANES ? width - r : LANES);
            const float *src = rows > 0 ? s->src + (r0 + r) * s->stride : s->src;
            for (size_t k = 0; k < s->cols; k += LANES) {
                turn_f32(dst + k * width + r, width, src + k, s->stride, rows, part(k, s->cols));
            }
        }
    }
}

/* Two vectors of a row, as LANES pairs. */
INLINE P row_pairs(const float *src, size_t n)
{
    size_t first = n < LANES ? n : LANES;
    V lo = load_part(src, first);
    V hi = n > LANES ? load_part(src + LANES, n - LANES) : V_SET1(0.0F);
    return p_of_row(lo, hi);
}

/* The same as turn_f32 for up to 2 LANES columns, as pairs of them. */
INLINE void turn_bf16(float *dst, uint32_t width, const float *src, size_t stride, size_t rows,
                      size_t cols)
{
    V x[LANES];
#pragma GCC unroll 16
    for (size_t r = 0; r < LANES; r++) {
        x[r] = r < rows ? V_OF_P(row_pairs(src + r * stride, cols)) : V_SET1(0.0F);
    }
    put_turned(dst, width, width < LANES ? width : LANES, x, (cols + 1) / 2);
}

static void pack_rows_bf16(uint32_t *dst, uint32_t width, const struct pack_source *s)
{
    size_t steps = (s->cols + 1) / 2;
    for (size_t r0 = 0; r0 < s->rows; r0 += width, dst += steps * width) {
        for (size_t r = 0; r < width; r += LANES) {
            size_t rows = rows_left(s->rows, r0 + r, width - r < LANES ? width - r : LANES);
            const float *src = rows > 0 ? s->src + (r0 + r) * s->stride : s->src;
            for (size_t k = 0; k < s->cols; k += 2 * LANES) {
                size_t cols = s->cols - k < 2 * LANES ? s->cols - k : 2 * LANES;
                turn_bf16((float *)dst + k / 2 * width + r, width, src + k, s->stride, rows, cols);
            }
        }
    }
}

/* Source rows are read once, in order, and scattered over the panels: reading
 * panel by panel would meet the same few cache sets again and again where the
 * stride is a power of two.  A row is often a part of a longer one, whose next part
 * the processor does not foresee, so later rows are fetched meanwhile (a step of
 * training is 6 % faster for it; more rows ahead gain nothing). */
#define PACK_AHEAD 16U

/* How far behind row k the row lies that is fetched; 0: none is left. */
INLINE size_t pack_ahead(const struct pack_source *s, size_t k)
{
    return k + PACK_AHEAD + 1 < s->rows ? PACK_AHEAD * s->stride : 0;
}

static void pack_cols_f32(float *dst, uint32_t width, const struct pack_source *s)
{
    size_t panel = s->rows * width;
    for (size_t k = 0; k < s->rows; k++) {
        const float *src = s->src + k * s->stride, *ahead = src + pack_ahead(s, k);
        float *to = dst + k * width;
        for (size_t c0 = 0; c0 < s->cols; c0 += width, to += panel) {
            for (size_t c = 0; c < width; c += LANES) {
                size_t have = rows_left(s->cols, c0 + c, LANES);
                V x = have > 0 ? load_part(src + c0 + c, have) : V_SET1(0.0F);
                store_part(to + c, x, part(c, width));
                __builtin_prefetch(ahead + (have > 0 ? c0 + c : 0));
            }
        }
    }
}

/* Rows k and k + 1 (zeros behind the last) as one row of pairs over all panels. */
INLINE void pack_pair_row(float *to, uint32_t width, size_t panel, const struct pack_source *s,
                          size_t k)
{
    V zero = V_SET1(0.0F);
    const float *even = s->src + k * s->stride, *ahead = even + pack_ahead(s, k);
    const float *odd = k + 1 < s->rows ? even + s->stride : NULL;
    const float *odd_ahead = odd ? ahead + s->stride : ahead;
    for (size_t c0 = 0; c0 < s->cols; c0 += width, to += panel) {
        for (size_t c = 0; c < width; c += LANES) {
            size_t at = c0 + c, have = rows_left(s->cols, at, LANES);
            V lo = have > 0 ? load_part(even + at, have) : zero;
            V hi = have > 0 && odd ? load_part(odd + at, have) : zero;
            store_part(to + c, V_OF_P(p_of_cols(lo, hi)), part(c, width));
            __builtin_prefetch(ahead + (have > 0 ? at : 0));
            __builtin_prefetch(odd_ahead + (have > 0 ? at : 0));
        }
    }
}

static void pack_cols_bf16(uint32_t *dst, uint32_t width, const struct pack_source *s)
{
    size_t panel = (s->rows + 1) / 2 * width;
    for (size_t k = 0; k < s->rows; k += 2) {
        pack_pair_row((float *)dst + k / 2 * width, width, panel, s, k);
    }
}

#endif /* WINNOW_MATH_KERNELS_SIMD_H */
