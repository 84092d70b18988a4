/* id_set.c -- open addressing over 64-bit hashes, 0 being a free slot.
 *
 * Two ids with one hash count as the same: with n ids that happens with probability
 * n^2 / 2^65, one in 37 million for a million documents.  Cost: 16 bytes an id at least, 32
 * just after growing. */
#include "corpus/id_set.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

void id_set_release(struct id_set *s)
{
    mem_free(s->slots);
    *s = (struct id_set){0};
}

static bool put(uint64_t *slots, size_t size, uint64_t hash)
{
    assert(hash != 0 && (size & (size - 1)) == 0);
    for (size_t at = (size_t)hash & (size - 1);; at = (at + 1) & (size - 1)) {
        if (slots[at] == hash) {
            return false;
        }
        if (slots[at] == 0) {
            slots[at] = hash;
            return true;
        }
    }
}

winnow_status id_set_add(struct id_set *s, uint64_t hash, struct winnow_error *err)
{
    hash = hash == 0 ? 1 : hash; /* 0 marks a free slot */
    if (2 * (s->used + 1) > s->size) {
        size_t size = s->size ? 2 * s->size : 1024;
        uint64_t *slots = mem_try_alloc(size * sizeof *slots);
        if (!slots) {
            return error_set(err, WINNOW_E_NOMEM, "no memory to compare %zu ids (--ids)", s->used);
        }
        memset(slots, 0, size * sizeof *slots);
        for (size_t i = 0; i < s->size; i++) {
            if (s->slots[i] != 0) {
                (void)put(slots, size, s->slots[i]);
            }
        }
        mem_free(s->slots);
        s->slots = slots;
        s->size = size;
    }
    if (put(s->slots, s->size, hash)) {
        s->used++;
    } else {
        s->repeated++;
    }
    return WINNOW_OK;
}
