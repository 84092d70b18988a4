/* mask_find.c -- the spans of all kinds, in one order.
 *
 * Each kind is looked for by itself; then those that overlap an earlier one go.  (A web
 * address may hold an e-mail address, a telephone number the digits of a card.) */
#include "mask/mask_find.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/sort.h"

const char *mask_kind_name(enum mask_kind kind)
{
    static const char *const NAMES[MASK_KINDS] = {
        [MASK_URL] = "url",   [MASK_EMAIL] = "email", [MASK_PHONE] = "phone",
        [MASK_CARD] = "card", [MASK_IP] = "ip",
    };
    return NAMES[kind];
}

void mask_spans_release(struct mask_spans *spans)
{
    mem_free(spans->items);
    *spans = (struct mask_spans){0};
}

static bool next_of(enum mask_kind kind, struct str text, bool public_only, size_t *at,
                    struct mask_span *out)
{
    switch (kind) {
    case MASK_EMAIL:
        return mask_next_email(text, at, out);
    case MASK_PHONE:
        return mask_next_phone(text, at, out);
    case MASK_CARD:
        return mask_next_card(text, at, out);
    case MASK_IP:
        return mask_next_ip(text, public_only, at, out);
    case MASK_URL:
        return mask_next_url(text, at, out);
    case MASK_KINDS:
        break;
    }
    return false;
}

/* By start, the longer first, then by kind. */
static int by_place(const void *a, const void *b)
{
    const struct mask_span *x = a, *y = b;
    if (x->start != y->start) {
        return x->start < y->start ? -1 : 1;
    }
    if (x->end != y->end) {
        return x->end > y->end ? -1 : 1;
    }
    return (int)x->kind - (int)y->kind;
}

void mask_find(struct str text, unsigned kinds, bool public_only, struct mask_spans *out)
{
    out->count = 0;
    for (unsigned kind = 0; kind < MASK_KINDS; kind++) {
        struct mask_span span;
        for (size_t at = 0;
             (kinds >> kind & 1) && next_of((enum mask_kind)kind, text, public_only, &at, &span);) {
            GROW(out->items, out->count, out->cap, 16);
            out->items[out->count++] = span;
        }
    }
    sort(out->items, out->count, sizeof *out->items, by_place);
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++) {
        if (kept == 0 || out->items[i].start >= out->items[kept - 1].end) {
            out->items[kept++] = out->items[i];
        }
    }
    out->count = kept;
}
