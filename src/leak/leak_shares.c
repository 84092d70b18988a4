/* leak_shares.c -- the rules that look at how much of an item, or of the text, is common:
 * gpt3, llama2, llama3, hare.
 *
 * Words of items are marked as common, a gram of a text once however often the text repeats
 * it; then the marks of each item that was touched are counted.  llama2's spans depend on
 * where in the text they begin, so there each place of a gram counts, up to REPEATS_MAX. */
#include "base/grow.h"
#include "base/mem.h"
#include "base/sort.h"
#include "leak/leak_judge.h"

#include <math.h>

/* Places of one gram in one text that llama2 begins spans at: a text that repeats a line of
 * a thousand items a thousand times must not take a million spans. */
#define REPEATS_MAX 64U

static int by_slot_and_place(const void *a, const void *b)
{
    const struct leak_hit *x = a, *y = b;
    if (x->slot != y->slot) {
        return x->slot < y->slot ? -1 : 1;
    }
    return x->at < y->at ? -1 : x->at > y->at;
}

static void sort_hits(struct leak_scratch *s)
{
    if (s->by_slot_cap < s->hit_count) {
        s->by_slot = mem_realloc(s->by_slot, s->by_slot_cap * sizeof *s->by_slot,
                                 s->hit_cap * sizeof *s->by_slot);
        s->by_slot_cap = s->hit_cap;
    }
    memcpy(s->by_slot, s->hits, s->hit_count * sizeof *s->hits);
    sort(s->by_slot, s->hit_count, sizeof *s->by_slot, by_slot_and_place);
}

static void mark(struct leak_scratch *s, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        s->word_marks[i] = s->generation;
    }
}

/* Behind the last word of the item that is in the span which begins with this gram. */
static size_t span_end(const struct leak_judge *judge, const struct leak_scratch *s,
                       const struct leak_posting *p, size_t at)
{
    const struct leak_item *item = &judge->set->items[p->item];
    size_t item_end = item->first + leak_item_words(item), end = p->at + judge->opt.n;
    size_t i = at + judge->opt.n, k = end;
    for (uint32_t skipped = 0; i < s->words.count && k < item_end; i++, k++) {
        if (s->words.items[i].hash == judge->set->words[k]) {
            end = k + 1;
        } else if (++skipped > judge->opt.skips) {
            break;
        }
    }
    return end;
}

/* The word before is common, too: the span that begins there holds this one's. */
static bool goes_on(const struct leak_judge *judge, const struct leak_scratch *s,
                    const struct leak_posting *p, size_t at)
{
    return at > 0 && p->at > judge->set->items[p->item].first &&
           s->words.items[at - 1].hash == judge->set->words[p->at - 1];
}

static void mark_spans(const struct leak_judge *judge, struct leak_scratch *s,
                       const struct leak_slot *slot, size_t at)
{
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct leak_posting *p = &judge->index.postings[slot->first + i];
        (void)leak_touch(s, p->item);
        if (!goes_on(judge, s, p, at)) {
            mark(s, p->at, span_end(judge, s, p, at));
        }
    }
}

static void mark_grams(const struct leak_judge *judge, struct leak_scratch *s,
                       const struct leak_slot *slot)
{
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct leak_posting *p = &judge->index.postings[slot->first + i];
        (void)leak_touch(s, p->item);
        mark(s, p->at, p->at + (size_t)judge->opt.n);
    }
}

static void mark_all(const struct leak_judge *judge, struct leak_scratch *s)
{
    uint32_t repeats = 0;
    sort_hits(s);
    for (size_t i = 0; i < s->hit_count; i++) {
        const struct leak_slot *slot = &judge->index.slots[s->by_slot[i].slot];
        bool again = i > 0 && s->by_slot[i - 1].slot == s->by_slot[i].slot;
        repeats = again ? repeats + 1 : 0;
        if (judge->rule == WINNOW_LEAK_LLAMA2 && repeats < REPEATS_MAX) {
            mark_spans(judge, s, slot, s->by_slot[i].at);
        } else if (judge->rule != WINNOW_LEAK_LLAMA2 && !again) {
            mark_grams(judge, s, slot);
        }
    }
}

