/* grow.c -- arrays that grow one item at a time.
 *
 * Each doubling copies what is there, so n items cost fewer than 2 n copies. */
#include "base/grow.h"

#include "base/mem.h"

#include <assert.h>

void *grow_array(void *items, size_t size, size_t count, size_t *cap, size_t first)
{
    assert(count <= *cap && first > 0);
    if (count < *cap) {
        return items;
    }
    size_t larger = *cap == 0 ? first : 2 * *cap;
    items = mem_realloc(items, *cap * size, larger * size);
    *cap = larger;
    return items;
}
