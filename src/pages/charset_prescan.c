/* charset_prescan.c -- what a page says of its charset.
 *
 * The HTML standard's "prescan a byte stream to determine its encoding",
 * attribute by attribute: comments, other tags and quoted values are stepped
 * over, so that nothing but a <meta> element's own attributes counts, and the
 * search goes on behind a label that means nothing.  An XML declaration counts
 * where no <meta> does.  Browsers prescan 1,024 bytes and start over when they meet a
 * later <meta> while parsing; looking at the first 8 KB does for both.
 */
#include "pages/charset_internal.h"

#include <strings.h>

#define PRESCAN_MAX ((size_t)8 << 10)
#define LABEL_MAX   40U

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

enum charset_encoding charset_of_label(struct str label)
{
    char key[LABEL_MAX + 3];
    size_t from = 0, to = label.len;
    while (from < to && is_space(label.ptr[from])) {
        from++;
    }
    while (to > from && is_space(label.ptr[to - 1])) {
        to--;
    }
    if (from == to || to - from > LABEL_MAX) {
        return CHARSET_NONE;
    }
    size_t n = 0;
    key[n++] = ' ';
    for (; from < to; from++) {
        char c = label.ptr[from];
        if (c <= ' ' || c == 0x7F) {
            return CHARSET_NONE;
        }
        key[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    key[n++] = ' ';
    for (unsigned e = 0; e < CHARSET_COUNT; e++) {
        if (str_find(str_of(CHARSET_NAMES[e].labels), (struct str){key, n}) != SIZE_MAX) {
            return (enum charset_encoding)e;
        }
    }
    return CHARSET_NONE;
}

/* What stands inside a page can be read before its encoding is known: it is no
 * UTF-16, and no private code points. */
static enum charset_encoding from_inside(enum charset_encoding e)
{
    if (charset_is_utf16(e)) {
        return CHARSET_UTF_8;
    }
    return e == CHARSET_X_USER_DEFINED ? CHARSET_WINDOWS_1252 : e;
}

static bool is_letter(char c)
{
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z';
}

static bool same(struct str s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.ptr, text, s.len) == 0;
}

static size_t skip_spaces(struct str s, size_t at)
{
    while (at < s.len && is_space(s.ptr[at])) {
        at++;
    }
    return at;
}

struct attribute {
    struct str name, value;
};

/* "Get an attribute": false at the tag's end, or where s ends (*at == s.len). */
static bool next_attribute(struct str s, size_t *at, struct attribute *a)
{
    size_t i = *at;
    *a = (struct attribute){{NULL, 0}, {NULL, 0}};
    while (i < s.len && (is_space(s.ptr[i]) || s.ptr[i] == '/')) {
        i++;
    }
    size_t start = i;
    while (i < s.len && !is_space(s.ptr[i]) && s.ptr[i] != '/' && s.ptr[i] != '>' &&
           (s.ptr[i] != '=' || i == start)) {
        i++;
    }
    a->name = str_sub(s, start, i);
    *at = i;
    if (i == s.len || i == start) {
        return false;
    }
    i = skip_spaces(s, i);
    if (i == s.len || s.ptr[i] != '=') {
        *at = i;
        return i < s.len;
    }
    i = skip_spaces(s, i + 1);
    if (i < s.len && (s.ptr[i] == '"' || s.ptr[i] == '\'')) {
        const char *end = memchr(s.ptr + i + 1, s.ptr[i], s.len - i - 1);
        size_t stop = end ? (size_t)(end - s.ptr) : s.len;
        a->value = str_sub(s, i + 1, stop);
        *at = end ? stop + 1 : s.len;
        return end != NULL;
    }
    start = i;
    while (i < s.len && !is_space(s.ptr[i]) && s.ptr[i] != '>') {
        i++;
    }
    a->value = str_sub(s, start, i);
    *at = i;
    return i < s.len;
}

/* "Extract a character encoding from a meta element": of its content attribute. */
static enum charset_encoding of_content(struct str s)
{
    size_t at = 0;
    for (;;) {
        while (at + 7 < s.len && strncasecmp(s.ptr + at, "charset", 7) != 0) {
            at++;
        }
        if (at + 7 >= s.len) {
            return CHARSET_NONE;
        }
        at = skip_spaces(s, at + 7);
        if (at < s.len && s.ptr[at] == '=') {
            break;
        }
    }
    at = skip_spaces(s, at + 1);
    if (at == s.len) {
        return CHARSET_NONE;
    }
    size_t end = at;
    if (s.ptr[at] == '"' || s.ptr[at] == '\'') {
        const char *quote = memchr(s.ptr + at + 1, s.ptr[at], s.len - at - 1);
        return quote ? charset_of_label(str_sub(s, at + 1, (size_t)(quote - s.ptr))) : CHARSET_NONE;
    }
    while (end < s.len && !is_space(s.ptr[end]) && s.ptr[end] != ';') {
        end++;
    }
    return charset_of_label(str_sub(s, at, end));
}

/* The attributes of a <meta> behind its name. */
static enum charset_encoding of_meta(struct str s, size_t *at)
{
    bool seen_equiv = false, seen_content = false, seen_charset = false;
    bool pragma = false, need_pragma = false;
    enum charset_encoding e = CHARSET_NONE;
    struct attribute a;
    while (next_attribute(s, at, &a)) {
        if (same(a.name, "http-equiv") && !seen_equiv) {
            seen_equiv = true;
            pragma = same(a.value, "content-type");
        } else if (same(a.name, "content") && !seen_content) {
            seen_content = true;
            enum charset_encoding found = seen_charset ? CHARSET_NONE : of_content(a.value);
            if (e == CHARSET_NONE && found != CHARSET_NONE) {
                e = found;
                need_pragma = true;
            }
        } else if (same(a.name, "charset") && !seen_charset) {
            seen_charset = true;
            e = charset_of_label(a.value);
            need_pragma = false;
        }
    }
    bool whole = *at < s.len; /* a tag that the bytes end in says nothing */
    return whole && (pragma || !need_pragma) ? from_inside(e) : CHARSET_NONE;
}

/* "Get an XML encoding". */
static enum charset_encoding of_xml(struct str s)
{
    if (!str_starts(s, STR_LIT("<?xml"))) {
        return CHARSET_NONE;
    }
    const char *close = memchr(s.ptr, '>', s.len);
    s = str_sub(s, 0, close ? (size_t)(close - s.ptr) : 0);
    size_t at = str_find(s, STR_LIT("encoding"));
    if (at == SIZE_MAX) {
        return CHARSET_NONE;
    }
    at += 8;
    while (at < s.len && (unsigned char)s.ptr[at] <= ' ') {
        at++;
    }
    if (at == s.len || s.ptr[at] != '=') {
        return CHARSET_NONE;
    }
    at++;
    while (at < s.len && (unsigned char)s.ptr[at] <= ' ') {
        at++;
    }
    if (at == s.len || (s.ptr[at] != '"' && s.ptr[at] != '\'')) {
        return CHARSET_NONE;
    }
    const char *quote = memchr(s.ptr + at + 1, s.ptr[at], s.len - at - 1);
    struct str label = str_sub(s, at + 1, quote ? (size_t)(quote - s.ptr) : at + 1);
    for (size_t i = 0; i < label.len; i++) {
        if ((unsigned char)label.ptr[i] <= ' ') {
            return CHARSET_NONE;
        }
    }
    return from_inside(charset_of_label(label));
}

/* Behind what starts at s[at] == '<' and is no <meta>; the standard looks for the
 * '>' of a comment from its first dashes on, so that "<!-->" is one. */
static size_t skip_markup(struct str s, size_t at)
{
    struct str rest = str_sub(s, at, s.len);
    if (str_starts(rest, STR_LIT("<!--"))) {
        size_t end = str_find(str_sub(rest, 2, rest.len), STR_LIT("-->"));
        return end == SIZE_MAX ? s.len : at + 2 + end + 3;
    }
    size_t name = at + (rest.len > 1 && rest.ptr[1] == '/' ? 2 : 1);
    if (name < s.len && is_letter(s.ptr[name])) {
        while (name < s.len && !is_space(s.ptr[name]) && s.ptr[name] != '>') {
            name++;
        }
        struct attribute a;
        while (next_attribute(s, &name, &a)) {
        }
        return name < s.len ? name + 1 : s.len;
    }
    if (rest.len > 1 && (rest.ptr[1] == '!' || rest.ptr[1] == '/' || rest.ptr[1] == '?')) {
        const char *end = memchr(rest.ptr, '>', rest.len);
        return end ? (size_t)(end - s.ptr) + 1 : s.len;
    }
    return at + 1;
}

enum charset_encoding charset_prescan(struct str page)
{
    struct str s = str_sub(page, 0, page.len < PRESCAN_MAX ? page.len : PRESCAN_MAX);
    if (str_starts(s, STR_LIT("<\0?\0x\0"))) {
        return CHARSET_UTF_16LE;
    }
    if (str_starts(s, STR_LIT("\0<\0?\0x"))) {
        return CHARSET_UTF_16BE;
    }
    for (size_t at = 0; at < s.len;) {
        const char *open = memchr(s.ptr + at, '<', s.len - at);
        if (!open) {
            break;
        }
        at = (size_t)(open - s.ptr);
        if (s.len - at > 5 && strncasecmp(s.ptr + at, "<meta", 5) == 0 &&
            (is_space(s.ptr[at + 5]) || s.ptr[at + 5] == '/')) {
            at += 5;
            enum charset_encoding e = of_meta(s, &at);
            if (e != CHARSET_NONE) {
                return e;
            }
        } else {
            at = skip_markup(s, at);
        }
    }
    return of_xml(s);
}
