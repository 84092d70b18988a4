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

/* All-zero is an empty map. */
struct map {
    struct map_entry *entries; /* count of them, in order of insertion */
    size_t count, cap;
    uint32_t *slots; /* index + 1 into entries, 0 free */
    size_t slot_count;
    struct arena keys;
};

void map_release(struct map *m);

/* The value of key, or NULL; valid until the next map_put(). */
uint64_t *map_get(const struct map *m, struct str key);

/* The value of key, which is added with 0 where it is new; *is_new may be NULL. */
uint64_t *map_put(struct map *m, struct str key, bool *is_new);

#endif /* WINNOW_BASE_MAP_H */
