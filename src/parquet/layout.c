/* layout.c -- reads the footer, and refuses what no reader could make sense of. */
#include "parquet/layout.h"

#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#define MAGIC_LEN  4U
#define TAIL_LEN   8U                  /* the footer's length and the magic bytes again */
#define LIMIT_ROWS ((uint64_t)1 << 56) /* more are a lie */

static winnow_status breaks_off(uint64_t at, struct winnow_error *err)
{
    return error_set(err, WINNOW_E_FORMAT, "the Parquet file breaks off at byte %" PRIu64, at);
}

winnow_status parquet_pread(const struct parquet_file *file, void *to, size_t len, uint64_t at,
                            struct winnow_error *err)
{
    char *p = to;
    if (file->read_at) {
        size_t got = 0;
        TRY(file->read_at(file->ctx, to, len, at, &got, err));
        return got == len ? WINNOW_OK : breaks_off(at + got, err);
    }
    while (len > 0) {
        ssize_t n = pread(file->fd, p, len, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            char reason[128]; /* strerror() shares one buffer among threads */
            return error_set(err, WINNOW_E_IO, "cannot read: %s",
                             strerror_r(errno, reason, sizeof reason));
        }
        if (n == 0) {
            return breaks_off(at, err);
        }
        p += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return WINNOW_OK;
}

/* ---- elements of the schema ---- */

static int read_unit(struct thrift_in *in, const struct thrift_field *f)
{
    int unit = 0;
    struct thrift_field m = {0};
    if (thrift_struct(in, f)) {
        while (thrift_next(in, &m)) {
            unit = m.id == 1 ? 3 : m.id == 2 ? 6 : m.id == 3 ? 9 : unit;
            thrift_skip(in, &m);
        }
    }
    return unit;
}

/* What stands in the member of the union that says the logical type. */
static void read_logical_of(struct thrift_in *in, struct parquet_element *e)
{
    struct thrift_field f = {0};
    while (thrift_next(in, &f)) {
        bool time = e->logical == LOGICAL_TIME || e->logical == LOGICAL_TIMESTAMP;
        if (e->logical == LOGICAL_DECIMAL && f.id == 1) {
            e->scale = (int32_t)thrift_int(in, &f);
        } else if (e->logical == LOGICAL_DECIMAL && f.id == 2) {
            e->precision = (int32_t)thrift_int(in, &f);
        } else if (time && f.id == 1) {
            e->utc = thrift_bool(in, &f);
        } else if (time && f.id == 2) {
            e->unit = read_unit(in, &f);
        } else if (e->logical == LOGICAL_INTEGER && f.id == 1) {
            e->bits = (int)thrift_int(in, &f);
        } else if (e->logical == LOGICAL_INTEGER && f.id == 2) {
            e->is_signed = thrift_bool(in, &f);
        } else {
            thrift_skip(in, &f);
        }
    }
}

static void read_logical(struct thrift_in *in, const struct thrift_field *f,
                         struct parquet_element *e)
{
    struct thrift_field m = {0};
    if (!thrift_struct(in, f)) {
        return;
    }
    while (thrift_next(in, &m)) {
        e->logical = m.id > 0 ? m.id : LOGICAL_NONE;
        if (thrift_struct(in, &m)) {
            read_logical_of(in, e);
        }
    }
}

static void read_element_field(struct thrift_in *in, const struct thrift_field *f,
                               struct parquet_element *e)
{
    switch (f->id) {
    case 1: {
        int64_t type = thrift_int(in, f);
        in->bad = in->bad || type < 0 || type >= PARQUET_GROUP;
        e->type = in->bad ? PARQUET_GROUP : (enum parquet_type)type;
        break;
    }
    case 2:
        e->length = (int32_t)thrift_int(in, f);
        break;
    case 3: {
        int64_t repetition = thrift_int(in, f);
        in->bad = in->bad || repetition < 0 || repetition > PARQUET_REPEATED;
        e->repetition = in->bad ? PARQUET_REQUIRED : (enum parquet_repetition)repetition;
        break;
    }
    case 4:
        e->name = thrift_binary(in, f);
        break;
    case 5:
        e->children = (int32_t)thrift_int(in, f);
        break;
    case 6:
        e->converted = (int)thrift_int(in, f);
        break;
    case 7:
        e->scale = (int32_t)thrift_int(in, f);
        break;
    case 8:
        e->precision = (int32_t)thrift_int(in, f);
        break;
    case 10:
        read_logical(in, f, e);
        break;
    default:
        thrift_skip(in, f);
    }
}

void parquet_element_read(struct thrift_in *in, struct parquet_element *e)
{
    const unsigned char *from = in->at;
    struct thrift_field f = {0};
    *e = (struct parquet_element){
        .type = PARQUET_GROUP, .converted = CONVERTED_NONE, .is_signed = true};
    while (thrift_next(in, &f)) {
        read_element_field(in, &f, e);
    }
    e->raw = (struct str){(const char *)from, (size_t)(in->at - from)};
    in->bad = in->bad || e->children < 0 || (e->type == PARQUET_FIXED && e->length <= 0) ||
              (e->type != PARQUET_GROUP && e->children > 0);
}

static winnow_status read_elements(struct thrift_in *in, const struct thrift_field *f,
                                   struct parquet_layout *l, struct winnow_error *err)
{
    struct thrift_field each;
    uint32_t n = thrift_list(in, f, &each);
    in->bad = in->bad || each.type != THRIFT_STRUCT;
    l->elements = arena_try_alloc(&l->keep, (size_t)n + 1, sizeof *l->elements);
    if (!l->elements) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a schema of %u elements", n);
    }
    for (uint32_t i = 0; i < n && !in->bad; i++) {
        parquet_element_read(in, &l->elements[i]);
        l->leaf_count += l->elements[i].type != PARQUET_GROUP;
    }
    l->element_count = n;
    return WINNOW_OK;
}

