/* minhash.c -- see minhash.h.
 *
 * All permutations are applied to all shingles, so this loop is where the time would go: it
 * holds four vectors of permutations in registers and runs over the shingles, with 8 or 16
 * numbers a vector.  Integers are the same on every processor, so which version runs cannot
 * be seen in the result. */
#include "dedup/minhash.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define HAS_AVX 1
#endif

#define LANES      16U
#define WORDS_SEED 0x776f726473ULL

void minhash_init(struct minhash *m, uint32_t count, uint32_t ngram, uint64_t seed)
{
    struct rng r;
    m->count = count;
    m->padded = (count + LANES - 1) / LANES * LANES;
    m->ngram = ngram;
    m->factors = mem_zalloc(m->padded * sizeof *m->factors);
    m->terms = mem_zalloc(m->padded * sizeof *m->terms);
    rng_init(&r, seed, "minhash");
    for (uint32_t i = 0; i < count; i++) {
        m->factors[i] = (uint32_t)(rng_u64(&r) >> 32) | 1U;
        m->terms[i] = (uint32_t)(rng_u64(&r) >> 32);
    }
}

void minhash_release(struct minhash *m)
{
    mem_free(m->factors);
    mem_free(m->terms);
    *m = (struct minhash){0};
}

void minhash_scratch_release(struct minhash_scratch *s)
{
    near_words_release(&s->words);
    mem_free(s->values);
    *s = (struct minhash_scratch){0};
}

/* ---- the least under each permutation ---- */

void minhash_least_plain(const struct minhash *m, const uint32_t *x, size_t count,
                         uint32_t *signature)
{
    for (uint32_t i = 0; i < m->padded; i++) {
        uint32_t least = UINT32_MAX;
        for (size_t j = 0; j < count; j++) {
            uint32_t y = m->factors[i] * x[j] + m->terms[i];
            least = y < least ? y : least;
        }
        signature[i] = least;
    }
}

#ifdef HAS_AVX
#define AVX512 __attribute__((target("avx512f")))
#define AVX2   __attribute__((target("avx2")))

AVX512 static inline __m512i step512(__m512i a, __m512i b, __m512i x, __m512i least)
{
    return _mm512_min_epu32(least, _mm512_add_epi32(_mm512_mullo_epi32(a, x), b));
}

AVX512 static void one512(const struct minhash *m, uint32_t i, const uint32_t *x, size_t count,
                          uint32_t *signature)
{
    __m512i a = _mm512_loadu_si512(m->factors + i), b = _mm512_loadu_si512(m->terms + i);
    __m512i least = _mm512_set1_epi32(-1);
    for (size_t j = 0; j < count; j++) {
        least = step512(a, b, _mm512_set1_epi32((int)x[j]), least);
    }
    _mm512_storeu_si512(signature + i, least);
}

AVX512 static void least512(const struct minhash *m, const uint32_t *x, size_t count,
                            uint32_t *signature)
{
    uint32_t i = 0;
    for (; i + 4 * LANES <= m->padded; i += 4 * LANES) {
        const uint32_t *f = m->factors + i, *t = m->terms + i;
        __m512i a0 = _mm512_loadu_si512(f), b0 = _mm512_loadu_si512(t);
        __m512i a1 = _mm512_loadu_si512(f + 16), b1 = _mm512_loadu_si512(t + 16);
        __m512i a2 = _mm512_loadu_si512(f + 32), b2 = _mm512_loadu_si512(t + 32);
        __m512i a3 = _mm512_loadu_si512(f + 48), b3 = _mm512_loadu_si512(t + 48);
        __m512i l0 = _mm512_set1_epi32(-1), l1 = l0, l2 = l0, l3 = l0;
        for (size_t j = 0; j < count; j++) {
            __m512i v = _mm512_set1_epi32((int)x[j]);
            l0 = step512(a0, b0, v, l0);
            l1 = step512(a1, b1, v, l1);
            l2 = step512(a2, b2, v, l2);
            l3 = step512(a3, b3, v, l3);
        }
        _mm512_storeu_si512(signature + i, l0);
        _mm512_storeu_si512(signature + i + 16, l1);
        _mm512_storeu_si512(signature + i + 32, l2);
        _mm512_storeu_si512(signature + i + 48, l3);
    }
    for (; i < m->padded; i += LANES) {
        one512(m, i, x, count, signature);
    }
}

AVX2 static inline __m256i load256(const uint32_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

AVX2 static inline __m256i step256(__m256i a, __m256i b, __m256i x, __m256i least)
{
    return _mm256_min_epu32(least, _mm256_add_epi32(_mm256_mullo_epi32(a, x), b));
}

AVX2 static void least256(const struct minhash *m, const uint32_t *x, size_t count,
                          uint32_t *signature)
{
    for (uint32_t i = 0; i < m->padded; i += LANES) {
        __m256i a0 = load256(m->factors + i), b0 = load256(m->terms + i);
        __m256i a1 = load256(m->factors + i + 8), b1 = load256(m->terms + i + 8);
        __m256i l0 = _mm256_set1_epi32(-1), l1 = l0;
        for (size_t j = 0; j < count; j++) {
            __m256i v = _mm256_set1_epi32((int)x[j]);
            l0 = step256(a0, b0, v, l0);
            l1 = step256(a1, b1, v, l1);
        }
        _mm256_storeu_si256((__m256i *)(void *)(signature + i), l0);
        _mm256_storeu_si256((__m256i *)(void *)(signature + i + 8), l1);
    }
}
#endif

void minhash_least(const struct minhash *m, const uint32_t *x, size_t count, uint32_t *signature)
{
#ifdef HAS_AVX
    if (__builtin_cpu_supports("avx512f")) {
        least512(m, x, count, signature);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        least256(m, x, count, signature);
        return;
    }
#endif
    minhash_least_plain(m, x, count, signature);
}

uint32_t minhash_agree(const uint32_t *a, const uint32_t *b, uint32_t count)
{
    uint32_t agree = 0;
    for (uint32_t i = 0; i < count; i++) {
        agree += a[i] == b[i];
    }
    return agree;
}

/* ---- a text ---- */

winnow_status minhash_sign(const struct minhash *m, const struct near_alphabet *a, struct str text,
                           struct minhash_scratch *s, uint32_t *signature, uint64_t *words,
                           struct winnow_error *err)
{
    TRY(near_words_split(a, text, &s->words, err));
    size_t count = near_words_shingles(&s->words, m->ngram);
    *words = 0;
    if (count == 0) {
        return WINNOW_OK;
    }
    if (s->cap < count) {
        mem_free(s->values);
        s->cap = 0;
        size_t cap = count + count / 2 + 256;
        s->values = mem_try_alloc(cap * sizeof *s->values);
        if (!s->values) {
            return error_set(err, WINNOW_E_NOMEM, "no memory for the %zu shingles of a text",
                             count);
        }
        s->cap = cap;
    }
    for (size_t i = 0; i < count; i++) {
        s->values[i] = (uint32_t)hash64(near_words_shingle(&s->words, m->ngram, i), 0);
    }
    uint32_t padded[MINHASH_MAX];
    minhash_least(m, s->values, count, padded);
    memcpy(signature, padded, m->count * sizeof *signature);
    *words = hash64(buf_str(&s->words.text), WORDS_SEED);
    *words += *words == 0;
    return WINNOW_OK;
}
