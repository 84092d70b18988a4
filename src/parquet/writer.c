/* writer.c -- row groups of plain pages, packed by zstd, and the footer.
 *
 * What is written depends on the lines alone: a row group ends behind GROUP_BYTES of them, a page
 * behind PAGE_BYTES of values, and there is no name of a machine, no time and no number of
 * threads in the file. */
#include "winnow/version.h"

#include "base/file.h"
#include "base/mem.h"
#include "parquet/shape_internal.h"
#include "parquet/shred.h"

#include <inttypes.h>
#include <zlib.h>
#include <zstd.h>

#define GROUP_BYTES  ((uint64_t)16 << 20) /* of lines */
#define GROUP_ROWS   ((uint64_t)1 << 20)
#define PAGE_BYTES   ((uint64_t)1 << 20)
#define PAGE_ENTRIES 20000U
#define ZSTD_LEVEL   3
#define RUN_LEAST    8U
#define PACKED_MOST  63U /* groups of eight behind one head of a byte */

struct parquet_writer {
    struct parquet_shape *shape;
    int fd;
    const char *path;
    struct shred shred;
    uint64_t at, rows, group_rows, group_bytes;
    size_t groups;
    struct buf groups_text; /* row groups of the footer */
    struct buf page, packed, head;
    ZSTD_CCtx *zst;
};

static winnow_status put_bytes(struct parquet_writer *w, struct str bytes, struct winnow_error *err)
{
    TRY(file_write_fd(w->fd, bytes, w->path, err));
    w->at += bytes.len;
    return WINNOW_OK;
}

winnow_status parquet_writer_open(struct parquet_writer **out, struct parquet_shape *shape, int fd,
                                  const char *path, struct winnow_error *err)
{
    *out = NULL;
    TRY(parquet_shape_settle(shape, err));
    struct parquet_writer *w = mem_zalloc(sizeof *w);
    w->shape = shape;
    w->fd = fd;
    w->path = path;
    shred_init(&w->shred, &shape->tree, PAGE_BYTES, PAGE_ENTRIES);
    w->zst = ZSTD_createCCtx();
    winnow_status st = WINNOW_OK;
    if (!w->zst) {
        st = error_set(err, WINNOW_E_NOMEM, "no memory to compress %s", path);
    } else {
        st = put_bytes(w, STR_LIT("PAR1"), err);
    }
    if (st != WINNOW_OK) {
        parquet_writer_close(w);
        return st;
    }
    *out = w;
    return WINNOW_OK;
}

void parquet_writer_close(struct parquet_writer *w)
{
    if (w) {
        (void)ZSTD_freeCCtx(w->zst);
        shred_release(&w->shred);
        buf_release(&w->groups_text);
        buf_release(&w->page);
        buf_release(&w->packed);
        buf_release(&w->head);
        mem_free(w);
    }
}

/* ---- levels ---- */

static size_t run_at(const unsigned char *v, size_t at, size_t n)
{
    size_t i = at + 1;
    while (i < n && v[i] == v[at]) {
        i++;
    }
    return i - at;
}

static void put_varint(struct buf *out, uint64_t v)
{
    while (v >= 0x80) {
        buf_add_char(out, (char)(unsigned char)(v | 0x80));
        v >>= 7;
    }
    buf_add_char(out, (char)v);
}

/* Eight values of `width` bits; those behind the end are 0. */
static void pack_eight(const unsigned char *v, size_t n, unsigned width, struct buf *out)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < 8; i++) {
        bits |= (uint64_t)(i < n ? v[i] : 0U) << (i * width);
    }
    for (unsigned i = 0; i < width; i++) {
        buf_add_char(out, (char)(unsigned char)(bits >> (8 * i)));
    }
}

/* Runs of equal levels where they are long, groups of eight where not. */
static void put_levels(struct str levels, unsigned most, struct buf *out)
{
    const unsigned char *v = (const unsigned char *)levels.ptr;
    unsigned width = 0;
    while (most >> width) {
        width++;
    }
    size_t length_at = out->len;
    buf_add(out, "\0\0\0\0", 4);
    for (size_t at = 0; at < levels.len;) {
        size_t run = run_at(v, at, levels.len);
        if (run >= RUN_LEAST) {
            put_varint(out, (uint64_t)run << 1);
            buf_add_char(out, (char)v[at]);
            at += run;
            continue;
        }
        size_t head = out->len, groups = 0;
        buf_add_char(out, '\0');
        while (at < levels.len && groups < PACKED_MOST &&
               (groups == 0 || run_at(v, at, levels.len) < RUN_LEAST)) {
            size_t left = levels.len - at;
            pack_eight(v + at, left < 8 ? left : 8, width, out);
            at += left < 8 ? left : 8;
            groups++;
        }
        out->ptr[head] = (char)(unsigned char)(groups << 1 | 1);
    }
    size_t n = out->len - length_at - 4;
    for (unsigned i = 0; i < 4; i++) {
        out->ptr[length_at + i] = (char)(unsigned char)(n >> (8 * i));
    }
}

