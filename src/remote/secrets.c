/* secrets.c -- every form in which a key may come back in what a server says.
 *
 * Servers quote requests in their errors: the key as it is, percent-decoded, a
 * proxy's password in base64 as it was sent.  All forms are listed, longer ones
 * first, and replaced wherever they stand.  Quadratic at worst, for texts of at most
 * some kilobytes. */
#include "remote/secrets.h"

#include "base/base64.h"
#include "base/url.h"

#include <strings.h>

#define LEAST_ALL  4U /* shorter ones would be found everywhere */
#define LEAST_SURE 8U

/* Longer ones first, so that a part does not hide before the whole. */
static void add_one(struct secrets *s, struct str text, bool sure)
{
    if (text.len < LEAST_ALL || s->count >= SECRETS_MAX) {
        return;
    }
    size_t at = s->count;
    for (size_t i = 0; i < s->count; i++) {
        if (str_eq(buf_str(&s->items[i]), text)) {
            s->sure[i] = s->sure[i] || sure;
            return;
        }
    }
    for (; at > 0 && s->items[at - 1].len < text.len; at--) {
        s->items[at] = s->items[at - 1];
        s->sure[at] = s->sure[at - 1];
    }
    s->items[at] = (struct buf){0};
    buf_add_str(&s->items[at], text);
    s->sure[at] = sure;
    s->count++;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void percent_decode(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        int high = text.ptr[i] == '%' && i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
        if (low >= 0) {
            buf_add_char(out, (char)(high * 16 + low));
            i += 2;
        } else {
            buf_add_char(out, text.ptr[i]);
        }
    }
}

/* As it is and decoded. */
static void add_both(struct secrets *s, struct str text, bool sure)
{
    struct buf decoded = {0};
    add_one(s, text, sure);
    percent_decode(text, &decoded);
    add_one(s, buf_str(&decoded), sure);
    buf_release(&decoded);
}

/* What a query says that no one hides, and that an answer may well hold. */
static bool names_no_key(struct str name)
{
    static const char *const WORDS[] = {"version", "model", "deployment", "region", "stream"};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        size_t len = strlen(WORDS[i]);
        for (size_t at = 0; at + len <= name.len; at++) {
            if (strncasecmp(name.ptr + at, WORDS[i], len) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void add_query(struct secrets *s, struct str query)
{
    add_one(s, query, false);
    while (query.len > 0) {
        const char *end = memchr(query.ptr, '&', query.len);
        struct str pair = str_sub(query, 0, end ? (size_t)(end - query.ptr) : query.len);
        const char *equals = pair.len > 0 ? memchr(pair.ptr, '=', pair.len) : NULL;
        size_t name = equals ? (size_t)(equals - pair.ptr) : 0;
        add_both(s, str_sub(pair, equals ? name + 1 : 0, pair.len),
                 !equals || !names_no_key(str_sub(pair, 0, name)));
        query = str_sub(query, end ? pair.len + 1 : pair.len, query.len);
    }
}

static void add_userinfo(struct secrets *s, struct str userinfo)
{
    struct buf decoded = {0}, sent = {0};
    const char *colon = userinfo.len > 0 ? memchr(userinfo.ptr, ':', userinfo.len) : NULL;
    add_both(s, userinfo, true);
    if (colon) {
        add_both(s, str_sub(userinfo, (size_t)(colon - userinfo.ptr) + 1, userinfo.len), true);
    }
    percent_decode(userinfo, &decoded);
    base64_add(&sent, buf_str(&decoded));
    add_one(s, buf_str(&sent), true);
    buf_release(&decoded);
    buf_release(&sent);
}

void secrets_add_server(struct secrets *s, const char *key, const char *url, const char *proxy)
{
    struct url_parts p;
    if (key) {
        add_both(s, str_of(key), true);
    }
    url_split(str_of(url), &p);
    add_query(s, p.query);
    if (proxy) {
        url_split(str_of(proxy), &p);
        add_userinfo(s, p.userinfo);
    }
}

void secrets_release(struct secrets *s)
{
    for (size_t i = 0; i < s->count; i++) {
        buf_release(&s->items[i]);
    }
    *s = (struct secrets){0};
}

/* The length of the secret that stands at text[at], or 0. */
static size_t secret_at(const struct secrets *s, struct str text, size_t at,
                        enum secrets_which which)
{
    for (size_t i = 0; i < s->count; i++) {
        struct str item = buf_str(&s->items[i]);
        bool wanted = which == SECRETS_ALL || (s->sure[i] && item.len >= LEAST_SURE);
        if (wanted && str_starts(str_sub(text, at, text.len), item)) {
            return item.len;
        }
    }
    return 0;
}

void secrets_hide(const struct secrets *s, struct str text, enum secrets_which which,
                  struct buf *out)
{
    if (!s || s->count == 0) {
        buf_add_str(out, text);
        return;
    }
    for (size_t at = 0; at < text.len;) {
        size_t len = secret_at(s, text, at, which);
        if (len > 0) {
            buf_add_text(out, URL_REDACTED);
            at += len;
        } else {
            buf_add_char(out, text.ptr[at++]);
        }
    }
}

bool secrets_within(const struct secrets *s, struct str text)
{
    for (size_t at = 0; at < text.len; at++) {
        if (secret_at(s, text, at, SECRETS_ALL) > 0) {
            return true;
        }
    }
    return false;
}
