/* hash.h -- XXH3, the one hash for content.  Values are the same on every
 * machine and may be written to files. */
#ifndef WINNOW_BASE_HASH_H
#define WINNOW_BASE_HASH_H

#include "base/str.h"

struct hash128 {
    uint64_t low, high;
};

uint64_t hash64(struct str s, uint64_t seed);
struct hash128 hash128(struct str s);

/* 32 lower-case hexadecimal digits and a NUL. */
void hash128_hex(struct hash128 h, char out[33]);

/* A hash taken over pieces, e.g. of a file. */
struct hash_stream;
struct hash_stream *hash_stream_new(void);
void hash_stream_add(struct hash_stream *h, struct str s);
struct hash128 hash_stream_value(const struct hash_stream *h);
void hash_stream_free(struct hash_stream *h);

/* hash64() taken over pieces. */
struct hash64_stream;
struct hash64_stream *hash64_stream_new(uint64_t seed);
void hash64_stream_add(struct hash64_stream *h, struct str s);
uint64_t hash64_stream_value(const struct hash64_stream *h);
void hash64_stream_free(struct hash64_stream *h);

#endif /* WINNOW_BASE_HASH_H */
