/* kv_cache.c -- see the header for the layout of a page.
 *
 * Pages without a row form one list, a free page that can still be found among
 * them: it is taken out of the middle when a row finds it, so the list is linked
 * both ways.  Lookup is a table of chains over hash(parent, tokens), compared in
 * full.
 */
#include "engine/kv_cache.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/round.h"

#include <assert.h>
#include <string.h>

struct kv_page {
    uint32_t users;
    uint32_t before, after; /* in the list of free pages */
    uint32_t chain;         /* the next of its bucket */
    uint64_t id;            /* 0: cannot be found */
    uint64_t parent;
};

void kv_cache_describe(struct kv_cache *c, const struct kv_shape *shape)
{
    *c = (struct kv_cache){.shape = *shape};
    uint32_t cols = shape->g.k->gemm_cols;
    assert(shape->page_tokens % cols == 0 && shape->page_tokens % 2 == 0);
    c->value_offset = round_up(
        shape->page_tokens * gemm_steps(&shape->g, shape->head_dim) * sizeof(uint32_t), 64);
    /* A tile reads whole vectors: up to gemm_cols numbers from any column on. */
    size_t values = gemm_steps(&shape->g, shape->page_tokens) * shape->head_pad;
    c->head_bytes = c->value_offset + round_up(values * sizeof(uint32_t), 64);
    c->page_bytes = shape->layers * shape->kv_heads * c->head_bytes;
}

bool kv_cache_init(struct kv_cache *c, uint32_t count, struct arena *arena)
{
    uint32_t buckets = 1;
    while (buckets < count && buckets < 1U << 30) {
        buckets *= 2;
    }
    c->count = count;
    c->bucket_mask = buckets - 1;
    c->pages = arena_try_alloc(arena, count, sizeof *c->pages);
    c->tokens = arena_try_alloc(arena, (size_t)count * c->shape.page_tokens, sizeof *c->tokens);
    c->buckets = arena_try_alloc(arena, buckets, sizeof *c->buckets);
    c->memory = mem_try_alloc_huge((size_t)count * c->page_bytes + 64 * sizeof(float));
    if (!c->pages || !c->tokens || !c->buckets || !c->memory) {
        kv_cache_release(c);
        return false;
    }
    for (uint32_t i = 0; i < buckets; i++) {
        c->buckets[i] = KV_NO_PAGE;
    }
    for (uint32_t i = 0; i < count; i++) {
        c->pages[i] = (struct kv_page){.before = i > 0 ? i - 1 : KV_NO_PAGE,
                                       .after = i + 1 < count ? i + 1 : KV_NO_PAGE,
                                       .chain = KV_NO_PAGE};
    }
    c->free = count;
    c->free_first = 0;
    c->free_last = count - 1;
    return true;
}

void kv_cache_release(struct kv_cache *c)
{
    if (c->memory) {
        mem_free_huge(c->memory, (size_t)c->count * c->page_bytes + 64 * sizeof(float));
        c->memory = NULL;
    }
}

/* ---- the list of free pages ---- */

static void unlink_free(struct kv_cache *c, uint32_t page)
{
    struct kv_page *p = &c->pages[page];
    if (p->before != KV_NO_PAGE) {
        c->pages[p->before].after = p->after;
    } else {
        c->free_first = p->after;
    }
    if (p->after != KV_NO_PAGE) {
        c->pages[p->after].before = p->before;
    } else {
        c->free_last = p->before;
    }
    c->free--;
}

/* Pages that nobody can find any more go to the front. */
static void link_free(struct kv_cache *c, uint32_t page)
{
    struct kv_page *p = &c->pages[page];
    bool front = p->id == 0;
    p->before = front ? KV_NO_PAGE : c->free_last;
    p->after = front ? c->free_first : KV_NO_PAGE;
    if (p->before != KV_NO_PAGE) {
        c->pages[p->before].after = page;
    } else {
        c->free_first = page;
    }
    if (p->after != KV_NO_PAGE) {
        c->pages[p->after].before = page;
    } else {
        c->free_last = page;
    }
    c->free++;
}

/* ---- lookup ---- */

static uint32_t *tokens_of(const struct kv_cache *c, uint32_t page)
{
    return c->tokens + (size_t)page * c->shape.page_tokens;
}

static uint32_t *bucket_of(const struct kv_cache *c, uint64_t parent, const uint32_t *tokens)
{
    struct str bytes = {(const char *)tokens, c->shape.page_tokens * sizeof *tokens};
    return &c->buckets[hash64(bytes, parent) & c->bucket_mask];
}