/* ---- pages ---- */

static void put_bits(struct str flags, struct buf *out)
{
    for (size_t i = 0; i < flags.len; i += 8) {
        unsigned byte = 0;
        for (size_t k = 0; k < 8 && i + k < flags.len; k++) {
            byte |= (unsigned)(unsigned char)flags.ptr[i + k] << k;
        }
        buf_add_char(out, (char)(unsigned char)byte);
    }
}

static void compose_page(struct parquet_writer *w, size_t leaf, struct shred_page from,
                         struct shred_page to)
{
    const struct parquet_leaf *l = &w->shape->tree.leaves[leaf];
    const struct shred_leaf *s = &w->shred.leaves[leaf];
    buf_clear(&w->page);
    if (l->rep > 0) {
        put_levels(str_sub(buf_str(&s->reps), from.entries, to.entries), l->rep, &w->page);
    }
    if (l->def > 0) {
        put_levels(str_sub(buf_str(&s->defs), from.entries, to.entries), l->def, &w->page);
    }
    struct str values = str_sub(buf_str(&s->values), from.bytes, to.bytes);
    if (l->type == PARQUET_BOOLEAN) {
        put_bits(values, &w->page);
    } else if (values.len > 0) {
        buf_add_str(&w->page, values);
    }
}

static void write_page_head(struct parquet_writer *w, uint64_t entries)
{
    struct str packed = buf_str(&w->packed);
    uint32_t crc = (uint32_t)crc32(0, (const unsigned char *)packed.ptr, (uInt)packed.len);
    struct thrift_out t = {.out = &w->head};
    buf_clear(&w->head);
    thrift_put_int(&t, 1, THRIFT_I32, 0);
    thrift_put_int(&t, 2, THRIFT_I32, (int64_t)w->page.len);
    thrift_put_int(&t, 3, THRIFT_I32, (int64_t)packed.len);
    thrift_put_int(&t, 4, THRIFT_I32, (int32_t)crc);
    struct thrift_out data = thrift_put_struct(&t, 5);
    thrift_put_int(&data, 1, THRIFT_I32, (int64_t)entries);
    thrift_put_int(&data, 2, THRIFT_I32, PARQUET_PLAIN);
    thrift_put_int(&data, 3, THRIFT_I32, PARQUET_RLE);
    thrift_put_int(&data, 4, THRIFT_I32, PARQUET_RLE);
    thrift_end(&data);
    thrift_end(&t);
}

static winnow_status write_page(struct parquet_writer *w, size_t leaf, struct shred_page from,
                                struct shred_page to, uint64_t *raw, struct winnow_error *err)
{
    compose_page(w, leaf, from, to);
    if (w->page.len > INT32_MAX) {
        return error_set(err, WINNOW_E_LIMIT, "%s: a page would have more than 2 GB", w->path);
    }
    size_t room = ZSTD_compressBound(w->page.len);
    buf_clear(&w->packed);
    size_t n = ZSTD_compressCCtx(w->zst, buf_reserve(&w->packed, room), room, w->page.ptr,
                                 w->page.len, ZSTD_LEVEL);
    if (ZSTD_isError(n)) {
        return error_set(err, WINNOW_E_NOMEM, "cannot compress %s: %s", w->path,
                         ZSTD_getErrorName(n));
    }
    w->packed.len = n;
    write_page_head(w, to.entries - from.entries);
    *raw += w->head.len + w->page.len;
    TRY(put_bytes(w, buf_str(&w->head), err));
    return put_bytes(w, buf_str(&w->packed), err);
}

/* ---- row groups ---- */

static void write_chunk_meta(const struct parquet_writer *w, size_t leaf, uint64_t start,
                             uint64_t raw, struct buf *out)
{
    const struct parquet_tree *tree = &w->shape->tree;
    struct thrift_out chunk = {.out = out};
    thrift_put_int(&chunk, 2, THRIFT_I64, 0);
    struct thrift_out m = thrift_put_struct(&chunk, 3);
    thrift_put_int(&m, 1, THRIFT_I32, tree->leaves[leaf].type);
    thrift_put_list(&m, 2, THRIFT_I32, 2);
    thrift_element_int(out, PARQUET_PLAIN);
    thrift_element_int(out, PARQUET_RLE);
    size_t path[PARQUET_DEPTH_MAX + 1], n = 0;
    for (size_t at = tree->leaves[leaf].node; at > 0 && n <= PARQUET_DEPTH_MAX;
         at = tree->nodes[at].parent) {
        path[n++] = at;
    }
    thrift_put_list(&m, 3, THRIFT_BINARY, n);
    while (n-- > 0) {
        thrift_element_binary(out, tree->nodes[path[n]].element->name);
    }
    thrift_put_int(&m, 4, THRIFT_I32, PARQUET_ZSTD);
    thrift_put_int(&m, 5, THRIFT_I64, (int64_t)w->shred.leaves[leaf].entries);
    thrift_put_int(&m, 6, THRIFT_I64, (int64_t)raw);
    thrift_put_int(&m, 7, THRIFT_I64, (int64_t)(w->at - start));
    thrift_put_int(&m, 9, THRIFT_I64, (int64_t)start);
    thrift_end(&m);
    thrift_end(&chunk);
}

