/* links.h -- which of many items hang together, by links between two of them.
 *
 * Union-find in which the root of a set is its least item: joining points the greater root
 * at the lesser, and looking up halves the path.  Each join takes one from the number of
 * sets, so it ends; and the sets are the connected components of the links, whatever their
 * order. */
#ifndef WINNOW_DEDUP_LINKS_H
#define WINNOW_DEDUP_LINKS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct links {
    uint32_t *parents;
    size_t count;
};

/* Each item a set of its own. */
winnow_status links_init(struct links *l, size_t count, struct winnow_error *err);
void links_release(struct links *l);

static inline uint32_t links_root(struct links *l, uint32_t item)
{
    while (l->parents[item] != item) {
        l->parents[item] = l->parents[l->parents[item]];
        item = l->parents[item];
    }
    return item;
}

/* The root of both. */
static inline uint32_t links_join(struct links *l, uint32_t a, uint32_t b)
{
    a = links_root(l, a);
    b = links_root(l, b);
    uint32_t low = a < b ? a : b, high = a < b ? b : a;
    l->parents[high] = low;
    return low;
}

#endif /* WINNOW_DEDUP_LINKS_H */
