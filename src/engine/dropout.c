/* dropout.c -- four numbers from one mixing of a counter. */
#include "engine/dropout.h"

#include "base/rng.h"

#include <math.h>

struct dropout dropout_of(double rate, uint64_t seed)
{
    uint32_t threshold = (uint32_t)lround(rate * 65536);
    return (struct dropout){threshold, 65536.0F / (float)(65536 - threshold), seed};
}

void dropout_row(const struct dropout *d, uint64_t row, float *out, const float *in,
                 const float *add, size_t n)
{
    uint64_t key = rng_mix(d->seed ^ rng_mix(row));
    for (size_t i = 0; i < n; i += 4) {
        uint64_t bits = rng_mix(key + i);
        for (size_t k = i; k < i + 4 && k < n; k++) {
            float factor = (bits & 0xffff) >= d->threshold ? d->scale : 0.0F;
            out[k] = factor * in[k] + (add ? add[k] : 0.0F);
            bits >>= 16;
        }
    }
}
