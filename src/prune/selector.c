/* selector.c -- where documents lie under a seed.  The half is a draw of its own: a proof's
 * pool is the beginning of the line, and has documents of both halves. */
#include "prune/selector.h"

#include "corpus/split.h"

uint64_t selector_draw(uint64_t key, uint64_t seed)
{
    return split_draw(key, seed, "reference");
}

void selector_place(struct selector_document *d, uint64_t seed)
{
    d->draw = selector_draw(d->key, seed);
    d->upper = split_draw(d->key, seed, "half") >> 63;
}
