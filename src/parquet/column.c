/* column.c -- pages of both versions.
 *
 * A page's header stands before it and says how long it is; how long the header is, nobody
 * says, so that it is read in growing pieces until it parses. */
#include "parquet/column.h"

#include "base/mem.h"
#include "parquet/unpack.h"

#include <assert.h>
#include <inttypes.h>
#include <zlib.h>

#define HEADER_FIRST 512U
#define HEADER_MAX   ((size_t)16 << 20)
#define KEPT_MAX     ((size_t)4 << 20) /* of a buffer, for the next page */

enum page_type { PAGE_DATA, PAGE_INDEX, PAGE_DICTIONARY, PAGE_DATA_2 };

struct page_header {
    int64_t type, raw, packed, crc;
    bool has_crc;
    int64_t values, encoding, def_encoding, rep_encoding;
    int64_t def_bytes, rep_bytes; /* of the second version */
    bool is_packed;
    size_t length; /* of the header */
};

static void read_part(struct thrift_in *in, const struct thrift_field *f, int64_t type,
                      struct page_header *h)
{
    struct thrift_field m = {0};
    int64_t v[16] = {0};
    bool packed = true;
    if (!thrift_struct(in, f)) {
        return;
    }
    while (thrift_next(in, &m)) {
        if (type == PAGE_DATA_2 && m.id == 7) {
            packed = thrift_bool(in, &m);
        } else if (m.id >= 1 && m.id <= 6 && m.type >= THRIFT_BYTE && m.type <= THRIFT_I64) {
            v[m.id] = thrift_int(in, &m);
        } else {
            thrift_skip(in, &m);
        }
    }
    h->values = v[1];
    h->is_packed = packed;
    if (type == PAGE_DATA_2) {
        h->encoding = v[4];
        h->def_bytes = v[5];
        h->rep_bytes = v[6];
    } else {
        h->encoding = v[2];
        h->def_encoding = v[3];
        h->rep_encoding = v[4];
    }
}

static void parse_header(struct thrift_in *in, struct page_header *h)
{
    const unsigned char *from = in->at;
    struct thrift_field f = {0};
    *h = (struct page_header){.type = -1};
    while (thrift_next(in, &f)) {
        switch (f.id) {
        case 1:
            h->type = thrift_int(in, &f);
            break;
        case 2:
            h->raw = thrift_int(in, &f);
            break;
        case 3:
            h->packed = thrift_int(in, &f);
            break;
        case 4:
            h->crc = thrift_int(in, &f);
            h->has_crc = true;
            break;
        case 5:
            read_part(in, &f, PAGE_DATA, h);
            break;
        case 7:
            read_part(in, &f, PAGE_DICTIONARY, h);
            break;
        case 8:
            read_part(in, &f, PAGE_DATA_2, h);
            break;
        default:
            thrift_skip(in, &f);
        }
    }
    h->length = (size_t)(in->at - from);
    in->bad = in->bad || h->type < 0 || h->raw < 0 || h->packed < 0 || h->raw > INT32_MAX ||
              h->packed > INT32_MAX || h->values < 0 || h->values > INT32_MAX || h->def_bytes < 0 ||
              h->rep_bytes < 0;
}

/* Makes a buffer hold len bytes, within the limit. */
static winnow_status hold(struct parquet_column *c, struct buf *b, size_t len,
                          struct winnow_error *err)
{
    if (!b->ptr || len > b->cap) {
        uint64_t more = c->memory->held - b->cap + len;
        if (c->memory->max > 0 && more > c->memory->max) {
            return error_set(err, WINNOW_E_LIMIT,
                             "its pages need %" PRIu64
                             " MiB at a time, and --memory leaves %" PRIu64
                             " MiB for them; give more",
                             (more >> 20) + 1, c->memory->max >> 20);
        }
        void *p = mem_try_alloc(len + 1);
        if (!p) {
            return error_set(err, WINNOW_E_NOMEM, "no memory for a page of %zu bytes", len);
        }
        mem_free(b->ptr);
        b->ptr = p;
        b->cap = len;
        c->memory->held = more;
    }
    b->len = len;
    return WINNOW_OK;
}

static void let_go(struct parquet_column *c, struct buf *b)
{
    c->memory->held -= b->cap;
    mem_free(b->ptr);
    *b = (struct buf){0};
}

static winnow_status read_header(struct parquet_column *c, struct page_header *h,
                                 struct winnow_error *err)
{
    for (size_t want = HEADER_FIRST;; want *= 8) {
        uint64_t room = c->file_end > c->at ? c->file_end - c->at : 0;
        size_t n = want < room ? want : (size_t)room;
        TRY(hold(c, &c->packed, n, err));
        TRY(parquet_pread(c->file, c->packed.ptr, n, c->at, err));
        const unsigned char *from = (const unsigned char *)c->packed.ptr;
        struct thrift_in in = {.at = from, .end = from + n};
        parse_header(&in, h);
        if (!in.bad && h->length + (uint64_t)h->packed <= room) {
            return WINNOW_OK;
        }
        if (!in.bad || !in.cut || n == room || want >= HEADER_MAX) {
            return error_set(err, WINNOW_E_FORMAT, "the page at byte %" PRIu64 " of the file %s",
                             c->at, in.bad && !in.cut ? "has a corrupt header" : "breaks off");
        }
    }
}