/* ---- row groups ---- */

struct chunk_places {
    int64_t data, dictionary;
    bool elsewhere, has_meta;
};

static void read_chunk_meta(struct thrift_in *in, struct parquet_chunk *c, struct chunk_places *at)
{
    struct thrift_field f = {0};
    int64_t v[16] = {0};
    while (thrift_next(in, &f)) {
        bool wanted = f.id == 1 || (f.id >= 4 && f.id <= 7) || f.id == 9 || f.id == 11;
        if (wanted) {
            v[f.id] = thrift_int(in, &f);
        } else {
            thrift_skip(in, &f);
        }
    }
    bool sane = v[1] >= 0 && v[1] < PARQUET_GROUP && v[4] >= 0 && v[4] < 64 && v[5] >= 0 &&
                v[6] >= 0 && v[7] >= 0;
    in->bad = in->bad || !sane;
    if (!in->bad) {
        c->type = (enum parquet_type)v[1];
        c->codec = (int)v[4];
        c->values = (uint64_t)v[5];
        c->bytes_raw = (uint64_t)v[6];
        c->bytes_packed = (uint64_t)v[7];
    }
    *at = (struct chunk_places){
        .data = v[9], .dictionary = v[11], .elsewhere = at->elsewhere, .has_meta = true};
}

static winnow_status read_chunk(struct thrift_in *in, const struct parquet_layout *l,
                                struct parquet_chunk *c, struct winnow_error *err)
{
    struct thrift_field f = {0};
    struct chunk_places at = {0};
    bool sealed = false;
    while (thrift_next(in, &f)) {
        if (f.id == 1) {
            at.elsewhere = thrift_binary(in, &f).len > 0;
        } else if (f.id == 3 && thrift_struct(in, &f)) {
            read_chunk_meta(in, c, &at);
        } else {
            sealed = sealed || f.id == 8 || f.id == 9;
            thrift_skip(in, &f);
        }
    }
    if (in->bad) {
        return WINNOW_OK; /* the caller says so */
    }
    if (sealed || !at.has_meta) {
        return error_set(err, WINNOW_E_FORMAT, "columns of the Parquet file are encrypted");
    }
    if (at.elsewhere) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the Parquet file keeps its columns in other files (a _metadata file): "
                         "name those");
    }
    int64_t start = at.dictionary > 0 && at.dictionary < at.data ? at.dictionary : at.data;
    if (start < MAGIC_LEN || (uint64_t)start >= l->data_end) {
        if (c->values > 0) {
            return error_set(err, WINNOW_E_FORMAT,
                             "the Parquet footer is corrupt: a column begins at byte %" PRId64
                             " of %" PRIu64,
                             start, l->data_end);
        }
        start = MAGIC_LEN;
    }
    c->start = (uint64_t)start;
    return WINNOW_OK;
}

static winnow_status read_group(struct thrift_in *in, struct parquet_layout *l,
                                struct parquet_group *g, struct winnow_error *err)
{
    struct thrift_field f = {0}, each;
    uint32_t n = 0;
    while (thrift_next(in, &f)) {
        if (f.id == 1) {
            n = thrift_list(in, &f, &each);
            in->bad = in->bad || each.type != THRIFT_STRUCT || n != l->leaf_count;
            g->chunks =
                in->bad ? NULL : arena_try_alloc(&l->keep, (size_t)n + 1, sizeof *g->chunks);
            if (!g->chunks && !in->bad) {
                return error_set(err, WINNOW_E_NOMEM, "no memory for the Parquet footer");
            }
            for (uint32_t i = 0; i < n && !in->bad; i++) {
                TRY(read_chunk(in, l, &g->chunks[i], err));
            }
        } else if (f.id == 3) {
            int64_t rows = thrift_int(in, &f);
            in->bad = in->bad || rows < 0 || (uint64_t)rows > LIMIT_ROWS;
            g->rows = in->bad ? 0 : (uint64_t)rows;
        } else {
            thrift_skip(in, &f);
        }
    }
    in->bad = in->bad || (!g->chunks && l->leaf_count > 0);
    return WINNOW_OK;
}

