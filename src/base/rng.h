/* rng.h -- random numbers that are the same everywhere.
 *
 * xoshiro256** (Blackman, Vigna 2018), seeded by splitmix64.  A generator is
 * named by a seed and a stream: two purposes in one run take two streams, so
 * that drawing more for one does not shift the other.
 */
#ifndef WINNOW_BASE_RNG_H
#define WINNOW_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed, const char *stream);
uint64_t rng_u64(struct rng *r);

/* Uniform in 0..n-1, without bias; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);

/* Uniform in [0, 1), 53 bits. */
double rng_uniform(struct rng *r);

/* Standard normal (Box-Muller; takes two draws a value). */
double rng_normal(struct rng *r);

/* Fisher-Yates over n items. */
void rng_shuffle_u32(struct rng *r, uint32_t *items, size_t n);

/* splitmix64's mixing of one word: a cheap hash of numbers. */
uint64_t rng_mix(uint64_t x);

#endif /* WINNOW_BASE_RNG_H */
