/* generate_sample.c -- chance in the choice of the next token, without a sum over the vocabulary.
 *
 * The largest of x_i / T + g_i, with independent g_i of Gumbel's distribution, is token i with
 * the probability that softmax(x / T) gives it (Gumbel 1954; "the Gumbel-max trick").  So a draw
 * is the same search for a maximum that greedy choice is, over chunks in any order on any
 * thread, and masks, ties and the joining of chunks stay what they are.
 *
 * g is -ln(-ln u), and u a hash of the request's seed, the position in the sequence and the
 * token: who else is being generated, and how the vocabulary is cut, have no part in it. */
#include "base/rng.h"
#include "engine/generator_internal.h"

#include <math.h>

/* 52 bits: one more, and the largest would round to 1. */
static double unit(uint64_t bits)
{
    return ((double)(bits >> 12) + 0.5) * 0x1.0p-52;
}

uint64_t generate_sample_key(uint64_t seed, uint32_t position)
{
    return rng_mix(rng_mix(seed) + position);
}

void generate_add_chance(float *x, size_t n, uint32_t token, float temperature, uint64_t key)
{
    for (size_t i = 0; i < n; i++) {
        double u = unit(rng_mix(key + token + i));
        x[i] = x[i] / temperature - (float)log(-log(u));
    }
}