static winnow_status read_groups(struct thrift_in *in, const struct thrift_field *f,
                                 struct parquet_layout *l, struct winnow_error *err)
{
    struct thrift_field each;
    uint32_t n = thrift_list(in, f, &each);
    in->bad = in->bad || each.type != THRIFT_STRUCT;
    l->groups = arena_try_alloc(&l->keep, (size_t)n + 1, sizeof *l->groups);
    if (!l->groups) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %u row groups", n);
    }
    for (uint32_t i = 0; i < n && !in->bad; i++) {
        l->groups[i].first_row = l->rows;
        TRY(read_group(in, l, &l->groups[i], err));
        l->rows += l->groups[i].rows;
        in->bad = in->bad || l->rows > LIMIT_ROWS;
    }
    l->group_count = n;
    return WINNOW_OK;
}

static winnow_status read_footer(struct parquet_layout *l, struct winnow_error *err)
{
    const unsigned char *from = (const unsigned char *)l->footer.ptr;
    struct thrift_in in = {.at = from, .end = from + l->footer.len};
    struct thrift_field f = {0}, each;
    while (thrift_next(&in, &f)) {
        if (f.id == 2 && !l->elements) {
            TRY(read_elements(&in, &f, l, err));
        } else if (f.id == 4 && !l->groups && l->elements) {
            TRY(read_groups(&in, &f, l, err));
        } else if (f.id == 5 && !l->pairs.ptr) {
            l->pair_count = thrift_list(&in, &f, &each);
            const unsigned char *at = in.at;
            each.id = 0;
            for (size_t i = 0; i < l->pair_count && !in.bad; i++) {
                thrift_skip(&in, &each);
            }
            l->pairs = (struct str){(const char *)at, (size_t)(in.at - at)};
        } else {
            thrift_skip(&in, &f);
        }
    }
    if (in.bad || !l->elements) {
        return error_set(err, WINNOW_E_FORMAT, "the Parquet footer is corrupt");
    }
    if (l->leaf_count == 0) {
        return error_set(err, WINNOW_E_FORMAT, "the Parquet file has no column");
    }
    return WINNOW_OK;
}

static winnow_status find_footer(struct parquet_layout *l, const struct parquet_file *file,
                                 uint64_t *length, struct winnow_error *err)
{
    const uint64_t size = file->size;
    unsigned char head[MAGIC_LEN], tail[TAIL_LEN];
    if (size < MAGIC_LEN + TAIL_LEN) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the Parquet file breaks off: it has %" PRIu64 " bytes", size);
    }
    TRY(parquet_pread(file, head, sizeof head, 0, err));
    TRY(parquet_pread(file, tail, sizeof tail, size - TAIL_LEN, err));
    if (memcmp(tail + 4, "PARE", 4) == 0 || memcmp(head, "PARE", 4) == 0) {
        return error_set(err, WINNOW_E_FORMAT, "the Parquet file is encrypted");
    }
    if (memcmp(tail + 4, "PAR1", 4) != 0 || memcmp(head, "PAR1", 4) != 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the Parquet file breaks off: it has no footer, and without one nothing "
                         "of it can be read");
    }
    *length = (uint64_t)tail[0] | (uint64_t)tail[1] << 8 | (uint64_t)tail[2] << 16 |
              (uint64_t)tail[3] << 24;
    if (*length > size - MAGIC_LEN - TAIL_LEN) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the Parquet footer is corrupt: it says that it has %" PRIu64
                         " bytes, of a file of %" PRIu64,
                         *length, size);
    }
    l->data_end = size - TAIL_LEN - *length;
    return WINNOW_OK;
}

winnow_status parquet_layout_read(struct parquet_layout *out, const struct parquet_file *file,
                                  uint64_t memory_max, struct winnow_error *err)
{
    *out = (struct parquet_layout){0};
    arena_init(&out->keep, (size_t)1 << 16);
    uint64_t length = 0;
    TRY(find_footer(out, file, &length, err));
    if (memory_max > 0 && length > memory_max / 4) {
        return error_set(err, WINNOW_E_LIMIT,
                         "the Parquet footer has %" PRIu64
                         " MiB, which is more than --memory leaves for it; give more",
                         length >> 20);
    }
    char *bytes = arena_try_alloc(&out->keep, (size_t)length + 1, 1);
    if (!bytes) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a Parquet footer of %" PRIu64 " bytes",
                         length);
    }
    TRY(parquet_pread(file, bytes, (size_t)length, out->data_end, err));
    out->footer = (struct str){bytes, (size_t)length};
    return read_footer(out, err);
}

void parquet_layout_release(struct parquet_layout *l)
{
    arena_release(&l->keep);
    *l = (struct parquet_layout){0};
}
