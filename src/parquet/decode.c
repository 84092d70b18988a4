/* decode.c -- runs, bits, deltas, dictionaries.
 *
 * Everything is lazy: a page may claim any number of values, and costs what is taken of it. */
#include "parquet/decode.h"

#include <assert.h>
#include <inttypes.h>

/* ---- bits ---- */

/* `width` bits (at most 64) at a bit's place, low ones first; what lies behind the end is 0. */
static uint64_t bits_at(const unsigned char *from, const unsigned char *end, uint64_t bit,
                        unsigned width)
{
    uint64_t byte = bit / 8, room = (uint64_t)(end - from), v = 0;
    unsigned shift = (unsigned)(bit % 8), have = 0;
    while (have < width + shift && byte < room) {
        uint64_t c = from[byte++];
        v |= have == 0 ? c >> shift : have - shift < 64 ? c << (have - shift) : 0;
        have += 8;
    }
    return width == 64 ? v : v & (((uint64_t)1 << width) - 1);
}

void hybrid_start(struct hybrid *h, struct str bytes, unsigned width)
{
    const unsigned char *from = (const unsigned char *)bytes.ptr;
    *h = (struct hybrid){.at = from, .end = from + bytes.len, .width = width};
}

static bool uvarint(const unsigned char **at, const unsigned char *end, uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (*at >= end) {
            return false;
        }
        unsigned c = *(*at)++;
        *v |= (uint64_t)(c & 0x7FU) << shift;
        if (c < 0x80) {
            return true;
        }
    }
    return false;
}

static bool next_run(struct hybrid *h)
{
    uint64_t head;
    if (h->width == 0) { /* one value there can be, and it takes no byte */
        h->repeated = UINT64_MAX;
        return true;
    }
    if (!uvarint(&h->at, h->end, &head)) {
        return false;
    }
    if (head & 1) {
        h->packed = (head >> 1) * 8;
        h->bit = 0;
        return head >> 1 < ((uint64_t)1 << 40);
    }
    size_t bytes = (h->width + 7) / 8;
    if (bytes > (size_t)(h->end - h->at)) {
        return false;
    }
    h->value = (uint32_t)bits_at(h->at, h->end, 0, h->width);
    h->at += bytes;
    h->repeated = head >> 1;
    return true;
}

static bool next_packed(struct hybrid *h, uint32_t *v)
{
    uint64_t room = (uint64_t)(h->end - h->at) * 8;
    if (h->bit + h->width > room) {
        return false;
    }
    *v = (uint32_t)bits_at(h->at, h->end, h->bit, h->width);
    h->bit += h->width;
    if (--h->packed == 0) {
        h->at += (h->bit + 7) / 8;
    }
    return true;
}

bool hybrid_next(struct hybrid *h, uint32_t *v)
{
    while (h->repeated == 0 && h->packed == 0) {
        if (!next_run(h)) {
            return false;
        }
    }
    if (h->repeated > 0) {
        h->repeated--;
        *v = h->value;
        return true;
    }
    return next_packed(h, v);
}

/* ---- deltas ---- */

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1 ^ (~(v & 1) + 1));
}

static bool delta_start(struct delta *d, const unsigned char *at, const unsigned char *end)
{
    uint64_t block, minis, total, first;
    *d = (struct delta){.at = at, .end = end, .first = true};
    if (!uvarint(&d->at, end, &block) || !uvarint(&d->at, end, &minis) ||
        !uvarint(&d->at, end, &total) || !uvarint(&d->at, end, &first)) {
        return false;
    }
    if (minis == 0 || minis > 65536 || block == 0 || block > ((uint64_t)1 << 24) ||
        block % minis != 0) {
        return false;
    }
    d->block = (uint32_t)block;
    d->minis = (uint32_t)minis;
    d->left = total;
    d->value = (uint64_t)unzigzag(first);
    return true;
}

/* The next miniblock, and the next block where its last one is done. */
static bool delta_step(struct delta *d)
{
    if (d->widths && d->mini > 0) { /* behind the one that was */
        d->at += (d->bit + 7) / 8;
    }
    if (!d->widths || d->mini == d->minis) {
        uint64_t least;
        if (!uvarint(&d->at, d->end, &least) || d->minis > (size_t)(d->end - d->at)) {
            return false;
        }
        d->least = (uint64_t)unzigzag(least);
        d->widths = d->at;
        d->at += d->minis;
        d->mini = 0;
    }
    assert(d->minis > 0); /* delta_start() refuses others */
    d->in_mini = d->block / d->minis;
    d->bit = 0;
    return d->widths[d->mini++] <= 64;
}

