/* leak_index.h -- which items hold a gram of n words, and where.
 *
 * An open-addressed table of gram hashes behind a filter of bits, so that a word of a
 * document that is in no item costs one look at memory.  Grams with the same 64-bit hash
 * are taken for one: for a million grams and a billion words of documents that happens
 * with a probability of 5e-5.
 */
#ifndef WINNOW_LEAK_LEAK_INDEX_H
#define WINNOW_LEAK_LEAK_INDEX_H

#include "leak/leak_items.h"

struct leak_posting {
    uint32_t item;
    uint32_t at; /* where in the set's words the gram starts */
};

struct leak_slot {
    uint64_t hash;
    uint32_t first, count; /* of its postings, by item, then place; count 0: free */
};

struct leak_index {
    uint32_t n;
    bool questions; /* of questions only, each gram once an item; else of all of each item */
    struct leak_slot *slots;
    uint64_t slot_mask;
    uint64_t *filter;
    uint64_t filter_mask; /* bits - 1 */
    struct leak_posting *postings;
    size_t posting_count, gram_count;
};

/* Bytes that the index of the set takes at most while it is built. */
uint64_t leak_index_memory(const struct leak_set *set);

winnow_status leak_index_build(struct leak_index *x, const struct leak_set *set, uint32_t n,
                               bool questions, struct winnow_error *err);
void leak_index_release(struct leak_index *x);

/* The slot of a gram that the filter lets through, or NULL. */
const struct leak_slot *leak_index_look(const struct leak_index *x, uint64_t hash);

/* The gram's posting of the item (the first of several), or NULL. */
const struct leak_posting *leak_index_posting(const struct leak_index *x,
                                              const struct leak_slot *slot, uint32_t item);

static inline uint64_t leak_index_mix(uint64_t hash)
{
    hash ^= hash >> 32;
    return hash * UINT64_C(0xD6E8FEB86659FD93);
}

static inline const struct leak_slot *leak_index_find(const struct leak_index *x, uint64_t hash)
{
    uint64_t bit = (leak_index_mix(hash) >> 20) & x->filter_mask;
    return x->filter[bit >> 6] >> (bit & 63) & 1 ? leak_index_look(x, hash) : NULL;
}

/* How rare the gram is among the items: ln(1 + items / those that have it).  (decon's is
 * ln(items / those), which is 0 for all grams of a benchmark of one item.) */
double leak_index_idf(const struct leak_set *set, const struct leak_slot *slot);

#endif /* WINNOW_LEAK_LEAK_INDEX_H */
