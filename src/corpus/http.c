#include "corpus/http.h"

#include <strings.h>
#include <zlib.h>

void http_scratch_release(struct http_scratch *s)
{
    buf_release(&s->chunks);
    buf_release(&s->unpacked);
}

static bool same(struct str s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.ptr, text, s.len) == 0;
}

static bool field(struct str line, const char *name, struct str *value)
{
    size_t n = strlen(name);
    if (line.len <= n || line.ptr[n] != ':' || strncasecmp(line.ptr, name, n) != 0) {
        return false;
    }
    *value = str_trim(str_sub(line, n + 1, line.len));
    return true;
}

void http_content_type(struct str value, struct str *mime, struct str *charset)
{
    const char *semicolon = value.len > 0 ? memchr(value.ptr, ';', value.len) : NULL;
    size_t end = semicolon ? (size_t)(semicolon - value.ptr) : value.len;
    *mime = str_trim(str_sub(value, 0, end));
    *charset = (struct str){NULL, 0};
    while (end < value.len) {
        struct str rest = str_sub(value, end + 1, value.len);
        const char *next = rest.len > 0 ? memchr(rest.ptr, ';', rest.len) : NULL;
        struct str part = str_trim(str_sub(rest, 0, next ? (size_t)(next - rest.ptr) : rest.len));
        end = next ? (size_t)(next - value.ptr) : value.len;
        if (part.len > 8 && strncasecmp(part.ptr, "charset=", 8) == 0) {
            part = str_trim(str_sub(part, 8, part.len));
            if (part.len >= 2 && (part.ptr[0] == '"' || part.ptr[0] == '\'')) {
                part = str_sub(part, 1, part.len - 1);
            }
            *charset = part;
            return;
        }
    }
}

/* Joins the chunks; false where the body is not chunked in truth.  What breaks
 * off inside a chunk is kept: crawlers cut long pages. */
static bool join_chunks(struct str body, struct buf *out)
{
    buf_clear(out);
    bool first = true;
    for (;;) {
        struct str line;
        if (!str_next_line(&body, &line)) {
            return !first;
        }
        line = str_trim(line);
        size_t size = 0, digits = 0;
        for (; digits < line.len && digits < 8; digits++) {
            char c = (char)(line.ptr[digits] | 0x20);
            bool digit = c >= '0' && c <= '9';
            if (!digit && !(c >= 'a' && c <= 'f')) {
                break;
            }
            size = size * 16 + (size_t)(digit ? c - '0' : c - 'a' + 10);
        }
        if (digits == 0 ||
            (digits < line.len && line.ptr[digits] != ';' && line.ptr[digits] != ' ')) {
            return !first;
        }
        if (size == 0) {
            return true;
        }
        first = false;
        size_t n = size < body.len ? size : body.len;
        buf_add(out, body.ptr, n);
        body = str_sub(body, n, body.len);
        if (str_starts(body, STR_LIT("\r\n"))) {
            body = str_sub(body, 2, body.len);
        } else if (str_starts(body, STR_LIT("\n"))) {
            body = str_sub(body, 1, body.len);
        }
    }
}

enum unpacked { UNPACKED, NOT_PACKED, TOO_LARGE };

/* window_bits as zlib has them: 47 takes gzip and zlib, -15 raw deflate. */
static enum unpacked unpack(struct str body, int window_bits, size_t body_max, struct buf *out)
{
    z_stream z = {0};
    buf_clear(out);
    if (body.len > UINT32_MAX || inflateInit2(&z, window_bits) != Z_OK) {
        return NOT_PACKED;
    }
    union { /* zlib wants its input without const, and does not write to it */
        const char *from;
        unsigned char *to;
    } in = {body.ptr};
    z.next_in = in.to;
    z.avail_in = (uInt)body.len;
    enum unpacked result = UNPACKED;
    int code = Z_OK;
    while (code == Z_OK && result == UNPACKED) {
        size_t room = (size_t)1 << 16;
        z.next_out = (unsigned char *)buf_reserve(out, room);
        z.avail_out = (uInt)room;
        code = inflate(&z, Z_NO_FLUSH);
        out->len += room - z.avail_out;
        result = out->len > body_max ? TOO_LARGE : UNPACKED;
        if (code == Z_OK && z.avail_in == 0 && z.avail_out > 0) {
            break; /* breaks off: what came is kept */
        }
    }
    (void)inflateEnd(&z);
    if (out->len == 0 && code != Z_STREAM_END) {
        return NOT_PACKED;
    }
    return result;
}

static const char *decode(struct str coding, size_t body_max, struct buf *out,
                          struct http_response *r)
{
    if (coding.len == 0 || same(coding, "identity") || same(coding, "utf-8")) {
        return NULL;
    }
    bool deflated = same(coding, "deflate");
    if (!deflated && !same(coding, "gzip") && !same(coding, "x-gzip")) {
        /* Undone by the crawler where the body looks like text. */
        size_t n = r->body.len < 512 ? r->body.len : 512;
        bool text = n > 0 && !memchr(r->body.ptr, '\0', n) && memchr(r->body.ptr, '<', n);
        return text ? NULL : "its content encoding is neither gzip nor deflate";
    }
    enum unpacked u = unpack(r->body, 47, body_max, out);
    if (u == NOT_PACKED && deflated) {
        u = unpack(r->body, -15, body_max, out);
    }
    if (u == TOO_LARGE) {
        return "its body unpacks to more than the limit";
    }
    if (u == UNPACKED) {
        r->body = buf_str(out);
    }
    return NULL;
}

const char *http_parse(struct str message, size_t body_max, struct http_scratch *scratch,
                       struct http_response *out)
{
    *out = (struct http_response){0};
    struct str line, value, coding = {NULL, 0}, rest = message;
    bool chunked = false;
    if (!str_next_line(&rest, &line) || !str_starts(line, STR_LIT("HTTP/"))) {
        return "it does not begin with an HTTP status line";
    }
    const char *space = memchr(line.ptr, ' ', line.len);
    for (const char *p = space ? space + 1 : line.ptr + line.len;
         p < line.ptr + line.len && *p >= '0' && *p <= '9' && out->status < 1000; p++) {
        out->status = out->status * 10 + (unsigned)(*p - '0');
    }
    for (;;) {
        if (!str_next_line(&rest, &line)) {
            return "its HTTP header does not end";
        }
        if (str_trim(line).len == 0) {
            break;
        }
        if (field(line, "Content-Type", &value)) {
            http_content_type(value, &out->mime, &out->charset);
        } else if (field(line, "Content-Encoding", &value)) {
            coding = value;
        } else if (field(line, "Transfer-Encoding", &value)) {
            chunked = value.len >= 7 && strncasecmp(value.ptr + value.len - 7, "chunked", 7) == 0;
        }
    }
    out->body = rest;
    if (chunked && join_chunks(rest, &scratch->chunks)) {
        out->body = buf_str(&scratch->chunks);
    }
    if (out->body.len > body_max) {
        return "its body is longer than the limit";
    }
    return decode(coding, body_max, &scratch->unpacked, out);
}
