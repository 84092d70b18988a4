/* utf8.h -- UTF-8, one code point at a time. */
#ifndef WINNOW_BASE_UTF8_H
#define WINNOW_BASE_UTF8_H

#include "base/buf.h"

#define UTF8_REPLACEMENT 0xFFFDU

/* Decodes the code point at s[at] (at < s.len) and returns its length in bytes,
 * 1..4; 0 where the bytes there are no UTF-8 (overlong forms, surrogates and
 * values past U+10FFFF included). */
size_t utf8_decode(struct str s, size_t at, uint32_t *code);

/* Bytes written to out, 1..4; code must be a scalar value. */
size_t utf8_encode(uint32_t code, char out[4]);
void utf8_add(struct buf *out, uint32_t code);

/* Whether the byte continues a code point that began before it. */
static inline bool utf8_continues(char c)
{
    return ((unsigned char)c & 0xC0U) == 0x80U;
}

/* Where the code point that the byte s[at] belongs to starts; at itself at the end. */
size_t utf8_start(struct str s, size_t at);

/* The first bytes_max bytes of s, or fewer, so that no code point is cut. */
struct str utf8_cut(struct str s, size_t bytes_max);

/* Where the first byte that is not UTF-8 stands, or s.len. */
size_t utf8_valid_until(struct str s);

/* Code points in valid UTF-8: bytes that do not continue another. */
size_t utf8_count(struct str s);

/* Appends s with each ill-formed piece replaced by U+FFFD; returns how many. */
size_t utf8_add_repaired(struct buf *out, struct str s);

#endif /* WINNOW_BASE_UTF8_H */