static bool delta_next(struct delta *d, uint64_t *v)
{
    if (d->left == 0) {
        return false;
    }
    if (!d->first) {
        if (d->in_mini == 0 && !delta_step(d)) {
            return false;
        }
        unsigned width = d->widths[d->mini - 1];
        if (d->bit + width > (uint64_t)(d->end - d->at) * 8) {
            return false;
        }
        d->value += d->least + bits_at(d->at, d->end, d->bit, width);
        d->bit += width;
        d->in_mini--;
    }
    d->first = false;
    d->left--;
    *v = d->value;
    return true;
}

/* Runs to the end; what stands behind: the miniblock is padded to its full size. */
static bool delta_end(struct delta d, const unsigned char **behind)
{
    uint64_t v;
    while (d.left > 0) {
        if (!delta_next(&d, &v)) {
            return false;
        }
    }
    const unsigned char *at = d.at;
    if (d.widths && d.mini > 0) {
        uint64_t bits = d.bit + d.in_mini * d.widths[d.mini - 1];
        uint64_t bytes = (bits + 7) / 8;
        at += bytes < (uint64_t)(d.end - at) ? bytes : (uint64_t)(d.end - at);
    }
    *behind = at;
    return true;
}

/* ---- values ---- */

static winnow_status refuse(struct winnow_error *err, const char *what)
{
    return error_set(err, WINNOW_E_FORMAT, "%s", what);
}

static winnow_status start_dictionary(struct values *v, struct winnow_error *err)
{
    if (!v->dictionary) {
        return refuse(err, "it needs a dictionary that is not there");
    }
    if (v->at == v->end) { /* no value is there */
        hybrid_start(&v->index, STR_LIT(""), 1);
        return WINNOW_OK;
    }
    unsigned width = *v->at;
    if (width > 32) {
        return refuse(err, "its indices are corrupt");
    }
    hybrid_start(&v->index, (struct str){(const char *)v->at + 1, (size_t)(v->end - v->at - 1)},
                 width);
    return WINNOW_OK;
}

static winnow_status start_deltas(struct values *v, struct winnow_error *err)
{
    const unsigned char *behind = v->at;
    bool good = true;
    if (v->encoding == PARQUET_DELTA_BYTES) {
        good = delta_start(&v->prefixes, v->at, v->end) && delta_end(v->prefixes, &behind);
        buf_clear(&v->built);
    }
    good = good && delta_start(&v->lengths, behind, v->end);
    if (good && v->encoding != PARQUET_DELTA_BINARY) {
        good = delta_end(v->lengths, &behind);
        v->at = behind;
    }
    return good ? WINNOW_OK : refuse(err, "its deltas are corrupt");
}

/* RLE of booleans: behind its length. */
static winnow_status start_runs(struct values *v, struct winnow_error *err)
{
    if (v->end - v->at < 4) {
        return v->count == 0 ? WINNOW_OK : refuse(err, "its values break off");
    }
    hybrid_start(&v->index, (struct str){(const char *)v->at + 4, (size_t)(v->end - v->at - 4)}, 1);
    return WINNOW_OK;
}

static bool fits(enum parquet_encoding encoding, enum parquet_type type)
{
    bool bytes = type == PARQUET_BYTE_ARRAY;
    switch (encoding) {
    case PARQUET_RLE:
        return type == PARQUET_BOOLEAN;
    case PARQUET_DELTA_BINARY:
        return type == PARQUET_INT32 || type == PARQUET_INT64;
    case PARQUET_DELTA_LENGTH:
        return bytes;
    case PARQUET_DELTA_BYTES:
        return bytes || type == PARQUET_FIXED;
    case PARQUET_BYTE_STREAM_SPLIT:
        return !bytes && type != PARQUET_BOOLEAN;
    case PARQUET_PLAIN:
        return true;
    default:
        return type != PARQUET_BOOLEAN;
    }
}