static void forget(struct kv_cache *c, uint32_t page)
{
    struct kv_page *p = &c->pages[page];
    if (p->id == 0) {
        return;
    }
    uint32_t *at = bucket_of(c, p->parent, tokens_of(c, page));
    while (*at != page) {
        at = &c->pages[*at].chain;
    }
    *at = p->chain;
    p->id = 0;
}

static uint32_t lookup(const struct kv_cache *c, uint64_t parent, const uint32_t *tokens)
{
    uint32_t at = *bucket_of(c, parent, tokens);
    while (at != KV_NO_PAGE &&
           (c->pages[at].parent != parent ||
            memcmp(tokens_of(c, at), tokens, c->shape.page_tokens * sizeof *tokens) != 0)) {
        at = c->pages[at].chain;
    }
    return at;
}

uint32_t kv_cache_take(struct kv_cache *c)
{
    uint32_t page = c->free_first;
    if (page == KV_NO_PAGE) {
        return KV_NO_PAGE;
    }
    unlink_free(c, page);
    forget(c, page);
    c->pages[page].users = 1;
    return page;
}

void kv_cache_drop(struct kv_cache *c, uint32_t page)
{
    assert(c->pages[page].users > 0);
    if (--c->pages[page].users == 0) {
        link_free(c, page);
    }
}

uint64_t kv_cache_announce(struct kv_cache *c, uint32_t page, uint64_t parent,
                           const uint32_t *tokens)
{
    struct kv_page *p = &c->pages[page];
    assert(p->users == 1 && p->id == 0);
    uint32_t twin = lookup(c, parent, tokens);
    if (twin != KV_NO_PAGE) {
        return c->pages[twin].id;
    }
    memcpy(tokens_of(c, page), tokens, c->shape.page_tokens * sizeof *tokens);
    uint32_t *bucket = bucket_of(c, parent, tokens);
    p->id = ++c->next_id;
    p->parent = parent;
    p->chain = *bucket;
    *bucket = page;
    return p->id;
}

uint32_t kv_cache_find(struct kv_cache *c, uint64_t parent, const uint32_t *tokens, uint64_t *id)
{
    uint32_t page = lookup(c, parent, tokens);
    if (page == KV_NO_PAGE) {
        return KV_NO_PAGE;
    }
    if (c->pages[page].users++ == 0) {
        unlink_free(c, page);
    }
    *id = c->pages[page].id;
    return page;
}

/* ---- numbers ---- */

void *kv_cache_keys(const struct kv_cache *c, uint32_t page, size_t layer, size_t kv_head)
{
    return c->memory + (size_t)page * c->page_bytes +
           (layer * c->shape.kv_heads + kv_head) * c->head_bytes;
}

void *kv_cache_values(const struct kv_cache *c, uint32_t page, size_t layer, size_t kv_head)
{
    return (char *)kv_cache_keys(c, page, layer, kv_head) + c->value_offset;
}

void kv_cache_put_key(const struct kv_cache *c, void *keys, uint32_t at, const float *key)
{
    const struct gemm *g = &c->shape.g;
    uint32_t cols = g->k->gemm_cols, steps[MODEL_HEAD_DIM_MAX];
    size_t h = c->shape.head_dim, count = gemm_steps(g, h);
    gemm_pack_rows(g, steps, 1, &(struct pack_source){key, h, 1, h});
    uint32_t *to = (uint32_t *)keys + at / cols * count * cols + at % cols;
    for (size_t i = 0; i < count; i++) {
        to[i * cols] = steps[i];
    }
}

void kv_cache_put_value(const struct kv_cache *c, void *values, uint32_t at, const float *value)
{
    const struct gemm *g = &c->shape.g;
    size_t h = c->shape.head_dim;
    uint32_t pad = c->shape.head_pad;
    struct pack_source s = {value, h, 1, h};
    if (g->type == GEMM_F32) {
        gemm_pack_cols(g, (uint32_t *)values + (size_t)at * pad, pad, &s);
        return;
    }
    /* A pair of positions is one step: the even one fills it with a 0 behind. */
    uint32_t *to = (uint32_t *)values + (size_t)at / 2 * pad;
    if (at % 2 == 0) {
        gemm_pack_cols(g, to, pad, &s);
        return;
    }
    uint32_t steps[MODEL_HEAD_DIM_MAX];
    gemm_pack_cols(g, steps, pad, &s);
    for (size_t i = 0; i < h; i++) {
        to[i] |= steps[i] << 16;
    }
}
