/* leak_index.c -- the grams of all items: gathered, sorted, put into a table. */
#include "leak/leak_index.h"

#include "base/mem.h"
#include "base/sort.h"

#include <math.h>

#define FILTER_BITS 16U /* a gram, at least */

struct gram {
    uint64_t hash;
    struct leak_posting posting;
};

static int by_hash_and_place(const void *a, const void *b)
{
    const struct gram *x = a, *y = b;
    if (x->hash != y->hash) {
        return x->hash < y->hash ? -1 : 1;
    }
    if (x->posting.item != y->posting.item) {
        return x->posting.item < y->posting.item ? -1 : 1;
    }
    return x->posting.at < y->posting.at ? -1 : x->posting.at > y->posting.at;
}

static uint64_t power_of_two(uint64_t least)
{
    uint64_t n = 64;
    while (n < least) {
        n *= 2;
    }
    return n;
}

uint64_t leak_index_memory(const struct leak_set *set)
{
    uint64_t grams = set->word_count;
    return grams * (sizeof(struct gram) + sizeof(struct leak_posting)) +
           power_of_two(2 * grams) * sizeof(struct leak_slot) +
           power_of_two(FILTER_BITS * grams) / 8;
}

/* The grams of words first..first + count - 1. */
static size_t gather(const struct leak_set *set, uint32_t item, size_t first, size_t count,
                     uint32_t n, struct gram *out)
{
    struct leak_roll roll = leak_roll_start(n);
    size_t got = 0;
    for (size_t i = 0; i < count; i++) {
        if (i >= n) {
            leak_roll_out(&roll, set->words[first + i - n]);
        }
        leak_roll_in(&roll, set->words[first + i]);
        if (i + 1 >= n) {
            out[got++] = (struct gram){roll.value, {item, (uint32_t)(first + i + 1 - n)}};
        }
    }
    return got;
}

static size_t gather_all(const struct leak_index *x, const struct leak_set *set, struct gram *out)
{
    size_t got = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct leak_item *item = &set->items[i];
        struct leak_question q = leak_item_question(item, x->n);
        size_t first = x->questions ? q.first : item->first;
        size_t count = x->questions ? q.words : leak_item_words(item);
        got += gather(set, (uint32_t)i, first, count, x->n, out + got);
    }
    sort(out, got, sizeof *out, by_hash_and_place);
    if (!x->questions) {
        return got;
    }
    size_t kept = 0; /* each gram once an item */
    for (size_t i = 0; i < got; i++) {
        bool again = kept > 0 && out[kept - 1].hash == out[i].hash &&
                     out[kept - 1].posting.item == out[i].posting.item;
        if (!again) {
            out[kept++] = out[i];
        }
    }
    return kept;
}

static void put(struct leak_index *x, const struct leak_slot *slot)
{
    uint64_t mixed = leak_index_mix(slot->hash), bit = (mixed >> 20) & x->filter_mask;
    uint64_t at = mixed & x->slot_mask;
    while (x->slots[at].count > 0) {
        at = (at + 1) & x->slot_mask;
    }
    x->slots[at] = *slot;
    x->filter[bit >> 6] |= (uint64_t)1 << (bit & 63);
}

static void fill(struct leak_index *x, const struct gram *grams)
{
    for (size_t i = 0; i < x->posting_count;) {
        struct leak_slot slot = {.hash = grams[i].hash, .first = (uint32_t)i};
        while (i < x->posting_count && grams[i].hash == slot.hash) {
            x->postings[i] = grams[i].posting;
            slot.count++;
            i++;
        }
        put(x, &slot);
        x->gram_count++;
    }
}

static winnow_status build(struct leak_index *x, const struct leak_set *set, struct gram *grams,
                           struct winnow_error *err)
{
    x->posting_count = gather_all(x, set, grams);
    uint64_t slots = power_of_two(2 * x->posting_count);
    uint64_t bits = power_of_two(FILTER_BITS * x->posting_count);
    x->slot_mask = slots - 1;
    x->filter_mask = bits - 1;
    x->slots = mem_try_alloc(slots * sizeof *x->slots);
    x->filter = mem_try_alloc(bits / 8);
    x->postings = mem_try_alloc(x->posting_count * sizeof *x->postings);
    if (!x->slots || !x->filter || !x->postings) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %zu grams of the benchmarks",
                         x->posting_count);
    }
    memset(x->slots, 0, slots * sizeof *x->slots);
    memset(x->filter, 0, bits / 8);
    fill(x, grams);
    return WINNOW_OK;
}

winnow_status leak_index_build(struct leak_index *x, const struct leak_set *set, uint32_t n,
                               bool questions, struct winnow_error *err)
{
    *x = (struct leak_index){.n = n, .questions = questions};
    struct gram *grams = mem_try_alloc(set->word_count * sizeof *grams);
    if (!grams) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %zu words of benchmarks",
                         set->word_count);
    }
    winnow_status st = build(x, set, grams, err);
    mem_free(grams);
    return st;
}

void leak_index_release(struct leak_index *x)
{
    mem_free(x->slots);
    mem_free(x->filter);
    mem_free(x->postings);
    *x = (struct leak_index){0};
}

const struct leak_slot *leak_index_look(const struct leak_index *x, uint64_t hash)
{
    uint64_t at = leak_index_mix(hash) & x->slot_mask;
    while (x->slots[at].count > 0) {
        if (x->slots[at].hash == hash) {
            return &x->slots[at];
        }
        at = (at + 1) & x->slot_mask;
    }
    return NULL;
}

const struct leak_posting *leak_index_posting(const struct leak_index *x,
                                              const struct leak_slot *slot, uint32_t item)
{
    const struct leak_posting *p = x->postings + slot->first;
    size_t low = 0, high = slot->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p[middle].item < item) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < slot->count && p[low].item == item ? &p[low] : NULL;
}

double leak_index_idf(const struct leak_set *set, const struct leak_slot *slot)
{
    return log(1.0 + (double)set->count / (double)slot->count);
}
