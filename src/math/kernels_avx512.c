/* kernels_avx512.c -- AVX-512 F, BW, DQ and VL; bf16 unpacked in registers. */
#include "math/kernels.h"

#if defined(__x86_64__)
#include "math/kernels_avx512_common.h"

#define TABLE      KERNELS_AVX512
#define TABLE_NAME "avx512"

/* sum + the two products of each pair. */
static inline __attribute__((always_inline)) V v_dot2(V sum, P a, P b)
{
    __m512i top = _mm512_set1_epi32((int)0xFFFF0000U);
    V a0 = V_OF_P(_mm512_slli_epi32(a, 16)), a1 = V_OF_P(_mm512_and_si512(a, top));
    V b0 = V_OF_P(_mm512_slli_epi32(b, 16)), b1 = V_OF_P(_mm512_and_si512(b, top));
    return V_FMA(a1, b1, V_FMA(a0, b0, sum));
}

/* sum + the four products of each quad, b unsigned, a signed. */
static inline __attribute__((always_inline)) P v_dot4(P sum, P b, P a)
{
    __m512i low = _mm512_set1_epi16(0xFF);
    __m512i b0 = _mm512_and_si512(b, low), b1 = _mm512_srli_epi16(b, 8);
    __m512i a0 = _mm512_srai_epi16(_mm512_slli_epi16(a, 8), 8), a1 = _mm512_srai_epi16(a, 8);
    __m512i odd = _mm512_madd_epi16(b1, a1);
    return _mm512_add_epi32(_mm512_add_epi32(sum, _mm512_madd_epi16(b0, a0)), odd);
}

/* bf16 in the lower halves. */
static inline __m512i rounded(V x)
{
    __m512i bits = _mm512_castps_si512(x);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    bits = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF)), odd);
    return _mm512_srli_epi32(bits, 16);
}

static inline __attribute__((always_inline)) P p_of_cols(V lo, V hi)
{
    return _mm512_or_si512(rounded(lo), _mm512_slli_epi32(rounded(hi), 16));
}

static inline __attribute__((always_inline)) P p_of_row(V first, V second)
{
    __m256i lo = _mm512_cvtepi32_epi16(rounded(first)), hi = _mm512_cvtepi32_epi16(rounded(second));
    return _mm512_inserti64x4(_mm512_castsi256_si512(lo), hi, 1);
}

#include "math/kernels_simd.h"
#include "math/kernels_simd_int8.h"
#include "math/kernels_simd_vector.h"
#endif
