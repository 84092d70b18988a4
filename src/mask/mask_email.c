/* mask_email.c -- e-mail addresses, as datatrove 0.10.1 (FineWeb) defines them.
 *
 *     \b ATEXT+ (?:\.ATEXT+)* @ (?: LABEL (?:\.LABEL)+ | \[ N.N.N. (?: N |
 * [A-Za-z0-9-]*[A-Za-z0-9]: ) ] ) ATEXT = [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]    LABEL =
 * [A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])? N = 25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?
 *
 * An address has one @, so each @ is looked at for itself: backwards as far as the part before
 * it can reach (never over another @), then forwards.  The first place from which it can begin
 * at a word's boundary is its start. */
#include "base/utf8.h"
#include "mask/mask_bytes.h"
#include "mask/mask_find.h"

#include <utf8proc.h>

static bool is_atext(char c)
{
    return byte_is_alnum(c) || (c != '\0' && strchr("!#$%&'*+/=?^_`{|}~-", c) != NULL);
}

/* Whether the code point that ends before at is a letter, a number or '_'. */
static bool word_before(struct str s, size_t at)
{
    if (at == 0) {
        return false;
    }
    if ((unsigned char)s.ptr[at - 1] < 0x80) {
        return byte_is_alnum(s.ptr[at - 1]) || s.ptr[at - 1] == '_';
    }
    uint32_t code = 0;
    if (utf8_decode(s, utf8_start(s, at - 1), &code) == 0) {
        return false;
    }
    utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)code);
    return (c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO) ||
           (c >= UTF8PROC_CATEGORY_ND && c <= UTF8PROC_CATEGORY_NO);
}

static bool at_boundary(struct str s, size_t at)
{
    char c = s.ptr[at];
    return word_before(s, at) != (byte_is_alnum(c) || c == '_');
}

/* Where the part before the @ can begin, from `least` on; the @'s own place: nowhere. */
static size_t local_start(struct str s, size_t at, size_t least)
{
    size_t from = at;
    if (from == least || !is_atext(s.ptr[from - 1])) {
        return at;
    }
    while (from > least &&
           (is_atext(s.ptr[from - 1]) || (s.ptr[from - 1] == '.' && s.ptr[from] != '.'))) {
        from--;
    }
    while (from < at && (s.ptr[from] == '.' || !at_boundary(s, from))) {
        from++;
    }
    return from;
}

/* The end of LABEL(.LABEL)+ from at on, or at. */
static size_t domain_end(struct str s, size_t at)
{
    size_t end = at, labels = 0;
    for (size_t i = at;; i++) {
        size_t from = i, last = i; /* behind the label's last letter or digit */
        for (; i < s.len && (byte_is_alnum(s.ptr[i]) || (s.ptr[i] == '-' && i > from)); i++) {
            last = s.ptr[i] == '-' ? last : i + 1;
        }
        if (last == from) {
            break;
        }
        end = last;
        labels++;
        if (last != i || i >= s.len || s.ptr[i] != '.') {
            break;
        }
    }
    return labels > 1 ? end : at;
}

static bool take_byte_number(struct str s, size_t *at)
{
    size_t n = digits_at(s, *at, 3);
    if (n == 0 || (n == 3 && (s.ptr[*at] > '2' ||
                              (s.ptr[*at] == '2' && memcmp(s.ptr + *at, "255", 3) > 0)))) {
        return false;
    }
    *at += n;
    return true;
}

/* The end of [1.2.3.4] or [1.2.3.tag:], or at. */
static size_t literal_end(struct str s, size_t at)
{
    size_t i = at + 1;
    if (at >= s.len || s.ptr[at] != '[') {
        return at;
    }
    for (int n = 0; n < 3; n++) {
        if (!take_byte_number(s, &i) || i >= s.len || s.ptr[i++] != '.') {
            return at;
        }
    }
    size_t number = i;
    if (take_byte_number(s, &number) && number < s.len && s.ptr[number] == ']') {
        return number + 1;
    }
    size_t from = i;
    while (i < s.len && (byte_is_alnum(s.ptr[i]) || s.ptr[i] == '-')) {
        i++;
    }
    bool tag =
        i > from && s.ptr[i - 1] != '-' && i + 1 < s.len && s.ptr[i] == ':' && s.ptr[i + 1] == ']';
    return tag ? i + 2 : at;
}

bool mask_next_email(struct str text, size_t *at, struct mask_span *out)
{
    size_t least = *at;
    const char *found;
    for (size_t from = least;
         from < text.len && (found = memchr(text.ptr + from, '@', text.len - from)) != NULL;) {
        size_t sign = (size_t)(found - text.ptr);
        size_t start = local_start(text, sign, least);
        size_t end = sign + 1;
        if (start < sign) {
            end = domain_end(text, sign + 1);
            end = end > sign + 1 ? end : literal_end(text, sign + 1);
        }
        if (end > sign + 1) {
            *out = (struct mask_span){start, end, MASK_EMAIL};
            *at = end;
            return true;
        }
        from = sign + 1;
    }
    *at = text.len;
    return false;
}
