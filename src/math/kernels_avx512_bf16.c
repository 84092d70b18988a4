/* kernels_avx512_bf16.c -- AVX-512 with the bf16 dot product (Cooper Lake,
 * Sapphire Rapids, Zen 4 and later). */
#include "math/kernels.h"

#if defined(__x86_64__)
#include "math/kernels_avx512_common.h"

#define TABLE             KERNELS_AVX512_BF16
#define TABLE_NAME        "avx512-bf16"

#define V_DOT2(sum, a, b) _mm512_dpbf16_ps(sum, (__m512bh)(a), (__m512bh)(b))

static inline P P_OF_COLS(V lo, V hi)
{
    __m512i l = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(lo));
    __m512i h = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(hi));
    return _mm512_or_si512(l, _mm512_slli_epi32(h, 16));
}

static inline P P_OF_ROW(V first, V second)
{
    return (__m512i)_mm512_cvtne2ps_pbh(second, first);
}

#include "math/kernels_simd.h"
#include "math/kernels_simd_vector.h"
#endif
