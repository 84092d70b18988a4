/* words.c -- pieces of text by which pages are aligned and compared.
 *
 * A run of letters and digits is a piece, and so is every other visible character; from
 * U+2E80 on, where scripts have no spaces, each character is one.  No tables: the cut is
 * the same on every machine. */
#include "teach/words.h"

#include "base/utf8.h"

#define STANDS_ALONE 0x2E80U /* scripts without spaces begin about here */

static bool white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Length of the character at s[at] where it belongs to a run; 0 otherwise. */
static size_t in_run(struct str s, size_t at)
{
    unsigned char c = (unsigned char)s.ptr[at];
    if (c < 0x80) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    }
    uint32_t code;
    size_t n = utf8_decode(s, at, &code);
    return n == 0 ? 1 : code < STANDS_ALONE ? n : 0;
}

bool words_next(struct str text, size_t *at, struct str *piece)
{
    size_t i = *at;
    while (i < text.len && white(text.ptr[i])) {
        i++;
    }
    if (i == text.len) {
        *at = i;
        return false;
    }
    size_t from = i, n;
    while (i < text.len && (n = in_run(text, i)) > 0) {
        i += n;
    }
    if (i == from) {
        uint32_t code;
        n = utf8_decode(text, i, &code);
        i += n > 0 ? n : 1;
    }
    *piece = str_sub(text, from, i);
    *at = i;
    return true;
}

uint64_t words_chars(struct str text)
{
    uint64_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        n += !white(text.ptr[i]) && !utf8_continues(text.ptr[i]);
    }
    return n;
}

bool words_any(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] >= 0x80 || in_run(text, i) > 0) {
            return true;
        }
    }
    return false;
}

uint32_t words_number(struct map *numbers, struct str text)
{
    bool is_new;
    uint64_t *value = map_put(numbers, text, &is_new);
    if (is_new) {
        *value = numbers->count - 1;
    }
    return (uint32_t)*value;
}
