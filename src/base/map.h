/* map.h -- strings to numbers: open addressing, keys copied into an arena.
 * Iteration is in the order of insertion. */
#ifndef WINNOW_BASE_MAP_H
#define WINNOW_BASE_MAP_H

#include "base/arena.h"
#include "base/str.h"

struct map_entry {
    struct str key;
    uint64_t value;
    uint64_t hash;
};

/* The tag is the upper half of the hash, so that an entry is looked at only where
 * it is nearly sure to be the one. */
struct map_slot {
    uint32_t index; /* into entries, + 1; 0: free */
    uint32_t tag;
};

/* All-zero is an empty map. */
struct map {
    struct map_entry *entries; /* count of them, in order of insertion */
    size_t count, cap;
    struct map_slot *slots;
    size_t slot_count;
    struct arena keys;
};

void map_release(struct map *m);

/* Room for count keys, so that it need not grow on the way there. */
void map_reserve(struct map *m, size_t count);

/* The value of key, or NULL; valid until the next map_put(). */
uint64_t *map_get(const struct map *m, struct str key);

/* The value of key, which is added with 0 where it is new; *is_new may be NULL. */
uint64_t *map_put(struct map *m, struct str key, bool *is_new);

#endif /* WINNOW_BASE_MAP_H */
