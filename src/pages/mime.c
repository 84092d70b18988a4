/* mime.c -- see mime.h.  Headers are written by hand and often wrong; what browsers
 * make of them decides: "text/html,charset=x" is a list whose second member is no
 * type, "text/html charset=x" is HTML. */
#include "pages/mime.h"

#include <strings.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i], low = (char)(c | 0x20);
        bool plain = (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c))) {
            return false;
        }
    }
    return s.len > 0;
}

static struct str trim(struct str s)
{
    size_t from = 0, to = s.len;
    while (from < to && is_space(s.ptr[from])) {
        from++;
    }
    while (to > from && is_space(s.ptr[to - 1])) {
        to--;
    }
    return str_sub(s, from, to);
}

/* Up to the first `mark` outside quotes; *rest is what comes behind it. */
static struct str cut(struct str s, char mark, struct str *rest)
{
    bool quoted = false;
    for (size_t i = 0; i < s.len; i++) {
        if (quoted && s.ptr[i] == '\\') {
            i++;
        } else if (s.ptr[i] == '"') {
            quoted = !quoted;
        } else if (s.ptr[i] == mark && !quoted) {
            *rest = str_sub(s, i + 1, s.len);
            return str_sub(s, 0, i);
        }
    }
    *rest = (struct str){NULL, 0};
    return s;
}

static bool is_mime(struct str s)
{
    const char *slash = s.len > 0 ? memchr(s.ptr, '/', s.len) : NULL;
    size_t at = slash ? (size_t)(slash - s.ptr) : s.len;
    return slash && is_token(str_sub(s, 0, at)) && is_token(str_sub(s, at + 1, s.len));
}

/* The value of a parameter named charset, or empty. */
static struct str charset_of(struct str parameter)
{
    struct str value;
    struct str name = trim(cut(parameter, '=', &value));
    if (!mime_is(name, "charset")) {
        return (struct str){NULL, 0};
    }
    value = trim(value);
    if (value.len >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
        value.ptr[value.len - 1] == value.ptr[0]) {
        value = str_sub(value, 1, value.len - 1);
    }
    return value;
}

/* One type with its parameters; false where it is none. */
static bool parse_one(struct str s, struct str *mime, struct str *charset)
{
    struct str rest;
    struct str type = trim(cut(s, ';', &rest));
    size_t end = 0;
    while (end < type.len && !is_space(type.ptr[end]) && type.ptr[end] != '(') {
        end++;
    }
    struct str behind = str_sub(type, end, type.len);
    type = str_sub(type, 0, end);
    if (!is_mime(type) || mime_is(type, "*/*")) {
        return false;
    }
    *mime = type;
    *charset = charset_of(behind); /* "text/html charset=x": the semicolon was forgotten */
    while (charset->len == 0 && rest.len > 0) {
        struct str parameter = cut(rest, ';', &rest);
        *charset = charset_of(parameter);
    }
    return true;
}

void mime_parse(struct str value, struct str *mime, struct str *charset)
{
    *mime = *charset = (struct str){NULL, 0};
    while (value.len > 0) {
        struct str one = cut(value, ',', &value), type, its_charset;
        if (parse_one(one, &type, &its_charset)) {
            bool same = type.len == mime->len && strncasecmp(type.ptr, mime->ptr, type.len) == 0;
            *mime = type;
            *charset = its_charset.len > 0 || !same ? its_charset : *charset;
        } else if (mime->len > 0 && charset->len == 0) {
            *charset = charset_of(one); /* "text/html,charset=x" */
        }
    }
}

bool mime_is(struct str mime, const char *type)
{
    return mime.len == strlen(type) && strncasecmp(mime.ptr, type, mime.len) == 0;
}

bool mime_sniffs_html(struct str s)
{
    static const char *const SIGNS[] = {
        "<!doctype html", "<html",  "<head",  "<body",  "<script", "<iframe", "<h1", "<div",
        "<font",          "<table", "<style", "<title", "<a",      "<b",      "<br", "<p",
    };
    size_t at = 0;
    at = str_starts(s, STR_LIT("\xEF\xBB\xBF")) ? 3 : 0;
    while (at < s.len && (is_space(s.ptr[at]) || s.ptr[at] == '\f')) {
        at++;
    }
    struct str rest = str_sub(s, at, s.len);
    if (str_starts(rest, STR_LIT("<!--"))) {
        return true;
    }
    for (size_t i = 0; i < sizeof SIGNS / sizeof SIGNS[0]; i++) {
        size_t n = strlen(SIGNS[i]);
        if (rest.len > n && strncasecmp(rest.ptr, SIGNS[i], n) == 0 &&
            (rest.ptr[n] == ' ' || rest.ptr[n] == '>')) {
            return true;
        }
    }
    return false;
}
