/* auc.h -- how well a score tells good from bad, and how surely that is known. */
#ifndef WINNOW_QUALITY_AUC_H
#define WINNOW_QUALITY_AUC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct auc_item {
    double score;
    bool good;
};

/* The chance that a good one scores above a bad one, ties counting half, with an interval
 * of 95 % (Newcombe 2006, method 5, which holds at 0 and 1 too).  All NaN where there are
 * no good or no bad ones. */
struct auc {
    double value, low, high;
    uint64_t good, bad;
};

/* Sorts items. */
struct auc auc_of(struct auc_item *items, size_t count);

/* The interval alone. */
void auc_interval(struct auc *a);

#endif /* WINNOW_QUALITY_AUC_H */
