/* draw.c -- sorting by hashes, and cutting the sorted line. */
#include "prove/draw.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"
#include "corpus/split.h"

#include <math.h>

struct ranked {
    uint64_t draw;
    uint64_t stream;
    uint32_t copy, item;
};

static int ranked_compare(const void *pa, const void *pb)
{
    const struct ranked *a = pa, *b = pb;
    if (a->draw != b->draw) {
        return a->draw < b->draw ? -1 : 1;
    }
    if (a->copy != b->copy) {
        return a->copy < b->copy ? -1 : 1;
    }
    return (a->item > b->item) - (a->item < b->item);
}

void draw_line_init(struct draw_line *l, const struct text_set *set, const struct map *excluded,
                    const struct packer_options *packer, uint64_t seed)
{
    struct ranked *r = mem_alloc((set->docs.count + 1) * sizeof *r);
    size_t n = 0;
    for (size_t i = 0; i < set->docs.count; i++) {
        const struct text_meta *m = &set->meta[i];
        size_t tokens;
        (void)token_docs_at(&set->docs, i, &tokens);
        uint64_t stream = packer_stream(packer, tokens);
        const struct str key = {(const char *)&m->key, sizeof m->key};
        if (stream > 0 && !(excluded && map_get(excluded, key))) {
            r[n++] = (struct ranked){selector_draw(m->key, seed), stream, m->copy, (uint32_t)i};
        }
    }
    sort(r, n, sizeof *r, ranked_compare);
    *l = (struct draw_line){.set = set, .count = n};
    l->items = mem_alloc((n + 1) * sizeof *l->items);
    l->draws = mem_alloc((n + 1) * sizeof *l->draws);
    l->ends = mem_alloc((n + 1) * sizeof *l->ends);
    uint64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        at += r[i].stream;
        l->items[i] = r[i].item;
        l->draws[i] = r[i].draw;
        l->ends[i] = at;
    }
    mem_free(r);
}

void draw_line_release(struct draw_line *l)
{
    mem_free(l->items);
    mem_free(l->draws);
    mem_free(l->ends);
    *l = (struct draw_line){0};
}

void draw_line_leave_out(struct draw_line *l, uint32_t source)
{
    uint64_t was = 0, at = 0;
    size_t n = 0;
    for (size_t i = 0; i < l->count; i++) {
        uint64_t stream = l->ends[i] - was;
        was = l->ends[i];
        if (l->set->meta[l->items[i]].source != source) {
            at += stream;
            l->items[n] = l->items[i];
            l->draws[n] = l->draws[i];
            l->ends[n++] = at;
        }
    }
    l->count = n;
}

uint64_t draw_line_tokens(const struct draw_line *l, size_t from, size_t to)
{
    return to > from ? l->ends[to - 1] - (from > 0 ? l->ends[from - 1] : 0) : 0;
}

