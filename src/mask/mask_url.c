/* mask_url.c -- web addresses.
 *
 *     (?i)(?<![0-9A-Za-z_]) (?: https?:// | ftp:// | www\. ) BODY
 *
 * where the body runs up to white space, a control character, one of < > " ` { } | \ ^, a
 * quotation mark or a CJK full stop or comma, is without the stops and quotes at its end and
 * without closing brackets that it does not open, and begins with a letter, a digit, '[' or a
 * byte past ASCII.  Addresses without a scheme or www. (example.com/a) stay: they are words
 * of the sentence as often as not. */
#include "base/utf8.h"
#include "mask/mask_bytes.h"
#include "mask/mask_find.h"

#include <strings.h>

static bool ends_body(uint32_t c)
{
    if (c < 0x80) {
        return c <= ' ' || c == 0x7F || strchr("<>\"`{}|\\^", (int)c) != NULL;
    }
    return c <= 0xA0 || c == 0xAB || c == 0xBB || c == 0x1680 || (c >= 0x2000 && c <= 0x200B) ||
           (c >= 0x2018 && c <= 0x201F) || (c >= 0x2028 && c <= 0x202F) || c == 0x205F ||
           (c >= 0x3000 && c <= 0x3002) || c == 0xFF0C || c == 0xFEFF;
}

static size_t body_end(struct str s, size_t at)
{
    while (at < s.len) {
        uint32_t code = (unsigned char)s.ptr[at];
        size_t n = code < 0x80 ? 1 : utf8_decode(s, at, &code);
        if (n == 0 || ends_body(code)) {
            break;
        }
        at += n;
    }
    return at;
}

/* The end of the body without stops, and without closing brackets of which it has more than
 * opening ones. */
static size_t without_stops(struct str s, size_t from, size_t end)
{
    size_t round = 0, round_end = 0, square = 0, square_end = 0;
    for (size_t i = from; i < end; i++) {
        round += s.ptr[i] == '(';
        round_end += s.ptr[i] == ')';
        square += s.ptr[i] == '[';
        square_end += s.ptr[i] == ']';
    }
    for (; end > from; end--) {
        char last = s.ptr[end - 1];
        if (last == ')' && round_end > round) {
            round_end--;
        } else if (last == ']' && square_end > square) {
            square_end--;
        } else if (strchr(".,;:!?'*_~", last) == NULL) {
            break;
        }
    }
    return end;
}

/* Bytes of the scheme (or www.) at at, or 0. */
static size_t scheme_at(struct str s, size_t at)
{
    static const struct str SCHEMES[] = {
        {"https://", 8}, {"http://", 7}, {"ftp://", 6}, {"www.", 4}};
    for (size_t i = 0; i < sizeof SCHEMES / sizeof *SCHEMES; i++) {
        if (at + SCHEMES[i].len < s.len &&
            strncasecmp(s.ptr + at, SCHEMES[i].ptr, SCHEMES[i].len) == 0) {
            return SCHEMES[i].len;
        }
    }
    return 0;
}

bool mask_next_url(struct str text, size_t *at, struct mask_span *out)
{
    for (size_t i = *at; i < text.len; i++) {
        char c = (char)(text.ptr[i] | 0x20);
        if (c != 'h' && c != 'w' && c != 'f') {
            continue;
        }
        size_t scheme = stands_behind(text, i, "_") ? 0 : scheme_at(text, i);
        size_t from = i + scheme;
        bool begins = scheme > 0 && (byte_is_alnum(text.ptr[from]) || text.ptr[from] == '[' ||
                                     (unsigned char)text.ptr[from] >= 0x80);
        size_t end = begins ? without_stops(text, from, body_end(text, from)) : from;
        if (end > from) {
            *out = (struct mask_span){i, end, MASK_URL};
            *at = end;
            return true;
        }
    }
    *at = text.len;
    return false;
}
