/* str.c -- views of bytes: cutting, finding, comparing.
 *
 * A view of no bytes may have a NULL pointer, which the C library's functions must
 * not get even for a length of 0; hence the tests of len. */
#include "base/str.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

bool str_next_line(struct str *rest, struct str *line)
{
    if (rest->len == 0) {
        return false;
    }
    const char *nl = memchr(rest->ptr, '\n', rest->len);
    size_t len = nl ? (size_t)(nl - rest->ptr) : rest->len;
    *line = (struct str){rest->ptr, len};
    size_t taken = nl ? len + 1 : len;
    rest->ptr += taken;
    rest->len -= taken;
    return true;
}

size_t str_count_lines(struct str s)
{
    size_t lines = 1;
    for (size_t i = 0; i < s.len; i++) {
        lines += s.ptr[i] == '\n';
    }
    return lines;
}

size_t str_find(struct str s, struct str needle)
{
    if (needle.len == 0) {
        return 0;
    }
    if (s.len == 0) {
        return SIZE_MAX;
    }
    const char *at = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return at ? (size_t)(at - s.ptr) : SIZE_MAX;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}
