/* str.h -- a view of bytes that somebody else owns; never NUL-terminated. */
#ifndef WINNOW_BASE_STR_H
#define WINNOW_BASE_STR_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *ptr;
    size_t len;
};

/* For printf: ("%.*s", STR_ARG(s)). */
#define STR_ARG(s)    (int)((s).len > INT32_MAX ? INT32_MAX : (s).len), (s).ptr
#define STR_LIT(text) ((struct str){text, sizeof(text) - 1})

static inline struct str str_of(const char *text)
{
    return (struct str){text, strlen(text)};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool str_is(struct str a, const char *text)
{
    return str_eq(a, str_of(text));
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + (s.len - suffix.len), suffix.ptr, suffix.len) == 0);
}

static inline struct str str_sub(struct str s, size_t from, size_t to)
{
    assert(from <= to && to <= s.len);
    return (struct str){from > 0 ? s.ptr + from : s.ptr, to - from}; /* ptr may be NULL */
}

/* Without ASCII white space at both ends. */
struct str str_trim(struct str s);

/* Takes the next line off *rest (without its '\n'); false at the end.  "a\n" is
 * one line, "" is none. */
bool str_next_line(struct str *rest, struct str *line);

/* Lines when "\n" stands between them: "" is one, "a\n" is two. */
size_t str_count_lines(struct str s);

/* Where needle starts in s, or SIZE_MAX. */
size_t str_find(struct str s, struct str needle);

/* Byte order, shorter first: for sorting. */
int str_cmp(struct str a, struct str b);

#endif /* WINNOW_BASE_STR_H */
