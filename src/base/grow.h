/* grow.h -- arrays that grow one item at a time, by doubling. */
#ifndef WINNOW_BASE_GROW_H
#define WINNOW_BASE_GROW_H

#include <stddef.h>

/* Room for one item behind the count that items holds, of which cap, a size_t,
 * says how many fit; the first time there is room for `first`.  Pointers into
 * items end here. */
#define GROW(items, count, cap, first) \
    ((items) = grow_array((items), sizeof *(items), (count), &(cap), (first)))

/* What GROW() does; the array may have moved.  It is freed by mem_free(). */
void *grow_array(void *items, size_t size, size_t count, size_t *cap, size_t first);

#endif /* WINNOW_BASE_GROW_H */
