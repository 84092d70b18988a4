/* hash.c -- XXH3 behind names of ours (libxxhash, inlined).
 *
 * Its values stand in files (keys of stages, prints, state files) and decide what
 * is drawn, so another hash would be another format. */
#include "base/hash.h"

#include "base/mem.h"

#define XXH_INLINE_ALL
#include <stdio.h>
#include <xxhash.h>

struct hash_stream {
    XXH3_state_t state;
};

struct hash64_stream {
    XXH3_state_t state;
};

uint64_t hash64(struct str s, uint64_t seed)
{
    return XXH3_64bits_withSeed(s.ptr, s.len, seed);
}

struct hash128 hash128(struct str s)
{
    XXH128_hash_t h = XXH3_128bits(s.ptr, s.len);
    return (struct hash128){h.low64, h.high64};
}

void hash128_hex(struct hash128 h, char out[33])
{
    (void)snprintf(out, 33, "%016llx%016llx", (unsigned long long)h.high,
                   (unsigned long long)h.low);
}

struct hash_stream *hash_stream_new(void)
{
    struct hash_stream *h = mem_alloc(sizeof *h);
    (void)XXH3_128bits_reset(&h->state);
    return h;
}

void hash_stream_add(struct hash_stream *h, struct str s)
{
    (void)XXH3_128bits_update(&h->state, s.ptr, s.len);
}

struct hash128 hash_stream_value(const struct hash_stream *h)
{
    XXH128_hash_t v = XXH3_128bits_digest(&h->state);
    return (struct hash128){v.low64, v.high64};
}

void hash_stream_free(struct hash_stream *h)
{
    mem_free(h);
}

struct hash64_stream *hash64_stream_new(uint64_t seed)
{
    struct hash64_stream *h =
        mem_zalloc(sizeof *h); /* or a seed of before might be taken for ours */
    (void)XXH3_64bits_reset_withSeed(&h->state, seed);
    return h;
}

void hash64_stream_add(struct hash64_stream *h, struct str s)
{
    (void)XXH3_64bits_update(&h->state, s.ptr, s.len);
}

uint64_t hash64_stream_value(const struct hash64_stream *h)
{
    return XXH3_64bits_digest(&h->state);
}

void hash64_stream_free(struct hash64_stream *h)
{
    mem_free(h);
}
