/* kv_cache.h -- keys and values of running rows, in pages of a fixed size.
 *
 * A page holds page_tokens positions of all layers.  Inside, for each layer and
 * kv head, keys stand as the right factor of Q K' (panels of gemm_cols keys) and
 * values as the right factor of P V, in the number type of the products, so that
 * nothing is packed when they are read:
 *
 *     page    [layer][kv head] { keys [panel][step of H][gemm_cols]
 *                                values [step of keys][head_pad] }      steps: gemm.h
 *
 * A page that is full and computed is announced with the id of the page before
 * it and its tokens, and can from then on be found by rows that begin with the
 * same tokens, also while it is free, until it is taken for something else
 * (PagedAttention, Kwon et al. 2023, section 4.4).  The longest unused page is
 * taken first.
 */
#ifndef WINNOW_ENGINE_KV_CACHE_H
#define WINNOW_ENGINE_KV_CACHE_H

#include "base/arena.h"
#include "base/error.h"
#include "math/gemm.h"
#include "model/config.h"

#define KV_NO_PAGE UINT32_MAX

struct kv_shape {
    struct gemm g;
    size_t layers, kv_heads, head_dim;
    uint32_t head_pad;
    uint32_t page_tokens; /* a multiple of gemm_cols, and even */
};

struct kv_cache {
    struct kv_shape shape;
    size_t value_offset, head_bytes, page_bytes;
    uint32_t count;
    uint32_t free, free_first, free_last; /* pages that no row holds, oldest first */
    struct kv_page *pages;
    uint32_t *tokens;  /* [count][page_tokens] of announced pages */
    uint32_t *buckets; /* heads of chains of announced pages */
    uint32_t bucket_mask;
    uint64_t next_id;
    char *memory;
};

/* Sets the sizes; nothing is allocated. */
void kv_cache_describe(struct kv_cache *c, const struct kv_shape *shape);

/* Takes count pages, bookkeeping from arena; false when out of memory, with
 * nothing to release but the arena. */
bool kv_cache_init(struct kv_cache *c, uint32_t count, struct arena *arena);
void kv_cache_release(struct kv_cache *c);

/* A page for one row, or KV_NO_PAGE. */
uint32_t kv_cache_take(struct kv_cache *c);
/* A row lets go of a page. */
void kv_cache_drop(struct kv_cache *c, uint32_t page);

/* The page holds these page_tokens tokens, behind the page of id parent (0:
 * none).  Returns its id; that of an older page where one holds the same. */
uint64_t kv_cache_announce(struct kv_cache *c, uint32_t page, uint64_t parent,
                           const uint32_t *tokens);
/* The page so announced, held by one row more; or KV_NO_PAGE. */
uint32_t kv_cache_find(struct kv_cache *c, uint64_t parent, const uint32_t *tokens, uint64_t *id);

/* Factors of one layer and kv head in a page. */
void *kv_cache_keys(const struct kv_cache *c, uint32_t page, size_t layer, size_t kv_head);
void *kv_cache_values(const struct kv_cache *c, uint32_t page, size_t layer, size_t kv_head);

/* Writes position at (of the page) from f32 rows of head_dim numbers.  Positions
 * of a page come in order. */
void kv_cache_put_key(const struct kv_cache *c, void *keys, uint32_t at, const float *key);
void kv_cache_put_value(const struct kv_cache *c, void *values, uint32_t at, const float *value);

#endif /* WINNOW_ENGINE_KV_CACHE_H */
