/* arrange_buckets.h -- lines put in the order of 128-bit keys, in bounded memory.
 *
 *     buckets_new(&b, bytes_in_all, memory, folder, err)
 *     buckets_add(b, &item, err)          any number of times, in any order
 *     buckets_each(b, take, ctx, err)     once: each of them, in the order of their keys
 *
 * A bucket holds a range of keys.  What does not fit in memory goes to files that are unlinked
 * as soon as they are open, one a bucket; each is sorted by itself.  Where buckets end does
 * not show: the order is that of the keys, whatever the memory. */
#ifndef WINNOW_RUN_ARRANGE_BUCKETS_H
#define WINNOW_RUN_ARRANGE_BUCKETS_H

#include "base/error.h"
#include "base/str.h"

#include <stdint.h>

struct bucket_item {
    uint64_t high, low; /* its key; items of the same key come in the order in which they came */
    uint32_t number;    /* the caller's */
    struct str line;
};

struct buckets;

/* bytes: of all lines that will come, as far as known. */
winnow_status buckets_new(struct buckets **out, uint64_t items, uint64_t bytes, uint64_t memory,
                          const char *folder, struct winnow_error *err);
void buckets_free(struct buckets *b);

winnow_status buckets_add(struct buckets *b, const struct bucket_item *item,
                          struct winnow_error *err);

/* The line holds during the call. */
winnow_status buckets_each(struct buckets *b,
                           winnow_status (*take)(void *ctx, const struct bucket_item *item,
                                                 struct winnow_error *err),
                           void *ctx, struct winnow_error *err);

#endif /* WINNOW_RUN_ARRANGE_BUCKETS_H */
