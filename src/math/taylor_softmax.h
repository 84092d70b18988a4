/* taylor_softmax.h -- draws without replacement whose odds are the second-order softmax,
 * 1 + x + x^2 / 2 (INGENIOUS): those that are worth more come more often, none is left out. */
#ifndef WINNOW_MATH_TAYLOR_SOFTMAX_H
#define WINNOW_MATH_TAYLOR_SOFTMAX_H

#include <math.h>

static inline double taylor_odds(double x)
{
    return 1 + x + x * x / 2;
}

/* The items of the largest keys are the draw, u being uniform for each (Efraimidis and Spirakis):
 * the logarithm of u^(1 / odds). */
static inline double taylor_key(double x, double u)
{
    return log(u > 0 ? u : 1e-300) / taylor_odds(x);
}

#endif /* WINNOW_MATH_TAYLOR_SOFTMAX_H */
