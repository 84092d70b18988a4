/* auc.c -- the area under the curve by ranks, and Newcombe's interval. */
#include "quality/auc.h"

#include "base/sort.h"

#include <math.h>

#define Z        1.959963984540054 /* of 95 % */
#define HALVINGS 60

static int by_score(const void *a, const void *b)
{
    const struct auc_item *x = a, *y = b;
    return (x->score > y->score) - (x->score < y->score);
}

/* Hanley and McNeil's variance of an area t, with the mean of both counts in place of each. */
static double variance(double t, double good, double bad)
{
    double n = (good + bad) / 2 - 1;
    return t * (1 - t) * (1 + n * (1 - t) / (2 - t) + n * t / (1 + t)) / (good * bad);
}

/* The area between value and end (0 or 1) from which value is Z deviations away. */
static double bound(double value, double end, double good, double bad)
{
    double inner = value, outer = end;
    for (int i = 0; i < HALVINGS; i++) {
        double at = (inner + outer) / 2;
        if (fabs(value - at) < Z * sqrt(variance(at, good, bad))) {
            inner = at;
        } else {
            outer = at;
        }
    }
    return (inner + outer) / 2;
}

void auc_interval(struct auc *a)
{
    double good = (double)a->good, bad = (double)a->bad;
    a->low = bound(a->value, 0, good, bad);
    a->high = bound(a->value, 1, good, bad);
}

struct auc auc_of(struct auc_item *items, size_t count)
{
    struct auc a = {.value = (double)NAN, .low = (double)NAN, .high = (double)NAN};
    double pairs = 0; /* that are in the right order */
    sort(items, count, sizeof *items, by_score);
    for (size_t i = 0; i < count;) {
        uint64_t good = 0, bad = 0;
        for (double score = items[i].score; i < count && items[i].score == score; i++) {
            good += items[i].good ? 1 : 0;
            bad += items[i].good ? 0 : 1;
        }
        pairs += (double)good * ((double)a.bad + (double)bad / 2);
        a.good += good;
        a.bad += bad;
    }
    if (a.good > 0 && a.bad > 0) {
        a.value = pairs / ((double)a.good * (double)a.bad);
        auc_interval(&a);
    }
    return a;
}
