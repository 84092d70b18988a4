/* effects.c -- sums by stratum, weighted by how often a unit was drawn. */
#include "study/effects.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"

#include <math.h>
#include <string.h>

static int by_stratum(const void *a, const void *b)
{
    const struct effect_row *x = a, *y = b;
    return x->stratum != y->stratum ? (x->stratum > y->stratum) - (x->stratum < y->stratum)
                                    : (x->unit > y->unit) - (x->unit < y->unit);
}

struct cell {
    double count, sum;
};

/* How many strata there are, and how many of them have both kinds. */
static void count_strata(const struct effect_row *rows, size_t count, struct effect *e)
{
    for (size_t from = 0, to; from < count; from = to) {
        bool kinds[2] = {false, false};
        for (to = from; to < count && rows[to].stratum == rows[from].stratum; to++) {
            kinds[rows[to].treated] = true;
        }
        e->strata++;
        e->strata_used += kinds[0] && kinds[1];
    }
}

/* Rows are sorted by stratum; times: of each unit, NULL: once. */
static double adjusted(const struct effect_row *rows, size_t count, const uint32_t *times,
                       double *used)
{
    double effect = 0;
    *used = 0;
    for (size_t from = 0, to; from < count; from = to) {
        struct cell cells[2] = {{0, 0}, {0, 0}};
        for (to = from; to < count && rows[to].stratum == rows[from].stratum; to++) {
            double n = times ? times[rows[to].unit] : 1;
            cells[rows[to].treated].count += n;
            cells[rows[to].treated].sum += rows[to].outcome ? n : 0;
        }
        if (cells[0].count > 0 && cells[1].count > 0) {
            double n = cells[0].count + cells[1].count;
            effect += n * (cells[1].sum / cells[1].count - cells[0].sum / cells[0].count);
            *used += n;
        }
    }
    return *used > 0 ? effect / *used : (double)NAN;
}

static int by_number(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void redraw(const struct effect_row *rows, size_t count, uint32_t units, uint32_t redraws,
                   uint64_t seed, struct effect *e)
{
    double *effects = mem_alloc((redraws + 1) * sizeof *effects), used;
    uint32_t *times = mem_alloc((units + 1) * sizeof *times);
    size_t n = 0;
    struct rng r;
    rng_init(&r, seed, "study.redraws");
    for (uint32_t k = 0; k < redraws; k++) {
        memset(times, 0, units * sizeof *times);
        for (uint32_t i = 0; i < units; i++) {
            times[rng_below(&r, units)]++;
        }
        double effect = adjusted(rows, count, times, &used);
        if (!isnan(effect)) {
            effects[n++] = effect;
        }
    }
    e->redraws = redraws;
    e->redraws_used = n;
    sort(effects, n, sizeof *effects, by_number);
    if (n >= 40) {
        e->low = effects[n / 40];
        e->high = effects[n - 1 - n / 40];
    }
    mem_free(effects);
    mem_free(times);
}

struct effect effect_of(const struct effect_row *rows, size_t count, uint32_t units,
                        uint32_t redraws, uint64_t seed)
{
    struct effect e = {.rows = count, .low = NAN, .high = NAN};
    struct cell all[2] = {{0, 0}, {0, 0}};
    double used;
    struct effect_row *sorted = mem_alloc((count + 1) * sizeof *sorted);
    if (count > 0) {
        memcpy(sorted, rows, count * sizeof *sorted);
    }
    sort(sorted, count, sizeof *sorted, by_stratum);
    for (size_t i = 0; i < count; i++) {
        all[rows[i].treated].count += 1;
        all[rows[i].treated].sum += rows[i].outcome;
    }
    e.treated = (size_t)all[1].count;
    e.outcomes = (size_t)(all[0].sum + all[1].sum);
    count_strata(sorted, count, &e);
    e.naive = all[0].count > 0 && all[1].count > 0
                  ? all[1].sum / all[1].count - all[0].sum / all[0].count
                  : (double)NAN;
    e.adjusted = adjusted(sorted, count, NULL, &used);
    e.used = (size_t)used;
    if (e.used > 0 && redraws > 0) {
        redraw(sorted, count, units, redraws, seed, &e);
    }
    mem_free(sorted);
    return e;
}
