/* rules_count.h -- how often was this hash there before? */
#ifndef WINNOW_RULES_RULES_COUNT_H
#define WINNOW_RULES_RULES_COUNT_H

#include "base/error.h"

struct rules_count_entry {
    uint64_t key;
    uint32_t stamp; /* the round that wrote it */
    uint32_t times;
    uint64_t first; /* number of the first one */
};

/* All-zero is empty. */
struct rules_count {
    struct rules_count_entry *entries;
    size_t cap, size;
    uint32_t stamp;
};

/* Forgets all keys and makes room for `most` different ones. */
winnow_status rules_count_start(struct rules_count *c, size_t most, struct winnow_error *err);
void rules_count_release(struct rules_count *c);

/* The entry of key, with times raised by one; first is set to number when the
 * key is new. */
const struct rules_count_entry *rules_count_add(struct rules_count *c, uint64_t key,
                                                uint64_t number);

#endif /* WINNOW_RULES_RULES_COUNT_H */
