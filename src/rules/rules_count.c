/* rules_count.c -- open addressing over hashes, emptied by a new stamp.
 *
 * Keys are 64-bit hashes and compared as such: among the n-grams of a document
 * of a million words two different ones are taken for the same with probability
 * 2^-25.  A table is used again for nine kinds of n-gram a document; raising the
 * stamp empties it without touching memory, and a short document uses only the
 * first entries, which stay in cache. */
#include "rules/rules_count.h"

#include "base/mem.h"

#include <string.h>

#define ROOMY ((size_t)1 << 18) /* entries up to which a table is at most half full */

winnow_status rules_count_start(struct rules_count *c, size_t most, struct winnow_error *err)
{
    size_t need = 64;
    while (need < most * 2 && need < ROOMY) {
        need *= 2;
    }
    if (need < most + most / 2) { /* of a long text: as little as is still quick */
        need = most + most / 2;
    }
    if (need > UINT32_MAX) {
        return error_set(err, WINNOW_E_LIMIT, "a document of %zu n-grams is too long for the rules",
                         most);
    }
    if (need > c->cap) {
        mem_free(c->entries);
        *c = (struct rules_count){0};
        c->entries = mem_try_alloc(need * sizeof *c->entries);
        if (!c->entries) {
            return error_set(err, WINNOW_E_NOMEM, "no memory to count %zu n-grams of a document",
                             most);
        }
        memset(c->entries, 0, need * sizeof *c->entries);
        c->cap = need;
    }
    if (c->stamp == UINT32_MAX) {
        memset(c->entries, 0, c->cap * sizeof *c->entries);
        c->stamp = 0;
    }
    c->stamp++;
    c->size = need;
    return WINNOW_OK;
}

void rules_count_release(struct rules_count *c)
{
    mem_free(c->entries);
    *c = (struct rules_count){0};
}

const struct rules_count_entry *rules_count_add(struct rules_count *c, uint64_t key,
                                                uint64_t number)
{
    /* Fibonacci hashing: the upper bits of a sum of products are the good ones. */
    size_t at = (size_t)((((key * 0x9E3779B97F4A7C15U) >> 32) * c->size) >> 32);
    for (;; at = at + 1 < c->size ? at + 1 : 0) {
        struct rules_count_entry *e = &c->entries[at];
        if (e->stamp != c->stamp) {
            *e = (struct rules_count_entry){key, c->stamp, 1, number};
            return e;
        }
        if (e->key == key) {
            e->times++;
            return e;
        }
    }
}
