/* utf8.c -- the decoder that everything else in the house stands on.
 *
 * It takes exactly what RFC 3629 allows: no overlong form, no surrogate, nothing
 * past U+10FFFF.  What is none of that is one bad byte, never a longer guess, so
 * all callers agree on where the next character begins. */
#include "base/utf8.h"

#include <assert.h>

static bool continues(struct str s, size_t at)
{
    return at < s.len && utf8_continues(s.ptr[at]);
}

static uint32_t low6(struct str s, size_t at)
{
    return (unsigned char)s.ptr[at] & 0x3FU;
}

size_t utf8_decode(struct str s, size_t at, uint32_t *code)
{
    assert(at < s.len);

    uint32_t b = (unsigned char)s.ptr[at];
    if (b < 0x80U) {
        *code = b;
        return 1;
    }
    if (b >= 0xC2U && b < 0xE0U && continues(s, at + 1)) {
        *code = (b & 0x1FU) << 6 | low6(s, at + 1);
        return 2;
    }
    if (b >= 0xE0U && b < 0xF0U && continues(s, at + 1) && continues(s, at + 2)) {
        uint32_t c = (b & 0x0FU) << 12 | low6(s, at + 1) << 6 | low6(s, at + 2);
        if (c < 0x800U || (c >= 0xD800U && c < 0xE000U)) {
            return 0;
        }
        *code = c;
        return 3;
    }
    if (b >= 0xF0U && b < 0xF5U && continues(s, at + 1) && continues(s, at + 2) &&
        continues(s, at + 3)) {
        uint32_t c =
            (b & 0x07U) << 18 | low6(s, at + 1) << 12 | low6(s, at + 2) << 6 | low6(s, at + 3);
        if (c < 0x10000U || c > 0x10FFFFU) {
            return 0;
        }
        *code = c;
        return 4;
    }
    return 0;
}

size_t utf8_encode(uint32_t code, char out[4])
{
    assert(code <= 0x10FFFFU && (code < 0xD800U || code > 0xDFFFU));

    if (code < 0x80U) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800U) {
        out[0] = (char)(0xC0U | code >> 6);
        out[1] = (char)(0x80U | (code & 0x3FU));
        return 2;
    }
    if (code < 0x10000U) {
        out[0] = (char)(0xE0U | code >> 12);
        out[1] = (char)(0x80U | (code >> 6 & 0x3FU));
        out[2] = (char)(0x80U | (code & 0x3FU));
        return 3;
    }
    out[0] = (char)(0xF0U | code >> 18);
    out[1] = (char)(0x80U | (code >> 12 & 0x3FU));
    out[2] = (char)(0x80U | (code >> 6 & 0x3FU));
    out[3] = (char)(0x80U | (code & 0x3FU));
    return 4;
}

void utf8_add(struct buf *out, uint32_t code)
{
    out->len += utf8_encode(code, buf_reserve(out, 4));
}

size_t utf8_start(struct str s, size_t at)
{
    assert(at <= s.len);
    while (at > 0 && continues(s, at)) {
        at--;
    }
    return at;
}

struct str utf8_cut(struct str s, size_t bytes_max)
{
    return bytes_max < s.len ? str_sub(s, 0, utf8_start(s, bytes_max)) : s;
}

size_t utf8_valid_until(struct str s)
{
    size_t at = 0;
    while (at < s.len) {
        uint64_t eight;
        if (s.len - at >= sizeof eight) { /* ASCII, eight at a time */
            memcpy(&eight, s.ptr + at, sizeof eight);
            if ((eight & 0x8080808080808080U) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        uint32_t code;
        size_t n = utf8_decode(s, at, &code);
        if (n == 0) {
            return at;
        }
        at += n;
    }
    return s.len;
}

size_t utf8_count(struct str s)
{
    size_t n = s.len, at = 0;
    for (; s.len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t eight; /* a byte that continues has its top bit set and not the one below */
        memcpy(&eight, s.ptr + at, sizeof eight);
        eight &= ~(eight << 1) & 0x8080808080808080U;
        n -= (size_t)((eight >> 7) * 0x0101010101010101U >> 56);
    }
    for (; at < s.len; at++) {
        n -= utf8_continues(s.ptr[at]);
    }
    return n;
}

size_t utf8_add_repaired(struct buf *out, struct str s)
{
    size_t bad = 0;
    while (s.len > 0) {
        size_t good = utf8_valid_until(s);
        buf_add(out, s.ptr, good);
        if (good == s.len) {
            break;
        }
        utf8_add(out, UTF8_REPLACEMENT);
        bad++;
        size_t skip = good + 1;
        while (continues(s, skip) && skip < good + 4) {
            skip++;
        }
        s = str_sub(s, skip, s.len);
    }
    return bad;
}
