/* http.c -- headers as they are found in archives: folded, with bare LF, with
 * interim responses before, without the blank line.
 *
 * A header is a claim.  Crawlers undo codings and leave the field that names
 * them, so each coding is looked for in the bytes before it is undone: a chunk
 * size stands alone on its line, ends at CRLF, and CRLF follows the chunk; gzip
 * and zstd have their marks.  What does have a coding and breaks off inside is
 * no page but an error, since nobody knows what is missing.
 */
#include "pages/http.h"

#include "pages/mime.h"
#include "pages/unpack.h"

#include <stdio.h>
#include <strings.h>

#define CODINGS_MAX 4U /* that are undone one after the other */

void http_scratch_release(struct http_scratch *s)
{
    buf_release(&s->chunks);
    buf_release(&s->unpacked[0]);
    buf_release(&s->unpacked[1]);
}

static bool field(struct str line, const char *name, struct str *value)
{
    const char *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
    if (!colon || !mime_is(str_trim(str_sub(line, 0, (size_t)(colon - line.ptr))), name)) {
        return false;
    }
    *value = str_trim(str_sub(line, (size_t)(colon - line.ptr) + 1, line.len));
    return true;
}

/* Reads "1A;ext=1 CRLF" off *s; false where that is not what stands there. */
static bool take_chunk_size(struct str *s, size_t *size)
{
    size_t i = 0;
    *size = 0;
    for (; i < s->len; i++) {
        char c = (char)(s->ptr[i] | 0x20);
        bool digit = s->ptr[i] >= '0' && s->ptr[i] <= '9';
        if (!digit && !(c >= 'a' && c <= 'f')) {
            break;
        }
        unsigned value = digit ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10U;
        *size = *size > SIZE_MAX / 32 ? *size : *size * 16 + value; /* past any body */
    }
    size_t digits = i;
    while (i < s->len && (s->ptr[i] == ' ' || s->ptr[i] == '\t')) {
        i++;
    }
    if (i < s->len && s->ptr[i] == ';') {
        while (i < s->len && s->ptr[i] != '\r' && s->ptr[i] != '\n') {
            i++;
        }
    }
    if (digits == 0 || i + 1 >= s->len || s->ptr[i] != '\r' || s->ptr[i + 1] != '\n') {
        return false;
    }
    *s = str_sub(*s, i + 2, s->len);
    return true;
}

/* Only hexadecimal digits left: a body that was cut inside a chunk's size. */
static bool is_size_cut(struct str s)
{
    size_t i = 0;
    while (i < s.len && (s.ptr[i] == '\r' || strchr("0123456789abcdefABCDEF", s.ptr[i]))) {
        i++;
    }
    return i == s.len && s.len < 10;
}

/* What is left behind the last chunk: fields of a trailer, a blank line, and no more
 * but perhaps line ends and another last chunk.  Bytes of any other kind show that the
 * body only looked like chunks. */
static bool ends_chunks(struct str s)
{
    struct str line, value;
    while (str_next_line(&s, &line)) {
        if (str_trim(line).len == 0) {
            break;
        }
        const char *colon = memchr(line.ptr, ':', line.len);
        value = str_sub(line, 0, colon ? (size_t)(colon - line.ptr) : 0);
        if (value.len == 0 || memchr(value.ptr, ' ', value.len)) {
            return false;
        }
    }
    for (size_t i = 0; i < s.len; i++) {
        if (!strchr("\r\n0", s.ptr[i]) || s.ptr[i] == '\0') {
            return false;
        }
    }
    return true;
}

/* Joins the chunks; false where the body is not chunked in truth.  What breaks
 * off inside a chunk is kept: crawlers cut long pages. */
static bool join_chunks(struct str body, struct buf *out)
{
    static const struct str LAST = {"\r\n0\r\n\r\n", 7};
    buf_clear(out);
    for (bool first = true;; first = false) {
        size_t size;
        if (!take_chunk_size(&body, &size)) {
            return !first && is_size_cut(body);
        }
        if (size == 0) {
            return ends_chunks(body);
        }
        if (size > body.len) {
            bool page = body.len > 0 && (body.ptr[0] == '<' || body.ptr[0] == '\x1F');
            bool closed = str_ends(body, LAST); /* the size is wrong, not the body cut */
            buf_add_str(out, closed ? str_sub(body, 0, body.len - LAST.len) : body);
            return !first || page || closed; /* else as likely a text that begins with a number */
        }
        buf_add(out, body.ptr, size);
        body = str_sub(body, size, body.len);
        if (body.len == 0 || str_is(body, "\r")) {
            return true;
        }
        if (!str_starts(body, STR_LIT("\r\n"))) {
            return false;
        }
        body = str_sub(body, 2, body.len);
        if (body.len == 0) {
            return true;
        }
    }
}

/* Undoes one coding of r->body. */
static const char *undo(struct str coding, size_t body_max, struct buf *out,
                        struct http_scratch *scratch, struct http_response *r)
{
    if (coding.len == 0 || mime_is(coding, "identity") || mime_is(coding, "utf-8") ||
        mime_is(coding, "none") || mime_is(coding, "chunked") || r->body.len == 0) {
        return NULL;
    }
    if (!unpack_knows(coding)) {
        if (unpack_looks_like_text(r->body)) { /* undone by the crawler */
            return NULL;
        }
        (void)snprintf(scratch->reason, sizeof scratch->reason,
                       "its content encoding \"%.*s\" is none of gzip, deflate, zstd and brotli",
                       (int)(coding.len < 40 ? coding.len : 40), coding.ptr);
        return scratch->reason;
    }
    switch (unpack(coding, r->body, body_max, out)) {
    case UNPACKED:
        r->body = buf_str(out);
        break;
    case NOT_PACKED:
        break;
    case TOO_LARGE:
        return "its body unpacks to more than the limit";
    case BROKEN_OFF:
        return "its compressed data break off";
    case CORRUPT:
        return "its compressed data are corrupt";
    }
    return NULL;
}