size_t draw_line_above(const struct draw_line *l, uint64_t u)
{
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (l->draws[mid] <= u) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

size_t draw_line_reach(const struct draw_line *l, size_t from, uint64_t tokens)
{
    size_t to = from;
    while (to < l->count && (draw_line_tokens(l, from, to) < tokens ||
                             (to > from && l->draws[to] == l->draws[to - 1]))) {
        to++;
    }
    return to;
}

void arm_draw_release(struct arm_draw *a)
{
    mem_free(a->items);
    mem_free(a->order);
    mem_free(a->weights);
    *a = (struct arm_draw){0};
}

static uint64_t stream_of(const struct draw_line *l, size_t i)
{
    return draw_line_tokens(l, i, i + 1);
}

static void take(struct arm_draw *out, const struct draw_line *l, size_t i)
{
    out->items[out->count++] = l->items[i];
    out->tokens += stream_of(l, i);
}

static void arm_draw_init(struct arm_draw *out, size_t most)
{
    *out = (struct arm_draw){0};
    out->items = mem_alloc((most + 1) * sizeof *out->items);
}

void arm_draw_range(const struct draw_line *l, size_t from, size_t to, struct arm_draw *out)
{
    arm_draw_init(out, to - from);
    for (size_t i = from; i < to; i++) {
        take(out, l, i);
    }
}

void arm_draw_chosen(const struct draw_line *l, size_t from, size_t to, const uint16_t *masks,
                     uint16_t bit, struct arm_draw *out)
{
    arm_draw_init(out, to - from);
    for (size_t i = from; i < to; i++) {
        if (masks[i - from] & bit) {
            take(out, l, i);
        }
    }
}

/* Source and length to the next power of two. */
struct stratum {
    uint32_t source, length;
};

static struct str stratum_of(const struct text_set *set, uint32_t item, struct stratum *room)
{
    size_t n;
    (void)token_docs_at(&set->docs, item, &n);
    *room = (struct stratum){set->meta[item].source, 0};
    while (n > 1) {
        n /= 2;
        room->length++;
    }
    return (struct str){(const char *)room, sizeof *room};
}

void arm_draw_random(const struct draw_line *l, size_t from, size_t to, uint64_t tokens,
                     const struct arm_draw *like, uint64_t seed, struct arm_draw *out)
{
    struct map quota = {0};
    struct stratum room;
    for (size_t i = 0; like && i < like->count; i++) {
        size_t n;
        (void)token_docs_at(&l->set->docs, like->items[i], &n);
        *map_put(&quota, stratum_of(l->set, like->items[i], &room), NULL) += n;
    }
    struct ranked *r = mem_alloc((to - from + 1) * sizeof *r);
    for (size_t i = from; i < to; i++) {
        uint64_t key = l->set->meta[l->items[i]].key;
        r[i - from] = (struct ranked){split_draw(key, seed, "random"), 0,
                                      l->set->meta[l->items[i]].copy, (uint32_t)i};
    }
    sort(r, to - from, sizeof *r, ranked_compare);
    arm_draw_init(out, to - from);
    for (size_t k = 0; k < to - from && (like || out->tokens < tokens); k++) {
        if (!like) {
            take(out, l, r[k].item);
            continue;
        }
        size_t n;
        (void)token_docs_at(&l->set->docs, l->items[r[k].item], &n);
        uint64_t *left = map_get(&quota, stratum_of(l->set, l->items[r[k].item], &room));
        if (left && *left > 0) {
            *left -= *left < n ? *left : n;
            take(out, l, r[k].item);
        }
    }
    mem_free(r);
    map_release(&quota);
}

void arm_draw_cut(struct arm_draw *a, const struct text_set *set,
                  const struct packer_options *packer, uint64_t tokens)
{
    size_t count = 0;
    uint64_t have = 0;
    while (count < a->count && have < tokens) {
        size_t n;
        (void)token_docs_at(&set->docs, a->items[count++], &n);
        have += packer_stream(packer, n);
    }
    a->count = count;
    a->tokens = have;
}

bool arm_draw_weigh(struct arm_draw *a, const struct draw_line *l, size_t from, size_t to,
                    const float *weights)
{
    double sum = 0;
    a->weights = mem_zalloc((l->set->docs.count + 1) * sizeof *a->weights);
    for (size_t i = from; i < to; i++) {
        a->weights[l->items[i]] = weights[i - from];
    }
    for (size_t i = 0; i < a->count; i++) {
        sum += (double)a->weights[a->items[i]];
    }
    for (size_t i = 0; i < a->count && sum > 0; i++) {
        float *w = &a->weights[a->items[i]];
        *w = (float)((double)*w * (double)a->count / sum);
    }
    return sum > 0;
}

/* Copies of a text get draws of their own, or they would follow each other. */
static uint64_t order_draw(const struct text_meta *m, uint64_t seed, uint64_t epoch)
{
    return split_draw(rng_mix(m->key + m->copy), rng_mix(seed) + epoch, "order");
}

void arm_draw_order(struct arm_draw *a, const struct text_set *set, uint64_t tokens, uint64_t seed)
{
    uint64_t epochs = a->tokens > 0 ? (tokens + a->tokens - 1) / a->tokens : 0;
    epochs = epochs > 0 ? epochs : 1;
    mem_free(a->order);
    a->order = mem_alloc((a->count * epochs + 1) * sizeof *a->order);
    a->order_count = 0;
    struct ranked *r = mem_alloc((a->count + 1) * sizeof *r);
    for (uint64_t e = 0; e < epochs; e++) {
        for (size_t i = 0; i < a->count; i++) {
            const struct text_meta *m = &set->meta[a->items[i]];
            r[i] = (struct ranked){order_draw(m, seed, e), 0, m->copy, a->items[i]};
        }
        sort(r, a->count, sizeof *r, ranked_compare);
        for (size_t i = 0; i < a->count; i++) {
            a->order[a->order_count++] = r[i].item;
        }
    }
    mem_free(r);
}

static uint64_t copies_in_epoch(const struct text_meta *m, float weight, uint64_t seed,
                                uint64_t epoch)
{
    uint64_t draw = split_draw(rng_mix(m->key + m->copy), rng_mix(seed) + epoch, "copies");
    double whole = floor((double)weight);
    return (uint64_t)whole + ((double)draw * 0x1p-64 < (double)weight - whole);
}

void arm_draw_order_copies(struct arm_draw *a, const struct text_set *set,
                           const struct packer_options *packer, uint64_t tokens, uint64_t seed)
{
    struct ranked *r = NULL;
    size_t cap = 0, order_cap = 0;
    uint64_t read = 0;
    mem_free(a->order);
    a->order = NULL;
    a->order_count = 0;
    for (uint64_t e = 0; e == 0 || read < tokens; e++) { /* a weight of 1 or more there is */
        size_t n = 0;
        for (size_t i = 0; i < a->count; i++) {
            const struct text_meta *m = &set->meta[a->items[i]];
            uint64_t draw = order_draw(m, seed, e);
            uint64_t copies = copies_in_epoch(m, a->weights[a->items[i]], seed, e);
            size_t length;
            (void)token_docs_at(&set->docs, a->items[i], &length);
            read += copies * packer_stream(packer, length);
            for (uint64_t k = 0; k < copies; k++) { /* the first where the document comes anyhow */
                GROW(r, n, cap, 256);
                r[n++] =
                    (struct ranked){k == 0 ? draw : rng_mix(draw + k), 0, m->copy, a->items[i]};
            }
        }
        sort(r, n, sizeof *r, ranked_compare);
        for (size_t i = 0; i < n; i++) {
            GROW(a->order, a->order_count, order_cap, 256);
            a->order[a->order_count++] = r[i].item;
        }
    }
    mem_free(r);
}
