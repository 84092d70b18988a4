/* split.c -- keys by streaming XXH3 over the normalised bytes, 4 KiB at a time. */
#include "corpus/split.h"

#include "base/hash.h"
#include "base/rng.h"

static size_t normalise(struct str text, size_t *at, char *out, size_t room)
{
    size_t n = 0;
    for (; *at < text.len && n < room; (*at)++) {
        unsigned char c = (unsigned char)text.ptr[*at];
        if (c >= 'A' && c <= 'Z') {
            c = (unsigned char)(c + ('a' - 'A'));
        }
        if (c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            out[n++] = (char)c;
        }
    }
    return n;
}

uint64_t split_key(struct str text)
{
    char piece[4096];
    size_t at = 0;
    size_t n = normalise(text, &at, piece, sizeof piece);
    if (at == text.len) {
        return hash128((struct str){piece, n}).low;
    }
    struct hash_stream *h = hash_stream_new();
    while (n > 0) {
        hash_stream_add(h, (struct str){piece, n});
        n = normalise(text, &at, piece, sizeof piece);
    }
    uint64_t key = hash_stream_value(h).low;
    hash_stream_free(h);
    return key;
}

uint64_t split_draw(uint64_t key, uint64_t seed, const char *purpose)
{
    return rng_mix(key ^ rng_mix(hash64(str_of(purpose), seed)));
}

double split_unit(uint64_t key, uint64_t seed, const char *purpose)
{
    return (double)(split_draw(key, seed, purpose) >> 11) * 0x1.0p-53;
}

bool split_is_heldout(uint64_t key, double share)
{
    return split_unit(key, 0, "heldout") < share;
}