/* The page's bytes, as they are in the file, into c->packed. */
static winnow_status read_bytes(struct parquet_column *c, const struct page_header *h,
                                struct winnow_error *err)
{
    size_t n = (size_t)h->packed;
    uint64_t from = c->at + h->length;
    if (h->length + n <= c->packed.len) {
        memmove(c->packed.ptr, c->packed.ptr + h->length, n);
        c->packed.len = n;
    } else {
        TRY(hold(c, &c->packed, n, err));
        TRY(parquet_pread(c->file, c->packed.ptr, n, from, err));
    }
    if (h->has_crc) {
        uLong crc = crc32(0, (const unsigned char *)c->packed.ptr, (uInt)n);
        if ((uint32_t)crc != (uint32_t)h->crc) {
            return error_set(err, WINNOW_E_FORMAT,
                             "the page at byte %" PRIu64 " of the file has a wrong checksum",
                             c->at);
        }
    }
    return WINNOW_OK;
}

/* Unpacks what stands behind the first `bare` bytes, which are never packed. */
static winnow_status unpack_page(struct parquet_column *c, const struct page_header *h, size_t bare,
                                 struct buf *page, struct winnow_error *err)
{
    size_t raw = (size_t)h->raw, packed = c->packed.len;
    if (bare > raw || bare > packed) {
        return error_set(err, WINNOW_E_FORMAT, "the levels of a page are corrupt");
    }
    TRY(hold(c, page, raw, err));
    if (bare > 0) {
        memcpy(page->ptr, c->packed.ptr, bare);
    }
    int codec = h->is_packed && raw > bare ? c->chunk->codec : PARQUET_PLAIN_BYTES;
    size_t from = raw > bare ? bare : packed;
    return parquet_unpack(codec, (struct str){c->packed.ptr + from, packed - from},
                          page->ptr ? page->ptr + bare : page->ptr, raw - bare, err);
}

static winnow_status take_dictionary(struct parquet_column *c, const struct page_header *h,
                                     struct winnow_error *err)
{
    size_t count = (size_t)h->values;
    size_t least = c->leaf->length > 0 ? c->leaf->length : 4;
    if (c->has_dictionary || c->leaf->type == PARQUET_BOOLEAN) {
        return error_set(err, WINNOW_E_FORMAT, "it has a dictionary too many");
    }
    TRY(unpack_page(c, h, 0, &c->dictionary_page, err));
    if (count > c->dictionary_page.len / least) {
        return error_set(err, WINNOW_E_FORMAT, "its dictionary breaks off");
    }
    struct values v = {.type = c->leaf->type, .length = c->leaf->length};
    TRY(values_start(&v, PARQUET_PLAIN, buf_str(&c->dictionary_page), count, err));
    c->dictionary = mem_try_alloc((count + 1) * sizeof *c->dictionary);
    if (!c->dictionary) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a dictionary of %zu", count);
    }
    c->memory->held += (count + 1) * sizeof *c->dictionary;
    c->dictionary_count = count;
    c->has_dictionary = true;
    for (size_t i = 0; i < count; i++) {
        if (!values_next(&v, &c->dictionary[i])) {
            return error_set(err, WINNOW_E_FORMAT, "its dictionary breaks off");
        }
    }
    return WINNOW_OK;
}

static unsigned width_of(unsigned level)
{
    unsigned width = 0;
    while (level >> width) {
        width++;
    }
    return width;
}

/* Levels of the first version: behind their length, or packed the old way. */
static bool take_levels(struct str *page, unsigned level, int64_t encoding, struct hybrid *h)
{
    if (level == 0) {
        hybrid_start(h, STR_LIT(""), 0);
        return true;
    }
    if (encoding != PARQUET_RLE || page->len < 4) {
        return false;
    }
    const unsigned char *p = (const unsigned char *)page->ptr;
    assert(p); /* there are four bytes */
    size_t n = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
    if (n > page->len - 4) {
        return false;
    }
    hybrid_start(h, str_sub(*page, 4, 4 + n), width_of(level));
    *page = str_sub(*page, 4 + n, page->len);
    return true;
}

