/* kernels_avx512_bf16.c -- AVX-512 with the dot products of bf16 and of bytes
 * (VNNI): Cooper Lake, Sapphire Rapids, Zen 4 and later. */
#include "math/kernels.h"

#if defined(__x86_64__)
#include "math/kernels_avx512_common.h"

#define TABLE      KERNELS_AVX512_BF16
#define TABLE_NAME "avx512-bf16"

/* sum + the two products of each pair. */
static inline __attribute__((always_inline)) V v_dot2(V sum, P a, P b)
{
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
}

/* sum + the four products of each quad, b unsigned, a signed. */
static inline __attribute__((always_inline)) P v_dot4(P sum, P b, P a)
{
    return _mm512_dpbusd_epi32(sum, b, a);
}

static inline __attribute__((always_inline)) P p_of_cols(V lo, V hi)
{
    /* The conversion puts all of lo below all of hi. */
    const __m512i order =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(hi, lo));
}

static inline __attribute__((always_inline)) P p_of_row(V first, V second)
{
    return (__m512i)_mm512_cvtne2ps_pbh(second, first);
}

#include "math/kernels_simd.h"
#include "math/kernels_simd_int8.h"
#include "math/kernels_simd_vector.h"
#endif