bool http_is_packed(struct str body)
{
    return unpack_is_gzip(body) || unpack_is_zstd(body);
}

const char *http_unpack(struct str *body, size_t body_max, struct http_scratch *scratch)
{
    struct http_response r = {.body = *body};
    const char *why = NULL;
    for (unsigned i = 0; i < CODINGS_MAX && !why && http_is_packed(r.body); i++) {
        struct buf *out = &scratch->unpacked[r.body.ptr == scratch->unpacked[0].ptr];
        why = undo(unpack_is_gzip(r.body) ? STR_LIT("gzip") : STR_LIT("zstd"), body_max, out,
                   scratch, &r);
    }
    *body = r.body;
    return why;
}

struct header {
    bool chunked;
    struct str codings[CODINGS_MAX]; /* in the order in which they were applied */
    size_t coding_count;
};

static void add_codings(struct header *h, struct str list)
{
    while (list.len > 0) {
        const char *comma = memchr(list.ptr, ',', list.len);
        size_t end = comma ? (size_t)(comma - list.ptr) : list.len;
        struct str one = str_trim(str_sub(list, 0, end));
        if (one.len > 0 && !mime_is(one, "chunked") && h->coding_count < CODINGS_MAX) {
            h->codings[h->coding_count++] = one;
        }
        list = str_sub(list, end < list.len ? end + 1 : end, list.len);
    }
}

static void take_field(struct header *h, struct str line, struct http_response *out)
{
    struct str value;
    if (field(line, "Content-Type", &value)) {
        mime_parse(value, &out->mime, &out->charset);
    } else if (field(line, "Content-Encoding", &value)) {
        add_codings(h, value);
    } else if (field(line, "Transfer-Encoding", &value)) {
        h->chunked = value.len >= 7 && strncasecmp(value.ptr + value.len - 7, "chunked", 7) == 0;
        add_codings(h, value);
    }
}

/* The fields up to the blank line; *rest is the body then.  False where the
 * message ends before. */
static bool take_fields(struct header *h, struct str *rest, struct http_response *out)
{
    struct str line, whole = {NULL, 0};
    for (;;) {
        struct str before = *rest;
        if (!str_next_line(rest, &line)) {
            return false;
        }
        bool folded = line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
        if (folded && whole.len > 0 && str_trim(line).len > 0) {
            whole.len = (size_t)(line.ptr + line.len - whole.ptr);
            continue;
        }
        if (whole.len > 0) {
            take_field(h, whole, out);
        }
        whole = line;
        if (str_trim(line).len == 0) {
            return true;
        }
        if (line.ptr[0] == '<') { /* the page, without a blank line before it */
            *rest = before;
            return true;
        }
    }
}

/* "HTTP/1.1 200 OK"; 0 where no number follows the version. */
static unsigned status_of(struct str line)
{
    unsigned status = 0;
    size_t at = 0;
    while (at < line.len && line.ptr[at] != ' ' && line.ptr[at] != '\t') {
        at++;
    }
    while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t')) {
        at++;
    }
    for (; at < line.len && line.ptr[at] >= '0' && line.ptr[at] <= '9' && status < 1000; at++) {
        status = status * 10 + (unsigned)(line.ptr[at] - '0');
    }
    return status;
}

static bool is_http(struct str s)
{
    return s.len >= 5 && strncasecmp(s.ptr, "HTTP/", 5) == 0;
}

/* Whether a header is a proxy's, as "200 Connection established" is: it tells of no body,
 * and another response comes behind it. */
static bool is_of_proxy(const struct header *h, const struct http_response *r, struct str behind)
{
    struct str line;
    return r->mime.len == 0 && !h->chunked && h->coding_count == 0 &&
           str_next_line(&behind, &line) && status_of(line) > 0;
}

const char *http_parse(struct str message, size_t body_max, struct http_scratch *scratch,
                       struct http_response *out)
{
    struct str line, rest = message;
    struct header h;
    do { /* "100 Continue" and its like come before the response, as do the proxy's own */
        *out = (struct http_response){0};
        h = (struct header){0};
        if (!is_http(rest) || !str_next_line(&rest, &line)) {
            return "it does not begin with an HTTP status line";
        }
        out->status = status_of(line);
        if (out->status == 0) {
            return "its HTTP status line has no status";
        }
        if (!take_fields(&h, &rest, out)) {
            return "its HTTP header does not end";
        }
    } while (is_http(rest) && (out->status < 200 || is_of_proxy(&h, out, rest)));
    out->body = rest;
    if (out->status != 200) {
        return NULL; /* passed over for that, whatever its body is */
    }
    if (h.chunked && join_chunks(rest, &scratch->chunks)) {
        out->body = buf_str(&scratch->chunks);
    }
    if (out->body.len > body_max) {
        return "its body is longer than the limit";
    }
    for (size_t i = h.coding_count; i > 0; i--) {
        const char *why = undo(h.codings[i - 1], body_max, &scratch->unpacked[i % 2], scratch, out);
        if (why) {
            return why;
        }
    }
    return NULL;
}
