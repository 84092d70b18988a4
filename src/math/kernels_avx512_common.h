/* kernels_avx512_common.h -- the vector operations of kernels_avx512.c and
 * kernels_avx512_bf16.c: sixteen lanes, tiles of 14 x 32, 28 of 32 registers
 * being sums. */
#ifndef WINNOW_MATH_KERNELS_AVX512_COMMON_H
#define WINNOW_MATH_KERNELS_AVX512_COMMON_H

#include <immintrin.h>
#include <math.h>
#include <string.h>

#define LANES   16U
#define VECTORS 2U
#define ROWS    14U

#define TILE_ROW(F, N) \
    F(1, N)            \
    F(2, N)            \
    F(3, N)            \
    F(4, N) F(5, N) F(6, N) F(7, N) F(8, N) F(9, N) F(10, N) F(11, N) F(12, N) F(13, N) F(14, N)
#define TILE_ALL(F) TILE_ROW(F, 1) TILE_ROW(F, 2)

typedef __m512 V;
typedef __m512i P;
/* Sums of integers: arrays of __m512i gcc 12 keeps in memory as well. */
typedef int I __attribute__((vector_size(64)));

#define V_LOAD(p) _mm512_loadu_ps(p)
#define V_LOAD_BF16(p)   \
    _mm512_castsi512_ps( \
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i_u *)(p))), 16))
#define V_STORE(p, x)     _mm512_storeu_ps(p, x)
#define MASK(n)           ((__mmask16)((1U << (n)) - 1U))
#define V_LOADN(p, n)     _mm512_maskz_loadu_ps(MASK(n), p)
#define V_STOREN(p, x, n) _mm512_mask_storeu_ps(p, MASK(n), x)
#define V_SET1(f)         _mm512_set1_ps(f)
#define V_ADD(a, b)       _mm512_add_ps(a, b)
#define V_SUB(a, b)       _mm512_sub_ps(a, b)
#define V_MUL(a, b)       _mm512_mul_ps(a, b)
#define V_DIV(a, b)       _mm512_div_ps(a, b)
#define V_SQRT(a)         _mm512_sqrt_ps(a)
#define V_MAX(a, b)       _mm512_max_ps(a, b)
#define V_MIN(a, b)       _mm512_min_ps(a, b)
#define V_FMA(a, b, c)    _mm512_fmadd_ps(a, b, c)
#define V_ROUND(a)        _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define V_OF_P(p)         _mm512_castsi512_ps(p)
#define P_LOAD(p)         _mm512_loadu_si512(p)
#define P_SET1(u)         _mm512_set1_epi32((int)(u))
#define P_OF_V(x)         _mm512_castps_si512(x)
#define P_XOR(a, b)       _mm512_xor_si512(a, b)
#define P_MINUS_128(x)    _mm512_slli_epi32(_mm512_sub_epi32(_mm512_setzero_si512(), x), 7)
#define V_OF_INTS(p)      _mm512_cvtepi32_ps(p)

#define FORCE             static inline __attribute__((always_inline))

FORCE float v_sum(V x)
{
    return _mm512_reduce_add_ps(x);
}

FORCE float v_maximum(V x)
{
    return _mm512_reduce_max_ps(x);
}

/* What v_exp works on, and its last step, p * 2^n, which overflows and underflows
 * by itself; only minus infinity must become a number. */
FORCE V v_exp_range(V x)
{
    return V_MAX(V_SET1(-200.0F), x);
}
FORCE V v_exp_scale(V p, V n, V x)
{
    (void)x;
    return _mm512_scalef_ps(p, n);
}

/* 64 numbers within +-127, rounded to bytes, in order. */
FORCE P p_of_quads(V a, V b, V c, V d)
{
    __m128i x = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(a));
    __m128i y = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(b));
    __m128i z = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(c));
    __m128i w = _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(d));
    __m256i lo = _mm256_inserti128_si256(_mm256_castsi128_si256(x), y, 1);
    __m256i hi = _mm256_inserti128_si256(_mm256_castsi128_si256(z), w, 1);
    return _mm512_inserti64x4(_mm512_castsi256_si512(lo), hi, 1);
}

/* Unrolled, since gcc would otherwise keep the arrays in memory. */
FORCE void v_transpose(V x[16])
{
    V t[16], u[16];
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(x[i], x[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(x[i], x[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        u[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
        u[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xEE);
        u[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) { /* u[i + 4q]: column i of quarter, rows 4q.. */
        t[i] = _mm512_shuffle_f32x4(u[i], u[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(u[i], u[i + 4], 0xDD);
        t[i + 8] = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0xDD);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        x[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
        x[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xDD);
        x[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
        x[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xDD);
    }
}

#endif /* WINNOW_MATH_KERNELS_AVX512_COMMON_H */
