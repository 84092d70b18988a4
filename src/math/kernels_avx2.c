/* kernels_avx2.c -- eight lanes, tiles of 6 x 16: 12 registers of sums, 2 of B
 * and one of A out of 16.  bf16 is unpacked to f32 in registers: half the
 * memory, the same arithmetic. */
#include "math/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#define LANES          8U
#define VECTORS        2U
#define ROWS           6U
#define TABLE          KERNELS_AVX2
#define TABLE_NAME     "avx2"

#define TILE_ROW(F, N) F(1, N) F(2, N) F(3, N) F(4, N) F(5, N) F(6, N)
#define TILE_ALL(F)    TILE_ROW(F, 1) TILE_ROW(F, 2)

typedef __m256 V;
typedef __m256i P;
typedef int I __attribute__((vector_size(32)));

#define V_LOAD(p) _mm256_loadu_ps(p)
#define V_LOAD_BF16(p)   \
    _mm256_castsi256_ps( \
        _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i_u *)(p))), 16))
#define V_STORE(p, x)  _mm256_storeu_ps(p, x)
#define V_SET1(f)      _mm256_set1_ps(f)
#define V_ADD(a, b)    _mm256_add_ps(a, b)
#define V_SUB(a, b)    _mm256_sub_ps(a, b)
#define V_MUL(a, b)    _mm256_mul_ps(a, b)
#define V_DIV(a, b)    _mm256_div_ps(a, b)
#define V_SQRT(a)      _mm256_sqrt_ps(a)
#define V_MAX(a, b)    _mm256_max_ps(a, b)
#define V_MIN(a, b)    _mm256_min_ps(a, b)
#define V_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define V_ROUND(a)     _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define V_OF_P(p)      _mm256_castsi256_ps(p)
#define P_LOAD(p)      _mm256_loadu_si256((const __m256i_u *)(p))
#define P_SET1(u)      _mm256_set1_epi32((int)(u))
#define P_OF_V(x)      _mm256_castps_si256(x)
#define P_XOR(a, b)    _mm256_xor_si256(a, b)
#define P_MINUS_128(x) _mm256_slli_epi32(_mm256_sub_epi32(_mm256_setzero_si256(), x), 7)
#define V_OF_INTS(p)   _mm256_cvtepi32_ps(p)

static const int32_t MASKS[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
#define MASK(n)           _mm256_loadu_si256((const __m256i_u *)(MASKS + 8 - (n)))
#define V_LOADN(p, n)     _mm256_maskload_ps(p, MASK(n))
#define V_STOREN(p, x, n) _mm256_maskstore_ps(p, MASK(n), x)

static inline float v_sum(V x)
{
    __m128 a = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    a = _mm_add_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)));
}

static inline float v_maximum(V x)
{
    __m128 a = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    a = _mm_max_ps(a, _mm_movehl_ps(a, a));
    return _mm_cvtss_f32(_mm_max_ss(a, _mm_movehdup_ps(a)));
}

/* What v_exp works on: p * 2^n must be a normal number. */
static inline __attribute__((always_inline)) V v_exp_range(V x)
{
    return V_MIN(V_MAX(x, V_SET1(-87.33654F)), V_SET1(88.37626F));
}

/* Its last step: p * 2^n for whole n, or 0 where x was below that range. */
static inline __attribute__((always_inline)) V v_exp_scale(V p, V n, V x)
{
    __m256i shift = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    V y = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), shift));
    return _mm256_andnot_ps(_mm256_cmp_ps(x, V_SET1(-87.33654F), _CMP_LT_OQ), y);
}

/* sum + the two products of each pair. */
static inline __attribute__((always_inline)) V v_dot2(V sum, P a, P b)
{
    __m256i top = _mm256_set1_epi32((int)0xFFFF0000U);
    V a0 = V_OF_P(_mm256_slli_epi32(a, 16)), a1 = V_OF_P(_mm256_and_si256(a, top));
    V b0 = V_OF_P(_mm256_slli_epi32(b, 16)), b1 = V_OF_P(_mm256_and_si256(b, top));
    return V_FMA(a1, b1, V_FMA(a0, b0, sum));
}

/* sum + the four products of each quad, b unsigned, a signed. */
static inline __attribute__((always_inline)) P v_dot4(P sum, P b, P a)
{
    __m256i low = _mm256_set1_epi16(0xFF);
    __m256i b0 = _mm256_and_si256(b, low), b1 = _mm256_srli_epi16(b, 8);
    __m256i a0 = _mm256_srai_epi16(_mm256_slli_epi16(a, 8), 8), a1 = _mm256_srai_epi16(a, 8);
    __m256i odd = _mm256_madd_epi16(b1, a1);
    return _mm256_add_epi32(_mm256_add_epi32(sum, _mm256_madd_epi16(b0, a0)), odd);
}

/* 32 numbers within +-127, rounded to bytes, in order. */
static inline __attribute__((always_inline)) P p_of_quads(V a, V b, V c, V d)
{
    __m256i lo = _mm256_packs_epi32(_mm256_cvtps_epi32(a), _mm256_cvtps_epi32(b));
    __m256i hi = _mm256_packs_epi32(_mm256_cvtps_epi32(c), _mm256_cvtps_epi32(d));
    return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(lo, hi),
                                       _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

/* bf16 in the upper halves, the lower ones still to be cleared. */
static inline __m256i rounded(V x)
{
    __m256i bits = _mm256_castps_si256(x);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    return _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7FFF)), odd);
}

static inline __attribute__((always_inline)) P p_of_cols(V lo, V hi)
{
    __m256i top = _mm256_set1_epi32((int)0xFFFF0000U);
    return _mm256_or_si256(_mm256_srli_epi32(rounded(lo), 16), _mm256_and_si256(rounded(hi), top));
}

static inline __attribute__((always_inline)) P p_of_row(V first, V second)
{
    __m256i packed = _mm256_packus_epi32(_mm256_srli_epi32(rounded(first), 16),
                                         _mm256_srli_epi32(rounded(second), 16));
    return _mm256_permute4x64_epi64(packed, 0xD8);
}

/* Unrolled, since gcc would otherwise keep the arrays in memory. */
static inline __attribute__((always_inline)) void v_transpose(V x[8])
{
    V t[8], u[8];
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(x[i], x[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(x[i], x[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
        u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xEE);
        u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        x[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
        x[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
    }
}

#include "math/kernels_simd.h"
#include "math/kernels_simd_int8.h"
#include "math/kernels_simd_vector.h"
#endif
