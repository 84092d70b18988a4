/* sort.h -- qsort() for lists that may be empty.
 *
 * The C library's promises nothing where the list is NULL, not even for no
 * items, and a list that never got one is NULL here.  Nothing else calls it. */
#ifndef WINNOW_BASE_SORT_H
#define WINNOW_BASE_SORT_H

#include <stdlib.h>

static inline void sort(void *items, size_t count, size_t size,
                        int (*compare)(const void *a, const void *b))
{
    if (count > 1) {
        qsort(items, count, size, compare);
    }
}

#endif /* WINNOW_BASE_SORT_H */
