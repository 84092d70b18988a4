/* url.c -- where in an address its secrets stand.
 *
 * It is taken apart for hiding, not for connecting (curl does that), so in doubt
 * more is hidden: the last '@' ends the userinfo, whatever '/' stands before it,
 * and a query is hidden whole. */
#include "base/url.h"

#define URL_BYTES_MAX 2000U

void url_split(struct str url, struct url_parts *out)
{
    *out = (struct url_parts){0};
    size_t colon = str_find(url, STR_LIT("://"));
    struct str rest = url;
    if (colon != SIZE_MAX && colon > 0) {
        out->scheme = str_sub(url, 0, colon);
        rest = str_sub(url, colon + 3, url.len);
    }
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '?' && rest.ptr[end] != '#') {
        end++;
    }
    struct str before = str_sub(rest, 0, end);
    if (end < rest.len) {
        struct str query = str_sub(rest, end + 1, rest.len);
        const char *hash = query.len > 0 ? memchr(query.ptr, '#', query.len) : NULL;
        out->query = hash ? str_sub(query, 0, (size_t)(hash - query.ptr)) : query;
        out->has_query = true;
    }
    /* A password may hold a '/' that nobody quoted: the last '@' counts. */
    const char *at = before.len > 0 ? memrchr(before.ptr, '@', before.len) : NULL;
    if (at) {
        out->userinfo = str_sub(before, 0, (size_t)(at - before.ptr));
        out->has_userinfo = true;
        before = str_sub(before, out->userinfo.len + 1, before.len);
    }
    const char *slash = before.len > 0 ? memchr(before.ptr, '/', before.len) : NULL;
    size_t host = slash ? (size_t)(slash - before.ptr) : before.len;
    out->host = str_sub(before, 0, host);
    out->path = str_sub(before, host, before.len);
}

void url_redact(struct str url, struct buf *out)
{
    struct url_parts p;
    url_split(url, &p);
    if (p.scheme.len > 0) {
        buf_add_str(out, p.scheme);
        buf_add_text(out, "://");
    }
    buf_add_text(out, p.has_userinfo ? URL_REDACTED "@" : "");
    buf_add_str(out, p.host);
    buf_add_str(out, p.path);
    buf_add_text(out, p.has_query ? "?" URL_REDACTED : "");
}

bool url_has_secret(struct str url)
{
    struct url_parts p;
    url_split(url, &p);
    return p.has_userinfo || p.has_query;
}

static bool ends_word(char c)
{
    return (unsigned char)c <= 0x20 || c == '"' || c == '<' || c == '>';
}

static bool ends_address(char c)
{
    return ends_word(c) || c == '/' || c == '?' || c == '#';
}

void url_redact_text(struct str text, struct buf *out)
{
    struct str mark = STR_LIT("://");
    for (;;) {
        size_t found = str_find(text, mark);
        if (found == SIZE_MAX) {
            break;
        }
        size_t from = found + mark.len, end = from, at = SIZE_MAX;
        for (; end < text.len && !ends_address(text.ptr[end]); end++) {
            at = text.ptr[end] == '@' ? end : at;
        }
        buf_add(out, text.ptr, from);
        if (at != SIZE_MAX) {
            buf_add_text(out, URL_REDACTED);
            from = at;
        }
        size_t whole = end;
        while (whole < text.len && !ends_word(text.ptr[whole])) {
            whole++;
        }
        const char *query = memchr(text.ptr + end, '?', whole - end);
        size_t shown = query ? (size_t)(query - text.ptr) + 1 : end;
        buf_add(out, text.ptr + from, shown - from);
        buf_add_text(out, query ? URL_REDACTED : "");
        text = str_sub(text, query ? whole : end, text.len);
    }
    buf_add_str(out, text);
}

static winnow_status check_bytes(struct str url, const char *whose, struct winnow_error *err)
{
    if (url.len > URL_BYTES_MAX) {
        return error_set(err, WINNOW_E_USAGE, "the %s's address is longer than %u bytes", whose,
                         URL_BYTES_MAX);
    }
    if (str_find(url, STR_LIT(URL_REDACTED)) != SIZE_MAX) {
        return error_set(err, WINNOW_E_USAGE,
                         "the %s's address was written down without its secrets (" URL_REDACTED
                         "); give it in full",
                         whose);
    }
    for (size_t i = 0; i < url.len; i++) {
        unsigned char b = (unsigned char)url.ptr[i];
        if (b <= 0x20 || b >= 0x7F) {
            return error_set(err, WINNOW_E_USAGE,
                             "the %s's address may not hold blanks or other odd characters", whose);
        }
    }
    return WINNOW_OK;
}

winnow_status url_check_server(struct str url, struct winnow_error *err)
{
    struct url_parts p;
    url_split(url, &p);
    if (p.has_userinfo) {
        return error_set(err, WINNOW_E_USAGE,
                         "a password has no place in the server's address: give the key in a file "
                         "(--key-file) or in a variable of the environment (--key-env)");
    }
    TRY(check_bytes(url, "server", err));
    if ((!str_is(p.scheme, "http") && !str_is(p.scheme, "https")) || p.host.len == 0) {
        struct buf shown = {0};
        url_redact(url, &shown);
        winnow_status st =
            error_set(err, WINNOW_E_USAGE,
                      "'%.200s' is no address of a server; write http://HOST:PORT or https://HOST",
                      buf_cstr(&shown));
        buf_release(&shown);
        return st;
    }
    return WINNOW_OK;
}

winnow_status url_check_proxy(struct str url, struct winnow_error *err)
{
    static const char *const SCHEMES[] = {"",       "http",    "https",  "socks4",
                                          "socks5", "socks4a", "socks5h"};
    struct url_parts p;
    url_split(url, &p);
    TRY(check_bytes(url, "proxy", err));
    bool known = false;
    for (size_t i = 0; i < sizeof SCHEMES / sizeof *SCHEMES; i++) {
        known = known || str_is(p.scheme, SCHEMES[i]);
    }
    if (!known || p.host.len == 0 || p.has_query || (p.path.len > 0 && !str_is(p.path, "/"))) {
        return error_set(err, WINNOW_E_USAGE,
                         "this is no address of a proxy; write http://HOST:PORT or "
                         "socks5h://HOST:PORT, before HOST USER:PASSWORD@ where it asks for them");
    }
    return WINNOW_OK;
}