static winnow_status open_page(struct parquet_column *c, const struct page_header *h,
                               struct winnow_error *err)
{
    const struct parquet_leaf *leaf = c->leaf;
    struct str page;
    if (h->type == PAGE_DATA_2) {
        size_t reps = (size_t)h->rep_bytes, defs = (size_t)h->def_bytes;
        if (reps > INT32_MAX || defs > INT32_MAX) {
            return error_set(err, WINNOW_E_FORMAT, "the levels of a page are corrupt");
        }
        TRY(unpack_page(c, h, reps + defs, &c->page, err));
        page = buf_str(&c->page);
        hybrid_start(&c->reps, str_sub(page, 0, reps), width_of(leaf->rep));
        hybrid_start(&c->defs, str_sub(page, reps, reps + defs), width_of(leaf->def));
        page = str_sub(page, reps + defs, page.len);
    } else {
        TRY(unpack_page(c, h, 0, &c->page, err));
        page = buf_str(&c->page);
        if (!take_levels(&page, leaf->rep, h->rep_encoding, &c->reps) ||
            !take_levels(&page, leaf->def, h->def_encoding, &c->defs)) {
            return error_set(err, WINNOW_E_FORMAT, "%s",
                             h->def_encoding == PARQUET_BIT_PACKED ||
                                     h->rep_encoding == PARQUET_BIT_PACKED
                                 ? "its levels are packed in a way that was given up in 2013"
                                 : "the levels of a page are corrupt");
        }
    }
    c->in_page = (uint64_t)h->values;
    c->values.dictionary = c->has_dictionary ? c->dictionary : NULL;
    c->values.dictionary_count = c->dictionary_count;
    /* How many values are there only the levels say; of an empty rest, none. */
    uint64_t there = page.len > 0 ? c->in_page : 0;
    if (h->encoding == PARQUET_BYTE_STREAM_SPLIT) {
        there = 0; /* as many as the bytes hold */
    }
    return values_start(&c->values, (enum parquet_encoding)h->encoding, page, there, err);
}

static winnow_status next_page(struct parquet_column *c, struct winnow_error *err)
{
    struct page_header h;
    TRY(read_header(c, &h, err));
    uint64_t at = c->at;
    TRY(read_bytes(c, &h, err));
    c->at = at + h.length + (uint64_t)h.packed;
    if (h.type == PAGE_DICTIONARY) {
        return take_dictionary(c, &h, err);
    }
    if (h.type != PAGE_DATA && h.type != PAGE_DATA_2) {
        return WINNOW_OK; /* an index, or what a later version brings */
    }
    if ((uint64_t)h.values > c->left) {
        return error_set(err, WINNOW_E_FORMAT, "its pages hold more values than it says");
    }
    c->left -= (uint64_t)h.values;
    TRY(open_page(c, &h, err));
    if (c->packed.cap > KEPT_MAX) {
        let_go(c, &c->packed);
    }
    return WINNOW_OK;
}

winnow_status parquet_column_next(struct parquet_column *c, struct winnow_error *err)
{
    while (c->in_page == 0) {
        if (c->left == 0) {
            c->ended = true;
            c->rep = c->def = 0;
            return WINNOW_OK;
        }
        TRY(next_page(c, err));
    }
    c->in_page--;
    c->rep = c->def = 0;
    if (c->leaf->rep > 0 && !hybrid_next(&c->reps, &c->rep)) {
        return error_set(err, WINNOW_E_FORMAT, "the levels of a page break off");
    }
    if (c->leaf->def > 0 && !hybrid_next(&c->defs, &c->def)) {
        return error_set(err, WINNOW_E_FORMAT, "the levels of a page break off");
    }
    if (c->rep > c->leaf->rep || c->def > c->leaf->def) {
        return error_set(err, WINNOW_E_FORMAT, "the levels of a page are corrupt");
    }
    if (c->def == c->leaf->def && !values_next(&c->values, &c->value)) {
        return error_set(err, WINNOW_E_FORMAT, "the values of a page break off or are corrupt");
    }
    return WINNOW_OK;
}

static void let_dictionary_go(struct parquet_column *c)
{
    if (c->dictionary) {
        c->memory->held -= (c->dictionary_count + 1) * sizeof *c->dictionary;
    }
    mem_free(c->dictionary);
    c->dictionary = NULL;
    c->dictionary_count = 0;
    c->has_dictionary = false;
}

winnow_status parquet_column_start(struct parquet_column *c, const struct parquet_leaf *leaf,
                                   const struct parquet_chunk *chunk, struct winnow_error *err)
{
    let_dictionary_go(c);
    c->leaf = leaf;
    c->chunk = chunk;
    c->at = chunk->start;
    c->left = chunk->values;
    c->in_page = 0;
    c->ended = false;
    c->values.type = leaf->type;
    c->values.length = leaf->length;
    if (chunk->type != leaf->type) {
        return error_set(err, WINNOW_E_FORMAT, "its type is not that of the schema");
    }
    return parquet_column_next(c, err);
}

void parquet_column_release(struct parquet_column *c)
{
    if (!c->memory) {
        return;
    }
    let_dictionary_go(c);
    let_go(c, &c->packed);
    let_go(c, &c->page);
    let_go(c, &c->dictionary_page);
    buf_release(&c->values.built);
}