winnow_status values_start(struct values *v, enum parquet_encoding encoding, struct str page,
                           uint64_t count, struct winnow_error *err)
{
    v->at = (const unsigned char *)page.ptr;
    v->end = v->at + page.len;
    v->encoding = encoding;
    v->bit = v->n = 0;
    v->count = count;
    if (!fits(encoding, v->type)) {
        return refuse(err, "its encoding does not fit its type");
    }
    switch (encoding) {
    case PARQUET_PLAIN:
        return WINNOW_OK;
    case PARQUET_PLAIN_DICTIONARY:
    case PARQUET_RLE_DICTIONARY:
        return start_dictionary(v, err);
    case PARQUET_RLE:
        return start_runs(v, err);
    case PARQUET_DELTA_BINARY:
    case PARQUET_DELTA_LENGTH:
    case PARQUET_DELTA_BYTES:
        return count == 0 ? WINNOW_OK : start_deltas(v, err);
    case PARQUET_BYTE_STREAM_SPLIT:
        if (count > page.len / v->length) {
            return refuse(err, "its values break off");
        }
        v->count = page.len / v->length;
        return WINNOW_OK;
    default:
        return error_set(err, WINNOW_E_FORMAT, "its encoding (%d) is not known", (int)encoding);
    }
}

static bool next_plain(struct values *v, struct str *out)
{
    size_t left = (size_t)(v->end - v->at), n = v->length;
    if (v->type == PARQUET_BOOLEAN) {
        if (v->bit >= (uint64_t)left * 8) {
            return false;
        }
        v->number[0] = (char)bits_at(v->at, v->end, v->bit++, 1);
        *out = (struct str){v->number, 1};
        return true;
    }
    if (n == 0) {
        if (left < 4) {
            return false;
        }
        n = (size_t)bits_at(v->at, v->end, 0, 32);
        v->at += 4;
        left -= 4;
    }
    if (n > left) {
        return false;
    }
    *out = (struct str){(const char *)v->at, n};
    v->at += n;
    return true;
}

static bool next_of_dictionary(struct values *v, struct str *out)
{
    uint32_t i;
    if (!hybrid_next(&v->index, &i) || i >= v->dictionary_count) {
        return false;
    }
    *out = v->dictionary[i];
    return true;
}

static void put_number(struct values *v, uint64_t number, struct str *out)
{
    for (unsigned i = 0; i < 8; i++) {
        v->number[i] = (char)(unsigned char)(number >> (8 * i));
    }
    *out = (struct str){v->number, v->length < 8 ? v->length : 8};
}

static bool take(struct values *v, uint64_t n, struct str *out)
{
    if (n > (uint64_t)(v->end - v->at)) {
        return false;
    }
    *out = (struct str){(const char *)v->at, (size_t)n};
    v->at += n;
    return true;
}

static bool next_delta(struct values *v, struct str *out)
{
    uint64_t n, prefix;
    if (!delta_next(&v->lengths, &n)) {
        return false;
    }
    if (v->encoding == PARQUET_DELTA_BINARY) {
        put_number(v, n, out);
        return true;
    }
    if (v->encoding == PARQUET_DELTA_LENGTH) {
        return take(v, n, out);
    }
    struct str rest;
    if (!delta_next(&v->prefixes, &prefix) || prefix > v->built.len || !take(v, n, &rest)) {
        return false;
    }
    v->built.len = (size_t)prefix;
    buf_add_str(&v->built, rest);
    *out = buf_str(&v->built);
    return v->length == 0 || out->len == v->length;
}

/* Byte k of all values stands together. */
static bool next_of_streams(struct values *v, struct str *out)
{
    if (v->n >= v->count) {
        return false;
    }
    buf_clear(&v->built);
    for (size_t k = 0; k < v->length; k++) {
        buf_add_char(&v->built, (char)v->at[k * v->count + v->n]);
    }
    v->n++;
    *out = buf_str(&v->built);
    return true;
}

bool values_next(struct values *v, struct str *out)
{
    switch (v->encoding) {
    case PARQUET_PLAIN:
        return next_plain(v, out);
    case PARQUET_RLE: {
        uint32_t bit;
        bool good = hybrid_next(&v->index, &bit);
        v->number[0] = good ? (char)bit : 0;
        *out = (struct str){v->number, 1};
        return good;
    }
    case PARQUET_DELTA_BINARY:
    case PARQUET_DELTA_LENGTH:
    case PARQUET_DELTA_BYTES:
        return next_delta(v, out);
    case PARQUET_BYTE_STREAM_SPLIT:
        return next_of_streams(v, out);
    default:
        return next_of_dictionary(v, out);
    }
}
