/* dropout.h -- which numbers of a step are dropped (Srivastava et al. 2014).
 *
 * What attention and the MLP of each layer add to a token is multiplied by 0 or by
 * 1 / (1 - rate), while gradients are taken and never else.  Which of the two is a function of
 * the seed (one of each step), the layer, which of its two sites, the token's place in the batch
 * and the number's place in the row: so it is the same for any cut into micro-batches, on any
 * number of threads, and in the backward pass, which draws it again.
 */
#ifndef WINNOW_ENGINE_DROPOUT_H
#define WINNOW_ENGINE_DROPOUT_H

#include <stddef.h>
#include <stdint.h>

enum dropout_site { DROPOUT_ATTENTION, DROPOUT_MLP };

struct dropout {
    uint32_t threshold; /* of 16 bits; 0: nothing is dropped */
    float scale;        /* of what stays */
    uint64_t seed;
};

/* A rate in [0, 1), to the next 65,536th. */
struct dropout dropout_of(double rate, uint64_t seed);

/* out = in times the row's factors, plus `add` where that is not NULL; out may be in. */
void dropout_row(const struct dropout *d, uint64_t row, float *out, const float *in,
                 const float *add, size_t n);

/* The row of a token at a site. */
static inline uint64_t dropout_row_of(uint32_t layer, enum dropout_site site, uint64_t token)
{
    return ((uint64_t)layer * 2 + (uint64_t)site) << 40 | token;
}

#endif /* WINNOW_ENGINE_DROPOUT_H */
