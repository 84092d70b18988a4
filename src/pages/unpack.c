/* unpack.c -- zlib, libzstd and libbrotlidec, each over a whole body at once.
 *
 * gzip and zstd begin with marks, and zlib's header can be told; raw deflate and
 * brotli cannot: what looks like a text is taken for one before those are tried,
 * since crawlers undo codings and leave the field that names them, and a short text
 * may unpack by chance.
 */
#include "pages/unpack.h"

#include "base/utf8.h"
#include "pages/mime.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

bool unpack_is_gzip(struct str s)
{
    return str_starts(s, STR_LIT("\x1F\x8B"));
}

bool unpack_is_zstd(struct str s)
{
    return str_starts(s, STR_LIT("\x28\xB5\x2F\xFD"));
}

/* window_bits as zlib has them: 31 takes gzip, 15 zlib, -15 raw deflate. */
static enum unpacked inflate_all(struct str body, int window_bits, size_t body_max, struct buf *out)
{
    z_stream z = {0};
    buf_clear(out);
    if (body.len > UINT32_MAX || inflateInit2(&z, window_bits) != Z_OK) {
        return TOO_LARGE;
    }
    union { /* zlib wants its input without const, and does not write to it */
        const char *from;
        unsigned char *to;
    } in = {body.ptr};
    z.next_in = in.to;
    z.avail_in = (uInt)body.len;
    enum unpacked result = BROKEN_OFF;
    while (result == BROKEN_OFF) {
        size_t room = (size_t)1 << 16;
        z.next_out = (unsigned char *)buf_reserve(out, room);
        z.avail_out = (uInt)room;
        int code = inflate(&z, Z_NO_FLUSH);
        out->len += room - z.avail_out;
        struct str rest = str_sub(body, body.len - z.avail_in, body.len);
        if (out->len > body_max) {
            result = TOO_LARGE;
        } else if (code == Z_STREAM_END && (window_bits != 31 || !unpack_is_gzip(rest))) {
            result = UNPACKED; /* browsers, too, pass over what follows */
        } else if (code == Z_STREAM_END) {
            (void)inflateReset(&z);
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            result = CORRUPT;
        } else if (z.avail_in == 0 && z.avail_out > 0) {
            break;
        }
    }
    (void)inflateEnd(&z);
    return result;
}

static enum unpacked unzstd(struct str body, size_t body_max, struct buf *out)
{
    buf_clear(out);
    ZSTD_DStream *z = ZSTD_createDStream();
    ZSTD_inBuffer in = {body.ptr, body.len, 0};
    enum unpacked result = z ? BROKEN_OFF : TOO_LARGE;
    while (result == BROKEN_OFF) {
        size_t room = (size_t)1 << 16;
        ZSTD_outBuffer to = {buf_reserve(out, room), room, 0};
        size_t code = ZSTD_decompressStream(z, &to, &in);
        out->len += to.pos;
        if (ZSTD_isError(code)) {
            result = CORRUPT;
        } else if (out->len > body_max) {
            result = TOO_LARGE;
        } else if (code == 0 && in.pos == in.size) {
            result = UNPACKED;
        } else if (in.pos == in.size && to.pos < to.size) {
            break;
        }
    }
    (void)ZSTD_freeDStream(z);
    return result;
}

static enum unpacked unbrotli(struct str body, size_t body_max, struct buf *out)
{
    BrotliDecoderState *b = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    const uint8_t *next = (const uint8_t *)body.ptr;
    size_t left = body.len;
    enum unpacked result = b ? BROKEN_OFF : TOO_LARGE;
    buf_clear(out);
    while (result == BROKEN_OFF) {
        size_t room = (size_t)1 << 16, free = room;
        uint8_t *to = (uint8_t *)buf_reserve(out, room);
        BrotliDecoderResult code = BrotliDecoderDecompressStream(b, &left, &next, &free, &to, NULL);
        out->len += room - free;
        if (out->len > body_max) {
            result = TOO_LARGE;
        } else if (code == BROTLI_DECODER_RESULT_SUCCESS) {
            result = UNPACKED;
        } else if (code == BROTLI_DECODER_RESULT_ERROR) {
            result = CORRUPT;
        } else if (code == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) {
            break;
        }
    }
    BrotliDecoderDestroyInstance(b);
    return result;
}

bool unpack_looks_like_text(struct str s)
{
    s = str_sub(s, 0, s.len < 512 ? s.len : 512);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < ' ' && c != '\t' && c != '\n' && c != '\f' && c != '\r') {
            return false;
        }
    }
    return s.len == 0 || utf8_valid_until(s) + 4 > s.len || memchr(s.ptr, '<', s.len);
}

bool unpack_knows(struct str coding)
{
    static const char *const KNOWN[] = {"gzip", "x-gzip", "deflate", "zstd", "br", "brotli"};
    bool known = false;
    for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++) {
        known = known || mime_is(coding, KNOWN[i]);
    }
    return known;
}

enum unpacked unpack(struct str coding, struct str body, size_t body_max, struct buf *out)
{
    if (mime_is(coding, "gzip") || mime_is(coding, "x-gzip")) {
        return unpack_is_gzip(body) ? inflate_all(body, 31, body_max, out) : NOT_PACKED;
    }
    if (mime_is(coding, "zstd")) {
        return unpack_is_zstd(body) ? unzstd(body, body_max, out) : NOT_PACKED;
    }
    if (mime_is(coding, "br") || mime_is(coding, "brotli")) {
        return unpack_looks_like_text(body) ? NOT_PACKED : unbrotli(body, body_max, out);
    }
    if (unpack_is_gzip(body)) { /* "deflate", and gzip in truth */
        return inflate_all(body, 31, body_max, out);
    }
    enum unpacked zlib = inflate_all(body, 15, body_max, out);
    if (zlib != CORRUPT) {
        return zlib == BROKEN_OFF && unpack_looks_like_text(body) ? NOT_PACKED : zlib;
    }
    /* Without zlib's header nothing marks the data, and a text may unpack by chance. */
    return unpack_looks_like_text(body) ? NOT_PACKED : inflate_all(body, -15, body_max, out);
}
