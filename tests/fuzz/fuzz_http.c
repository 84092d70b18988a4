/* Any bytes as an HTTP response, and the same bytes as bodies behind headers that
 * claim a coding.  What holds: the body is within the limit; a body that is text
 * and claims a coding comes back as it is; what was packed comes back unpacked,
 * and cut short is never taken for whole. */
#include "pages/http.h"
#include "pages/mime.h"
#include "pages/unpack.h"

#include <assert.h>
#include <brotli/encode.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#define BODY_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct http_scratch scratch;

static const char *parse(const char *fields, struct str body, struct buf *message,
                         struct http_response *r)
{
    buf_clear(message);
    buf_addf(message, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n%s\r\n\r\n", fields);
    buf_add_str(message, body);
    const char *why = http_parse(buf_str(message), BODY_MAX, &scratch, r);
    assert(why || r->body.len <= BODY_MAX);
    assert(why || r->status == 200);
    return why;
}

static bool is_plain_text(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < ' ' || (unsigned char)s.ptr[i] > '~') {
            return false;
        }
    }
    return true;
}

static void pack(struct str body, struct buf *out)
{
    z_stream z = {0};
    union {
        const char *from;
        unsigned char *to;
    } in = {body.ptr};
    if (deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        abort();
    }
    size_t room = deflateBound(&z, body.len);
    buf_clear(out);
    z.next_in = in.to;
    z.avail_in = (unsigned)body.len;
    z.next_out = (unsigned char *)buf_reserve(out, room);
    z.avail_out = (unsigned)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
        abort();
    }
    out->len = room - z.avail_out;
    (void)deflateEnd(&z);
}

static void pack_brotli(struct str body, struct buf *out)
{
    size_t room = BrotliEncoderMaxCompressedSize(body.len) + 16;
    buf_clear(out);
    uint8_t *to = (uint8_t *)buf_reserve(out, room);
    if (!BrotliEncoderCompress((int)(body.len % 6), 18, BROTLI_MODE_GENERIC, body.len,
                               (const uint8_t *)body.ptr, &room, to)) {
        abort();
    }
    out->len = room;
}

/* Whole, cut, and with a byte changed: never past the limit, and never cut for whole. */
static void check_brotli(struct str body, uint8_t change, struct buf *packed, struct buf *message)
{
    struct http_response r;
    pack_brotli(body, packed);
    bool text = unpack_looks_like_text(buf_str(packed));
    const char *why = parse("Content-Encoding: br", buf_str(packed), message, &r);
    assert(!why && str_eq(r.body, text ? buf_str(packed) : body));
    struct str cut = str_sub(buf_str(packed), 0, change % packed->len);
    why = parse("content-encoding:br", cut, message, &r);
    assert(why || unpack_looks_like_text(cut));
    packed->ptr[change % packed->len] ^= (char)(change | 1);
    (void)parse("Content-Encoding: br", buf_str(packed), message, &r);
}

/* In chunks of 1, 2, 3 ... bytes. */
static void chunk(struct str body, struct buf *out)
{
    buf_clear(out);
    for (size_t n = 1; body.len > 0; n++) {
        size_t take = n < body.len ? n : body.len;
        buf_addf(out, "%zx%s\r\n", take, n % 3 == 0 ? ";x=y" : "");
        buf_add(out, body.ptr, take);
        buf_add_text(out, "\r\n");
        body = str_sub(body, take, body.len);
    }
    buf_add_text(out, "0\r\n\r\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf message = {0}, packed = {0}, chunks = {0};
    struct http_response r;
    struct str body = {(const char *)data, size < 10000 ? size : 10000}, mime, charset;
    (void)http_parse(body, BODY_MAX, &scratch, &r);
    mime_parse(body, &mime, &charset);
    assert(mime.len + charset.len <= body.len);
    static const char *const CODINGS[] = {"gzip", "deflate", "zstd", "br", "gzip, deflate"};
    for (size_t i = 0; i < sizeof CODINGS / sizeof CODINGS[0]; i++) {
        char field[64];
        (void)snprintf(field, sizeof field, "Content-Encoding: %s", CODINGS[i]);
        const char *why = parse(field, body, &message, &r);
        assert(!is_plain_text(body) || (!why && str_eq(r.body, body)));
    }
    if (!parse("Transfer-Encoding: chunked", body, &message, &r) && is_plain_text(body)) {
        assert(str_eq(r.body, body)); /* a size stands alone on its line */
    }
    if (size > 0) {
        pack(body, &packed);
        chunk(buf_str(&packed), &chunks);
        const char *fields = "Transfer-Encoding:\tchunked\r\nContent-Encoding:\r\n gzip";
        assert(!parse(fields, buf_str(&chunks), &message, &r) && str_eq(r.body, body));
        size_t cut = data[0] % packed.len;
        fields = "content-encoding: x-gzip";
        const char *why = parse(fields, str_sub(buf_str(&packed), 0, cut), &message, &r);
        assert(cut < 2 || why);
        check_brotli(body, data[size - 1], &packed, &message);
    }
    buf_release(&message);
    buf_release(&packed);
    buf_release(&chunks);
    return 0;
}