static uint32_t marked_words(const struct leak_judge *judge, const struct leak_scratch *s,
                             uint32_t item)
{
    const struct leak_item *it = &judge->set->items[item];
    uint32_t marked = 0;
    for (size_t i = 0; i < leak_item_words(it); i++) {
        marked += s->word_marks[it->first + i] == s->generation;
    }
    return marked;
}

static void find_items(const struct leak_judge *judge, struct leak_scratch *s)
{
    for (size_t i = 0; i < s->touched_count; i++) {
        uint32_t item = s->touched[i];
        struct leak_find f = {.item = item,
                              .share = (double)marked_words(judge, s, item) /
                                       (double)leak_item_words(&judge->set->items[item]),
                              .threshold =
                                  judge->rule == WINNOW_LEAK_GPT3 ? (double)NAN : judge->opt.share};
        if (judge->rule == WINNOW_LEAK_GPT3 || f.share >= f.threshold - LEAK_EPSILON) {
            leak_add_find(s, &f);
        }
    }
}

/* HARE judges the text; the item that it has most words of stands for all. */
static void find_text(const struct leak_judge *judge, struct leak_scratch *s)
{
    struct leak_find f = {.share =
                              (double)s->hit_count / (double)(s->words.count + 1 - judge->opt.n),
                          .threshold = judge->opt.share};
    uint32_t most = 0;
    if (f.share <= f.threshold) {
        return;
    }
    for (size_t i = 0; i < s->touched_count; i++) {
        uint32_t item = s->touched[i], marked = marked_words(judge, s, item);
        if (marked > most || (marked == most && item < f.item)) {
            most = marked;
            f.item = item;
        }
    }
    leak_add_find(s, &f);
}

/* ---- where ---- */

/* The longest piece of the text that grams of the item follow each other in, with fewer
 * than n words between two. */
static void locate(const struct leak_judge *judge, const struct leak_scratch *s,
                   struct leak_find *f)
{
    uint32_t n = judge->opt.n, first = 0, end = 0;
    for (size_t i = 0; i < s->hit_count; i++) {
        const struct leak_slot *slot = &judge->index.slots[s->hits[i].slot];
        uint32_t at = s->hits[i].at;
        if (!leak_index_posting(&judge->index, slot, f->item)) {
            continue;
        }
        first = end > 0 && at < end + n ? first : at;
        end = at + n;
        if (end - first > f->end - f->first) {
            f->first = first;
            f->end = end;
        }
    }
}

static bool is_found(const struct leak_judge *judge, const struct leak_scratch *s,
                     const struct leak_slot *slot)
{
    for (uint32_t i = 0; i < slot->count; i++) {
        if (s->item_until[judge->index.postings[slot->first + i].item] == s->generation) {
            return true;
        }
    }
    return false;
}

/* All places of all found items; those with fewer than n words between them are one. */
static void add_spans(const struct leak_judge *judge, struct leak_scratch *s)
{
    uint32_t n = judge->opt.n, first = 0, end = 0;
    for (size_t i = 0; i < s->find_count; i++) {
        s->item_until[s->finds[i].item] = s->generation;
    }
    for (size_t i = 0; i < s->hit_count; i++) {
        uint32_t at = s->hits[i].at;
        if (judge->rule != WINNOW_LEAK_HARE &&
            !is_found(judge, s, &judge->index.slots[s->hits[i].slot])) {
            continue;
        }
        if (end > 0 && at >= end + n) {
            leak_add_span(s, first, end);
            end = 0;
        }
        first = end > 0 ? first : at;
        end = at + n;
    }
    if (end > 0) {
        leak_add_span(s, first, end);
    }
}

void leak_find_shares(const struct leak_judge *judge, struct leak_scratch *s)
{
    mark_all(judge, s);
    if (judge->rule == WINNOW_LEAK_HARE) {
        find_text(judge, s);
    } else {
        find_items(judge, s);
    }
    if (s->find_count == 0) {
        return;
    }
    leak_sort_finds(s);
    for (size_t i = 0; i < s->find_count && i < LEAK_SHOWN; i++) {
        locate(judge, s, &s->finds[i]);
    }
    add_spans(judge, s);
}
