/* json_span.c -- finds the bytes of a value, for replacing just them.
 *
 * A JSON parser gives values, not places, and writing a parsed object back would
 * change what nobody asked to change: number forms, escapes, spacing.  The
 * parser has said that the text is JSON and the how-manieth member is wanted;
 * what is left is to step over values, which takes no stack: inside a container
 * only strings and brackets matter.
 */
#include "base/json_span.h"

#include <assert.h>

static size_t skip_space(struct str s, size_t at)
{
    while (at < s.len &&
           (s.ptr[at] == ' ' || s.ptr[at] == '\t' || s.ptr[at] == '\r' || s.ptr[at] == '\n')) {
        at++;
    }
    return at;
}

/* Behind the string that opens at `at`. */
static size_t skip_string(struct str s, size_t at)
{
    at++;
    for (;;) {
        const char *quote = at < s.len ? memchr(s.ptr + at, '"', s.len - at) : NULL;
        assert(quote);
        size_t end = (size_t)(quote - s.ptr);
        size_t slashes = 0;
        while (end - slashes > at && s.ptr[end - slashes - 1] == '\\') {
            slashes++;
        }
        if (slashes % 2 == 0) {
            return end + 1;
        }
        at = end + 1;
    }
}

static size_t skip_value(struct str s, size_t at)
{
    size_t depth = 0;
    while (at < s.len) {
        char c = s.ptr[at];
        if (c == '"') {
            at = skip_string(s, at);
            if (depth == 0) {
                return at;
            }
            continue;
        }
        if (depth == 0 &&
            (c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
            return at; /* behind a number or a word */
        }
        if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
            if (depth == 0) {
                return at + 1;
            }
        }
        at++;
    }
    return at;
}

struct str json_span_member(struct str object, size_t index)
{
    size_t at = skip_space(object, 0);
    assert(at < object.len && object.ptr[at] == '{');
    for (at++;; index--) {
        at = skip_space(object, at);
        at = skip_string(object, at);
        at = skip_space(object, at) + 1; /* the colon */
        at = skip_space(object, at);
        size_t end = skip_value(object, at);
        if (index == 0) {
            return str_sub(object, at, end);
        }
        at = skip_space(object, end) + 1; /* the comma */
        assert(at < object.len);
    }
}

bool json_span_id(struct json_value object, struct str bytes, const char *key, struct str *out)
{
    size_t index = 0;
    for (struct json_iter it = json_walk(object); it.object && json_next(&it); index++) {
        if (!str_is(it.key, key)) {
            continue;
        }
        if (json_kind(it.value) == JSON_NUMBER) {
            *out = json_span_member(bytes, index);
            return true;
        }
        return json_as_str(it.value, out);
    }
    return false;
}
