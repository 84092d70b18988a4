/* wide.c -- long division and multiplication by ten, byte by byte: decimals are short. */
#include "parquet/wide.h"

#define WIDE_MAX 64U

/* Both work on the bytes from the highest down. */

static unsigned divide(unsigned char *v, size_t n, unsigned by)
{
    unsigned rest = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned at = rest << 8 | v[i];
        v[i] = (unsigned char)(at / by);
        rest = at % by;
    }
    return rest;
}

static bool times_ten_plus(unsigned char *v, size_t n, unsigned digit)
{
    unsigned carry = digit;
    for (size_t i = n; i-- > 0;) {
        unsigned at = v[i] * 10U + carry;
        v[i] = (unsigned char)(at & 0xFFU);
        carry = at >> 8;
    }
    return carry == 0;
}

static void negate(unsigned char *v, size_t n)
{
    unsigned carry = 1;
    for (size_t i = n; i-- > 0;) {
        carry += (unsigned char)~v[i];
        v[i] = (unsigned char)(carry & 0xFFU);
        carry >>= 8;
    }
}

static bool is_zero(const unsigned char *v, size_t n)
{
    unsigned any = 0;
    for (size_t i = 0; i < n; i++) {
        any |= v[i];
    }
    return any == 0;
}

bool wide_to_json(struct str bytes, bool little_endian, int scale, struct buf *out)
{
    unsigned char v[WIDE_MAX];
    char text[1200]; /* from the right; a scale is at most 1,000 */
    size_t n = bytes.len, at = sizeof text;
    if (n == 0 || n > WIDE_MAX || scale < 0 || scale > 1000) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        v[i] = (unsigned char)bytes.ptr[little_endian ? n - 1 - i : i];
    }
    bool minus = (v[0] & 0x80U) != 0;
    if (minus) {
        negate(v, n);
    }
    for (int digit = 0; digit <= scale || !is_zero(v, n); digit++) {
        if (digit == scale && scale > 0) {
            text[--at] = '.';
        }
        text[--at] = (char)('0' + divide(v, n, 10));
    }
    buf_add_text(out, minus ? "\"-" : "\"");
    buf_add(out, text + at, sizeof text - at);
    buf_add_char(out, '"');
    return true;
}

/* The fewest bytes that hold the number and its sign. */
static size_t needed(const unsigned char *v)
{
    size_t n = WIDE_MAX;
    unsigned fill = v[0] & 0x80U ? 0xFFU : 0;
    while (n > 1 && v[WIDE_MAX - n] == fill && (v[WIDE_MAX - n + 1] & 0x80U) == (fill & 0x80U)) {
        n--;
    }
    return n;
}

bool wide_from_text(struct str text, bool little_endian, int scale, size_t len, struct buf *out)
{
    unsigned char v[WIDE_MAX] = {0};
    bool minus = text.len > 0 && text.ptr[0] == '-', point = false;
    int behind = 0;
    size_t figures = 0;
    for (size_t i = minus; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '.' && !point) {
            point = true;
        } else if (c < '0' || c > '9' || !times_ten_plus(v, WIDE_MAX, (unsigned)(c - '0'))) {
            return false;
        } else {
            behind += point;
            figures++;
        }
    }
    if (figures == 0 || behind != scale || (v[0] & 0x80U)) {
        return false;
    }
    if (minus) {
        negate(v, WIDE_MAX);
    }
    size_t least = needed(v), n = len > 0 ? len : least;
    if (n < least || n > WIDE_MAX) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        buf_add_char(out, (char)v[WIDE_MAX - (little_endian ? i + 1 : n - i)]);
    }
    return true;
}