static winnow_status write_column(struct parquet_writer *w, size_t leaf, uint64_t *raw,
                                  struct winnow_error *err)
{
    const struct shred_leaf *s = &w->shred.leaves[leaf];
    struct shred_page from = {0}, end = {s->entries, s->values.len};
    for (size_t i = 0; i < s->page_count; i++) {
        TRY(write_page(w, leaf, from, s->pages[i], raw, err));
        from = s->pages[i];
    }
    return from.entries < end.entries ? write_page(w, leaf, from, end, raw, err) : WINNOW_OK;
}

static winnow_status write_group(struct parquet_writer *w, struct winnow_error *err)
{
    uint64_t start = w->at, all = 0;
    struct thrift_out g = {.out = &w->groups_text};
    if (w->group_rows == 0) {
        return WINNOW_OK;
    }
    thrift_put_list(&g, 1, THRIFT_STRUCT, w->shape->tree.leaf_count);
    for (size_t i = 0; i < w->shape->tree.leaf_count; i++) {
        uint64_t from = w->at, raw = 0;
        TRY(write_column(w, i, &raw, err));
        write_chunk_meta(w, i, from, raw, &w->groups_text);
        all += raw;
    }
    thrift_put_int(&g, 2, THRIFT_I64, (int64_t)all);
    thrift_put_int(&g, 3, THRIFT_I64, (int64_t)w->group_rows);
    thrift_put_int(&g, 5, THRIFT_I64, (int64_t)start);
    thrift_put_int(&g, 6, THRIFT_I64, (int64_t)(w->at - start));
    if (w->groups <= INT16_MAX) {
        thrift_put_int(&g, 7, THRIFT_I16, (int64_t)w->groups);
    }
    thrift_end(&g);
    w->groups++;
    w->rows += w->group_rows;
    w->group_rows = w->group_bytes = 0;
    shred_clear(&w->shred);
    return WINNOW_OK;
}

winnow_status parquet_writer_add(struct parquet_writer *w, struct json_value line, size_t bytes,
                                 struct winnow_error *err)
{
    if (w->group_rows > 0 &&
        (w->group_bytes + bytes > GROUP_BYTES || w->group_rows == GROUP_ROWS)) {
        TRY(write_group(w, err));
    }
    TRY(shred_line(&w->shred, line, err));
    w->group_rows++;
    w->group_bytes += bytes;
    return WINNOW_OK;
}

winnow_status parquet_writer_end(struct parquet_writer *w, struct winnow_error *err)
{
    TRY(write_group(w, err));
    struct buf text = {0};
    struct thrift_out t = {.out = &text};
    const struct parquet_shape *s = w->shape;
    thrift_put_int(&t, 1, THRIFT_I32, 2);
    thrift_put_list(&t, 2, THRIFT_STRUCT, s->element_count);
    buf_add_str(&text, buf_str(&s->elements_text));
    thrift_put_int(&t, 3, THRIFT_I64, (int64_t)w->rows);
    thrift_put_list(&t, 4, THRIFT_STRUCT, w->groups);
    if (w->groups > 0) {
        buf_add_str(&text, buf_str(&w->groups_text));
    }
    if (s->pair_count > 0) {
        thrift_put_list(&t, 5, THRIFT_STRUCT, s->pair_count);
        buf_add_str(&text, buf_str(&s->pairs));
    }
    struct buf by = {0};
    buf_addf(&by, "winnow version %s", winnow_version());
    thrift_put_binary(&t, 6, buf_str(&by));
    buf_release(&by);
    thrift_end(&t);
    size_t n = text.len;
    for (unsigned i = 0; i < 4; i++) {
        buf_add_char(&text, (char)(unsigned char)(n >> (8 * i)));
    }
    buf_add_text(&text, "PAR1");
    winnow_status st = WINNOW_OK;
    if (n > UINT32_MAX) {
        st = error_set(err, WINNOW_E_LIMIT, "%s: its footer would be larger than 4 GB", w->path);
    } else {
        st = put_bytes(w, buf_str(&text), err);
    }
    buf_release(&text);
    return st;
}
