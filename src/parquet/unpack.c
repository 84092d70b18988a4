/* unpack.c -- zstd, zlib and brotli by their libraries; Snappy and LZ4, whose blocks are lists of
 * literals and copies, by the two loops below.
 *
 * A page says how long it is unpacked.  What gives less or more is corrupt, and nothing is
 * written behind that length. */
#include "parquet/unpack.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

struct in {
    const unsigned char *at, *end;
};

struct out {
    unsigned char *from, *at, *end;
};

static bool literal(struct in *in, struct out *out, size_t n)
{
    if (n > (size_t)(in->end - in->at) || n > (size_t)(out->end - out->at)) {
        return false;
    }
    memcpy(out->at, in->at, n);
    in->at += n;
    out->at += n;
    return true;
}

static bool copy(struct out *out, size_t back, size_t n)
{
    if (back == 0 || back > (size_t)(out->at - out->from) || n > (size_t)(out->end - out->at)) {
        return false;
    }
    const unsigned char *from = out->at - back;
    if (back >= n) {
        memcpy(out->at, from, n);
    } else {
        for (size_t i = 0; i < n; i++) { /* what is copied may be what was just written */
            out->at[i] = from[i];
        }
    }
    out->at += n;
    return true;
}

static bool little(struct in *in, unsigned bytes, size_t *v)
{
    if (bytes > (size_t)(in->end - in->at)) {
        return false;
    }
    *v = 0;
    for (unsigned i = 0; i < bytes; i++) {
        *v |= (size_t)in->at[i] << (8 * i);
    }
    in->at += bytes;
    return true;
}

/* google/snappy, format_description.txt */
static bool unsnappy(struct in in, struct out *out)
{
    size_t length = 0;
    for (unsigned shift = 0;; shift += 7) {
        if (in.at == in.end || shift > 28) {
            return false;
        }
        length |= (size_t)(*in.at & 0x7FU) << shift;
        if (*in.at++ < 0x80) {
            break;
        }
    }
    bool good = length == (size_t)(out->end - out->at);
    while (good && in.at < in.end) {
        unsigned tag = *in.at++;
        size_t n = tag >> 2, back = 0;
        switch (tag & 3U) {
        case 0:
            good = (n < 60 || little(&in, (unsigned)n - 59, &n)) && literal(&in, out, n + 1);
            break;
        case 1:
            good = little(&in, 1, &back) && copy(out, back | (size_t)(tag >> 5) << 8, 4 + (n & 7U));
            break;
        case 2:
            good = little(&in, 2, &back) && copy(out, back, n + 1);
            break;
        default:
            good = little(&in, 4, &back) && copy(out, back, n + 1);
        }
    }
    return good;
}

static bool lz4_length(struct in *in, size_t *n)
{
    if (*n < 15) {
        return true;
    }
    for (unsigned c = 255; c == 255; *n += c) {
        if (in->at == in->end) {
            return false;
        }
        c = *in->at++;
    }
    return true;
}

/* lz4/lz4, lz4_Block_format.md */
static bool unlz4(struct in in, struct out *out)
{
    while (in.at < in.end) {
        unsigned token = *in.at++;
        size_t n = token >> 4, back = 0;
        if (!lz4_length(&in, &n) || !literal(&in, out, n)) {
            return false;
        }
        if (in.at == in.end) {
            break; /* the last piece is literals only */
        }
        n = token & 15U;
        if (!little(&in, 2, &back) || !lz4_length(&in, &n) || !copy(out, back, n + 4)) {
            return false;
        }
    }
    return true;
}

static size_t big(const unsigned char *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* The old LZ4 codec: Hadoop's blocks, each behind its two lengths; some wrote bare ones. */
static bool unlz4_hadoop(struct in in, struct out *out)
{
    struct in all = in;
    struct out start = *out;
    bool good = true;
    while (good && in.end - in.at >= 8) {
        size_t raw = big(in.at), packed = big(in.at + 4);
        in.at += 8;
        good = packed <= (size_t)(in.end - in.at) && raw <= (size_t)(out->end - out->at);
        if (good) {
            struct out part = {out->from, out->at, out->at + raw};
            good = unlz4((struct in){in.at, in.at + packed}, &part) && part.at == part.end;
            out->at = part.at;
            in.at += packed;
        }
    }
    if (good && in.at == in.end && out->at == out->end) {
        return true;
    }
    *out = start;
    return unlz4(all, out);
}

static bool ungzip(struct str packed, char *to, size_t len)
{
    z_stream z = {0};
    if (inflateInit2(&z, 15 + 32) != Z_OK) {
        return false;
    }
    union { /* inflate() reads its input only, and says so where it is told to */
        const char *from;
        unsigned char *to;
    } in = {packed.ptr};
    z.next_in = in.to;
    z.avail_in = (uInt)packed.len;
    z.next_out = (unsigned char *)to;
    z.avail_out = (uInt)len;
    int code = Z_OK;
    while (code == Z_OK) {
        code = inflate(&z, Z_FINISH);
        if (code == Z_STREAM_END && z.avail_in > 0 && z.avail_out > 0) {
            code = inflateReset(&z); /* another member */
        }
    }
    (void)inflateEnd(&z);
    return code == Z_STREAM_END && z.avail_out == 0;
}

static bool unbrotli(struct str packed, char *to, size_t len)
{
    size_t got = len;
    return BrotliDecoderDecompress(packed.len, (const unsigned char *)packed.ptr, &got,
                                   (unsigned char *)to) == BROTLI_DECODER_RESULT_SUCCESS &&
           got == len;
}

static bool unzstd(struct str packed, char *to, size_t len)
{
    size_t got = ZSTD_decompress(to, len, packed.ptr, packed.len);
    return !ZSTD_isError(got) && got == len;
}

winnow_status parquet_unpack(int codec, struct str packed, char *to, size_t len,
                             struct winnow_error *err)
{
    static const char *const NAMES[] = {"",       "Snappy", "gzip", "LZO",
                                        "brotli", "LZ4",    "zstd", "LZ4"};
    const unsigned char *from = (const unsigned char *)packed.ptr;
    struct in in = {from, from + packed.len};
    struct out out = {(unsigned char *)to, (unsigned char *)to, (unsigned char *)to + len};
    bool good = false;
    switch (codec) {
    case PARQUET_PLAIN_BYTES:
        good = packed.len == len && literal(&in, &out, len);
        break;
    case PARQUET_SNAPPY:
        good = unsnappy(in, &out) && out.at == out.end;
        break;
    case PARQUET_GZIP:
        good = ungzip(packed, to, len);
        break;
    case PARQUET_BROTLI:
        good = unbrotli(packed, to, len);
        break;
    case PARQUET_LZ4:
        good = unlz4_hadoop(in, &out) && out.at == out.end;
        break;
    case PARQUET_ZSTD:
        good = unzstd(packed, to, len);
        break;
    case PARQUET_LZ4_RAW:
        good = unlz4(in, &out) && out.at == out.end;
        break;
    default:
        return error_set(err, WINNOW_E_FORMAT, "it is packed by %s, which is not read",
                         codec == PARQUET_LZO ? "LZO" : "a codec of a later Parquet");
    }
    if (!good) {
        return error_set(err, WINNOW_E_FORMAT, "the %s%sdata are corrupt", NAMES[codec],
                         NAMES[codec][0] ? " " : "");
    }
    return WINNOW_OK;
}
