/* rng.c -- xoshiro256** (Blackman and Vigna 2018), seeded through splitmix64.
 *
 * The state comes from the hash of the stream's name under the seed, so streams are
 * as independent as hashes are.  Integers are drawn by rejection: without bias, and
 * with the same numbers on every machine. */
#include "base/rng.h"

#include "base/hash.h"

#include <assert.h>
#include <math.h>

uint64_t rng_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

void rng_init(struct rng *r, uint64_t seed, const char *stream)
{
    uint64_t x = hash64(str_of(stream), seed);
    for (size_t i = 0; i < 4; i++) {
        r->s[i] = rng_mix(x + i * 0x9e3779b97f4a7c15U);
    }
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t rng_u64(struct rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *r, uint64_t n)
{
    assert(n > 0);

    uint64_t reject_below = (0 - n) % n; /* 2^64 mod n: keeps the rest unbiased */
    for (;;) {
        uint64_t x = rng_u64(r);
        if (x >= reject_below) {
            return x % n;
        }
    }
}

double rng_uniform(struct rng *r)
{
    return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

double rng_normal(struct rng *r)
{
    double u = 1.0 - rng_uniform(r); /* (0, 1]: the logarithm is finite */
    double v = rng_uniform(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void rng_shuffle_u32(struct rng *r, uint32_t *items, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)rng_below(r, i);
        uint32_t t = items[i - 1];
        items[i - 1] = items[j];
        items[j] = t;
    }
}
