/* batch_choice.c -- gains are kept for all candidates and lowered pick by pick, at a product each.
 */
#include "train/batch_choice.h"

#include <math.h>

size_t batch_choice_scratch(const struct choice_of_batch *c)
{
    return 2 * c->count;
}

static size_t largest(const double *gain, const double *open, size_t count)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        if (open[i] > 0 && (best == count || gain[i] > gain[best])) {
            best = i;
        }
    }
    return best;
}

static size_t drawn(const struct choice_of_batch *c, const double *gain, const double *open)
{
    double n = 0, mean = 0, square = 0, sum = 0;
    for (size_t i = 0; i < c->count; i++) {
        n += open[i];
        mean += open[i] * gain[i];
    }
    mean /= n;
    for (size_t i = 0; i < c->count; i++) {
        square += open[i] * (gain[i] - mean) * (gain[i] - mean);
    }
    double deviation = sqrt(square / n), scale = deviation > 0 ? 1 / deviation / c->temperature : 0;
    size_t top = largest(gain, open, c->count), last = top;
    for (size_t i = 0; i < c->count; i++) {
        sum += open[i] * exp((gain[i] - gain[top]) * scale);
    }
    double left = rng_uniform(c->rng) * sum;
    for (size_t i = 0; i < c->count; i++) {
        if (open[i] > 0) {
            last = i;
            left -= exp((gain[i] - gain[top]) * scale);
        }
        if (open[i] > 0 && left < 0) {
            return i;
        }
    }
    return last;
}

static double alike(const struct choice_of_batch *c, size_t a, size_t b)
{
    const float *x = c->sketches + a * c->width, *y = c->sketches + b * c->width;
    double sum = 0;
    for (size_t i = 0; i < c->width; i++) {
        sum += (double)(x[i] * y[i]);
    }
    return sum;
}

size_t batch_choice(const struct choice_of_batch *c, size_t *picks, double *scratch)
{
    double *gain = scratch, *open = scratch + c->count;
    size_t count = 0, left = 0;
    uint64_t tokens = 0;
    for (size_t i = 0; i < c->count; i++) {
        gain[i] = c->gain[i];
        open[i] = c->tokens[i] > 0;
        left += c->tokens[i] > 0;
    }
    while (left-- > 0 && tokens < c->budget) {
        size_t pick = c->temperature > 0 ? drawn(c, gain, open) : largest(gain, open, c->count);
        picks[count++] = pick;
        open[pick] = 0;
        tokens += c->tokens[pick];
        for (size_t i = 0; c->sketches && c->penalty > 0 && i < c->count; i++) {
            gain[i] -= open[i] > 0 ? c->penalty * c->tokens[pick] * alike(c, i, pick) : 0;
        }
    }
    return count;
}
