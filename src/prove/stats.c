/* stats.c -- Student's t by the incomplete beta function.
 *
 * P(|T| > t) = I_x(df/2, 1/2) with x = df / (df + t^2), by the continued fraction
 * for I_x (Lentz' method; Abramowitz and Stegun 26.5.8), which converges in a few
 * tens of terms on x < (a + 1)/(a + b + 2); the other side goes by symmetry. */
#include "prove/stats.h"

#include "base/mem.h"
#include "base/sort.h"

#include <math.h>

double stats_mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
    }
    return n > 0 ? sum / (double)n : (double)NAN;
}

double stats_sd(const double *x, size_t n)
{
    if (n < 2) {
        return NAN;
    }
    double mean = stats_mean(x, n), sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (x[i] - mean) * (x[i] - mean);
    }
    return sqrt(sum / (double)(n - 1));
}

static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double f = d;
    for (int m = 1; m <= 500; m++) {
        double k = m;
        double even = k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k));
        double odd = -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1));
        const double terms[2] = {even, odd};
        double step = 1;
        for (int i = 0; i < 2; i++) {
            d = 1 + terms[i] * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + terms[i] / c;
            c = fabs(c) < tiny ? tiny : c;
            step = c * d;
            f *= step;
        }
        if (fabs(step - 1) < 1e-15) {
            break;
        }
    }
    return f;
}

/* lgamma() keeps the sign in a global. */
static double log_gamma(double x)
{
    int sign = 0;
    return lgamma_r(x, &sign);
}

static double incomplete_beta(double a, double b, double x)
{
    if (x <= 0 || x >= 1) {
        return x <= 0 ? 0 : 1;
    }
    double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                     : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double stats_t_cdf(double t, double df)
{
    if (isinf(t)) {
        return t > 0 ? 1 : 0;
    }
    double tail = incomplete_beta(df / 2, 0.5, df / (df + t * t)) / 2;
    return t > 0 ? 1 - tail : tail;
}

double stats_t_quantile(double level, double df)
{
    double low = 0, high = 1;
    while (2 * stats_t_cdf(high, df) - 1 < level && high < 1e12) {
        high *= 2;
    }
    for (int i = 0; i < 200 && high - low > 1e-13 * high; i++) {
        double mid = (low + high) / 2;
        if (2 * stats_t_cdf(mid, df) - 1 < level) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return (low + high) / 2;
}

/* Differences that are equal but for so much: a spread that rounding made. */
#define ROUNDING 1e-9

struct stats_paired stats_paired_t(const double *differences, size_t n)
{
    struct stats_paired out = {stats_mean(differences, n), NAN, NAN, NAN};
    if (n < 2) {
        return out;
    }
    double df = (double)(n - 1);
    double se = stats_sd(differences, n) / sqrt((double)n);
    if (se <= fabs(out.mean) * ROUNDING && fabs(out.mean) > 0) {
        return out; /* items counted, not a variance of 0 */
    }
    double half = stats_t_quantile(0.95, df) * se;
    out.low = out.mean - half;
    out.high = out.mean + half;
    if (se > 0) {
        /* the tail itself, not 1 - cdf: small p keep their digits */
        double t = out.mean / se;
        out.p = incomplete_beta(df / 2, 0.5, df / (df + t * t));
    } else {
        out.p = 1;
    }
    return out;
}

/* P(T > t) of the noncentral t: for a sample sd that is s times the true one, T passes t where
 * a normal number passes t s - shift; the mean of that over s, by Simpson's rule. */
static double power_of_t(double shift, double df, double t)
{
    enum { STEPS = 200 };
    double end = 1 + 8 / sqrt(df), width = end / STEPS, sum = 0;
    double constant = log(2) + df / 2 * log(df / 2) - log_gamma(df / 2);
    for (int i = 0; i <= STEPS; i++) {
        double s = i * width;
        double density = s > 0    ? exp(constant + (df - 1) * log(s) - df * s * s / 2)
                         : df > 1 ? 0
                                  : exp(constant);
        double weight = i == 0 || i == STEPS ? 1 : i % 2 ? 4 : 2;
        sum += weight * density * 0.5 * erfc((t * s - shift) / sqrt(2));
    }
    return sum * width / 3;
}

double stats_detectable(double sd, size_t n, double alpha, double power)
{
    if (n < 2) {
        return NAN;
    }
    double df = (double)(n - 1), t = stats_t_quantile(1 - alpha, df);
    double low = 0, high = 1;
    while (power_of_t(high, df, t) < power && high < 1e9) {
        high *= 2;
    }
    for (int i = 0; i < 60 && high - low > 1e-9 * high; i++) {
        double mid = (low + high) / 2;
        low = power_of_t(mid, df, t) < power ? mid : low;
        high = low < mid ? mid : high;
    }
    return high * sd / sqrt((double)n);
}

struct place {
    double p;
    size_t index;
};

static int place_compare(const void *pa, const void *pb)
{
    const struct place *a = pa, *b = pb;
    if (a->p < b->p || a->p > b->p) {
        return a->p < b->p ? -1 : 1;
    }
    return (a->index > b->index) - (a->index < b->index);
}

void stats_holm(const double *p, size_t n, double *out)
{
    struct place *places = mem_alloc((n + 1) * sizeof *places);
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(p[i])) {
            out[i] = NAN;
        } else {
            places[count++] = (struct place){p[i], i};
        }
    }
    sort(places, count, sizeof *places, place_compare);
    double least = 0; /* a later one is never below an earlier one */
    for (size_t i = 0; i < count; i++) {
        double v = fmin(1, places[i].p * (double)(count - i));
        least = fmax(least, v);
        out[places[i].index] = least;
    }
    mem_free(places);
}

static int double_compare(const void *pa, const void *pb)
{
    double a = *(const double *)pa, b = *(const double *)pb;
    return (a > b) - (a < b);
}

void stats_sort(double *x, size_t n)
{
    sort(x, n, sizeof *x, double_compare);
}

double stats_quantile(const double *sorted, size_t n, double share)
{
    if (n == 0) {
        return NAN;
    }
    double at = share * (double)(n - 1);
    size_t i = (size_t)at;
    if (i + 1 >= n) {
        return sorted[n - 1];
    }
    double part = at - (double)i;
    return sorted[i] * (1 - part) + sorted[i + 1] * part;
}
