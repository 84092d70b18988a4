/* mask_bytes.h -- what the scanners ask of a byte. */
#ifndef WINNOW_MASK_MASK_BYTES_H
#define WINNOW_MASK_MASK_BYTES_H

#include "base/str.h"

static inline bool byte_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool byte_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool byte_is_alnum(char c)
{
    return byte_is_digit(c) || byte_is_letter(c);
}

/* Whether one of `bytes` (or an ASCII letter or digit) stands right before at. */
static inline bool stands_behind(struct str s, size_t at, const char *bytes)
{
    return at > 0 && (byte_is_alnum(s.ptr[at - 1]) ||
                      (s.ptr[at - 1] != '\0' && strchr(bytes, s.ptr[at - 1]) != NULL));
}

/* How many digits stand from at on, `most` at most. */
static inline size_t digits_at(struct str s, size_t at, size_t most)
{
    size_t n = 0;
    while (n < most && at + n < s.len && byte_is_digit(s.ptr[at + n])) {
        n++;
    }
    return n;
}

/* Whether a number goes on at at: a letter, a digit or '_', or one of `bytes` and a digit. */
static inline bool number_goes_on(struct str s, size_t at, const char *bytes)
{
    if (at >= s.len) {
        return false;
    }
    char c = s.ptr[at];
    return byte_is_alnum(c) || c == '_' ||
           (c != '\0' && strchr(bytes, c) != NULL && at + 1 < s.len &&
            byte_is_digit(s.ptr[at + 1]));
}

#endif /* WINNOW_MASK_MASK_BYTES_H */
