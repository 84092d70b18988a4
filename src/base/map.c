/* map.c -- a hash table of indices beside a list of entries.
 *
 *     slots    [ .  2  .  1  .  3 ]     index and upper half of the hash; half full at most
 *     entries  [ 1  2  3 ]              key, value, hash; in order of insertion
 *
 * Collisions go to the next slot; a look-up compares tags before it touches an
 * entry, so it costs about one cache miss for the slot and one for the entry.
 * Nothing is ever deleted.  Growing moves slots only: keys stay in their arena. */
#include "base/map.h"

#include "base/hash.h"
#include "base/mem.h"

#include <assert.h>

void map_release(struct map *m)
{
    mem_free(m->entries);
    mem_free(m->slots);
    arena_release(&m->keys);
    *m = (struct map){0};
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

/* The slot that holds key, or the free one where it would go. */
static size_t find_slot(const struct map *m, struct str key, uint64_t hash)
{
    size_t mask = m->slot_count - 1;
    size_t at = (size_t)hash & mask;
    assert((m->slot_count & mask) == 0 && m->count < m->slot_count); /* a search ends */
    while (m->slots[at].index != 0) {
        if (m->slots[at].tag == tag_of(hash)) {
            const struct map_entry *e = &m->entries[m->slots[at].index - 1];
            if (e->hash == hash && str_eq(e->key, key)) {
                break;
            }
        }
        at = (at + 1) & mask;
    }
    return at;
}

/* For a new key: the others need not be looked at. */
static void fill_slot(struct map *m, size_t index)
{
    size_t mask = m->slot_count - 1;
    size_t at = (size_t)m->entries[index].hash & mask;
    while (m->slots[at].index != 0) {
        at = (at + 1) & mask;
    }
    m->slots[at] = (struct map_slot){(uint32_t)(index + 1), tag_of(m->entries[index].hash)};
}

static void set_slots(struct map *m, size_t slot_count)
{
    m->slot_count = slot_count;
    mem_free(m->slots);
    m->slots = mem_zalloc(m->slot_count * sizeof *m->slots);
    for (size_t i = 0; i < m->count; i++) {
        fill_slot(m, i);
    }
}

static void set_cap(struct map *m, size_t cap)
{
    m->entries = mem_realloc(m->entries, m->cap * sizeof *m->entries, cap * sizeof *m->entries);
    m->cap = cap;
}

void map_reserve(struct map *m, size_t count)
{
    size_t slots = 64;
    while (slots < 2 * count) {
        slots *= 2;
    }
    if (slots > m->slot_count) {
        set_slots(m, slots);
    }
    if (count > m->cap) {
        set_cap(m, count);
    }
}

uint64_t *map_get(const struct map *m, struct str key)
{
    if (m->slot_count == 0) {
        return NULL;
    }
    size_t at = find_slot(m, key, hash64(key, 0));
    return m->slots[at].index == 0 ? NULL : &m->entries[m->slots[at].index - 1].value;
}

uint64_t *map_put(struct map *m, struct str key, bool *is_new)
{
    if ((m->count + 1) * 2 > m->slot_count) {
        set_slots(m, m->slot_count == 0 ? 64 : m->slot_count * 2);
    }
    uint64_t hash = hash64(key, 0);
    size_t at = find_slot(m, key, hash);
    if (is_new) {
        *is_new = m->slots[at].index == 0;
    }
    if (m->slots[at].index != 0) {
        return &m->entries[m->slots[at].index - 1].value;
    }
    assert(m->count < UINT32_MAX - 1);
    if (m->count == m->cap) {
        set_cap(m, m->cap == 0 ? 32 : m->cap * 2);
    }
    if (m->keys.block_size == 0) {
        arena_init(&m->keys, (size_t)1 << 16);
    }
    struct map_entry *e = &m->entries[m->count++];
    *e = (struct map_entry){{arena_strndup(&m->keys, key.ptr, key.len), key.len}, 0, hash};
    m->slots[at] = (struct map_slot){(uint32_t)m->count, tag_of(hash)};
    return &e->value;
}
