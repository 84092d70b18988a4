/* least_draws.c -- a heap that is cut back to what is wanted.
 *
 *     offer ─► heap (largest draw on top) ─► the rest does without the top: it goes
 *
 * What was dropped once can never belong to the run again, as only smaller draws come
 * in, so the order in which texts are offered does not matter.  Memory is about
 * bytes_max; a text costs the logarithm of how many are held. */
#include "prune/least_draws.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/utf8.h"

#define ITEM_BYTES 96U /* that an allocation takes beside the text */

static uint64_t counted(const struct least_draws *l, size_t len)
{
    if (l->as_one) {
        return 1;
    }
    return l->counted_max > 0 && len > l->counted_max ? l->counted_max : len;
}

static int item_compare(const void *pa, const void *pb)
{
    const struct drawn_text *a = pa, *b = pb;
    if (a->draw != b->draw) {
        return a->draw < b->draw ? -1 : 1;
    }
    return (a->ordinal > b->ordinal) - (a->ordinal < b->ordinal);
}

static void swap_items(struct drawn_text *a, struct drawn_text *b)
{
    struct drawn_text t = *a;
    *a = *b;
    *b = t;
}

static void sift_up(struct least_draws *l, size_t i)
{
    while (i > 0 && item_compare(&l->items[(i - 1) / 2], &l->items[i]) < 0) {
        swap_items(&l->items[(i - 1) / 2], &l->items[i]);
        i = (i - 1) / 2;
    }
}

static void drop_top(struct least_draws *l)
{
    l->bytes -= counted(l, l->items[0].len);
    l->held -= l->items[0].len + ITEM_BYTES;
    mem_free(l->items[0].text);
    l->items[0] = l->items[--l->count];
    for (size_t i = 0;;) {
        size_t top = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < l->count; child++) {
            top = item_compare(&l->items[child], &l->items[top]) > 0 ? child : top;
        }
        if (top == i) {
            break;
        }
        swap_items(&l->items[i], &l->items[top]);
        i = top;
    }
}

bool least_draws_want(const struct least_draws *l, uint64_t draw, uint64_t ordinal)
{
    const struct drawn_text item = {.draw = draw, .ordinal = ordinal};
    return l->bytes < l->bytes_max || (l->count > 0 && item_compare(&item, &l->items[0]) <= 0);
}

void least_draws_offer(struct least_draws *l, uint64_t draw, uint64_t ordinal, struct str text)
{
    if (!least_draws_want(l, draw, ordinal)) {
        return;
    }
    text = l->text_max > 0 ? utf8_cut(text, l->text_max) : text;
    struct drawn_text item = {draw, ordinal, mem_alloc(text.len + 1), text.len};
    if (text.len > 0) {
        memcpy(item.text, text.ptr, text.len);
    }
    GROW(l->items, l->count, l->cap, 256);
    l->bytes += counted(l, item.len);
    l->held += item.len + ITEM_BYTES;
    l->items[l->count++] = item;
    sift_up(l, l->count - 1);
    while (l->count > 1 && l->bytes - counted(l, l->items[0].len) >= l->bytes_max) {
        drop_top(l);
    }
}

void least_draws_sort(struct least_draws *l)
{
    sort(l->items, l->count, sizeof *l->items, item_compare);
}

void least_draws_release(struct least_draws *l)
{
    for (size_t i = 0; i < l->count; i++) {
        mem_free(l->items[i].text);
    }
    mem_free(l->items);
    *l = (struct least_draws){0};
}
