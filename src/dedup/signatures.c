/* signatures.c -- see signatures.h and docs/formats/signatures.md. */
#include "dedup/signatures.h"

#include "base/hash.h"
#include "base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#define MAGIC        "winnowS1"
#define UNFINISHED   UINT64_MAX
#define NUMBERS_MAX  2048U
#define TRAILER      16U
#define FORGET_EVERY ((uint64_t)8 << 20)

size_t signatures_stride(const struct signatures_shape *shape)
{
    size_t bytes = sizeof(struct signature) + (size_t)shape->bands * shape->rows * sizeof(uint32_t);
    return (bytes + 7) / 8 * 8;
}

static struct signatures_head head_of(const struct signatures_shape *shape, uint64_t count,
                                      uint64_t names)
{
    struct signatures_head h = {.bands = shape->bands,
                                .rows = shape->rows,
                                .ngram = shape->ngram,
                                .numbers = shape->numbers,
                                .seed = shape->seed,
                                .count = count,
                                .names = names};
    memcpy(h.magic, MAGIC, sizeof h.magic);
    return h;
}

static uint64_t check_of(const struct signature *s, size_t stride)
{
    size_t fixed = offsetof(struct signature, check);
    uint64_t first = hash64((struct str){(const char *)s, fixed}, 0);
    return hash64((struct str){(const char *)s->numbers, stride - sizeof *s}, first);
}

/* ---- reading ---- */

static winnow_status refuse(struct winnow_error *err, const char *why)
{
    return error_set(err, WINNOW_E_FORMAT, "no file of signatures: %s", why);
}

static winnow_status parse_head(struct str bytes, struct signatures *out, struct signatures_head *h,
                                struct winnow_error *err)
{
    if (bytes.len < sizeof *h) {
        return refuse(err, "it is shorter than the head of one");
    }
    memcpy(h, bytes.ptr, sizeof *h);
    if (memcmp(h->magic, MAGIC, sizeof h->magic) != 0) {
        return refuse(err, "it does not begin with " MAGIC);
    }
    if (h->bands == 0 || h->rows == 0 || h->ngram == 0 || h->bands > NUMBERS_MAX ||
        h->rows > NUMBERS_MAX || h->bands * h->rows > NUMBERS_MAX) {
        return refuse(err, "its bands, rows or words of a shingle are out of range");
    }
    out->shape = (struct signatures_shape){h->bands, h->rows, h->ngram, h->numbers, h->seed};
    out->stride = signatures_stride(&out->shape);
    out->count = h->count;
    return WINNOW_OK;
}

/* Every name lies among the names, and ordinals ascend. */
static winnow_status check_records(const struct signatures *s, struct winnow_error *err)
{
    uint64_t next = 0;
    for (uint64_t i = 0; i < s->count; i++) {
        const struct signature *one = signatures_at(s, i);
        uint64_t len = (uint64_t)one->id_len + one->source_len;
        if (one->name_at > s->names.len || len > s->names.len - one->name_at ||
            one->ordinal < next || one->ordinal == UINT64_MAX ||
            one->check != check_of(one, s->stride)) {
            return error_set(err, WINNOW_E_FORMAT, "its record %" PRIu64 " is damaged", i);
        }
        next = one->ordinal + 1;
    }
    return WINNOW_OK;
}

static struct hash128 sum_of(struct str bytes, bool mapped)
{
    struct hash_stream *h = hash_stream_new();
    struct str rest = bytes;
    while (rest.len > 0) {
        struct str piece = str_sub(rest, 0, rest.len < FORGET_EVERY ? rest.len : FORGET_EVERY);
        hash_stream_add(h, piece);
        if (mapped) {
            file_map_forget(piece);
        }
        rest = str_sub(rest, piece.len, rest.len);
    }
    struct hash128 sum = hash_stream_value(h);
    hash_stream_free(h);
    return sum;
}

static winnow_status parse(struct str bytes, bool mapped, struct signatures *out,
                           struct winnow_error *err)
{
    struct signatures_head h;
    *out = (struct signatures){0};
    TRY(parse_head(bytes, out, &h, err));
    uint64_t left = bytes.len - sizeof h;
    if (left < TRAILER || h.count > (left - TRAILER) / out->stride ||
        h.names != left - TRAILER - h.count * out->stride) {
        return refuse(err, "it is not as long as its head says");
    }
    size_t records = (size_t)(h.count * out->stride);
    out->records = (struct str){bytes.ptr + sizeof h, records};
    out->names = (struct str){bytes.ptr + sizeof h + records, (size_t)h.names};
    struct hash128 sum = sum_of((struct str){bytes.ptr, bytes.len - TRAILER}, mapped);
    if (memcmp(&sum, bytes.ptr + bytes.len - TRAILER, TRAILER) != 0) {
        return refuse(err, "its check sum is another");
    }
    return check_records(out, err);
}

winnow_status signatures_parse(struct str bytes, struct signatures *out, struct winnow_error *err)
{
    return parse(bytes, false, out, err);
}

winnow_status signatures_open(const char *path, struct signatures *out, struct winnow_error *err)
{
    struct file_map map;
    TRY(file_map_open(path, &map, err));
    winnow_status st = parse(map.bytes, true, out, err);
    file_map_forget(map.bytes);
    out->maps[0] = map;
    return st == WINNOW_OK ? st : error_wrap(err, st, "%s", path);
}

winnow_status signatures_read_shape(const char *path, struct signatures_shape *out,
                                    struct winnow_error *err)
{
    struct file_map map;
    struct signatures s = {0};
    struct signatures_head h;
    TRY(file_map_open(path, &map, err));
    winnow_status st = parse_head(map.bytes, &s, &h, err);
    *out = s.shape;
    file_map_close(&map);
    return st == WINNOW_OK ? st : error_wrap(err, st, "%s", path);
}

winnow_status signatures_open_parts(const char *records, const char *names, struct signatures *out,
                                    struct winnow_error *err)
{
    struct signatures_head h;
    *out = (struct signatures){0};
    TRY(file_map_open(records, &out->maps[0], err));
    TRY(file_map_open(names, &out->maps[1], err));
    TRY(parse_head(out->maps[0].bytes, out, &h, err));
    out->names = out->maps[1].bytes;
    out->records =
        (struct str){out->maps[0].bytes.ptr + sizeof h, out->maps[0].bytes.len - sizeof h};
    if (h.count > out->records.len / out->stride || h.names != out->names.len) {
        return error_set(err, WINNOW_E_INTERNAL, "%s is not whole: remove the run and start again",
                         records);
    }
    return WINNOW_OK;
}

void signatures_release(struct signatures *s)
{
    file_map_close(&s->maps[0]);
    file_map_close(&s->maps[1]);
    *s = (struct signatures){0};
}

const struct signature *signatures_at(const struct signatures *s, uint64_t i)
{
    return (const struct signature *)(const void *)(s->records.ptr + i * s->stride);
}

struct str signatures_id(const struct signatures *s, const struct signature *one)
{
    return one->id_len > 0 ? str_sub(s->names, one->name_at, one->name_at + one->id_len)
                           : STR_LIT("");
}

struct str signatures_source(const struct signatures *s, const struct signature *one)
{
    uint64_t at = one->name_at + one->id_len;
    return one->source_len > 0 ? str_sub(s->names, at, at + one->source_len) : STR_LIT("");
}

/* ---- writing ---- */

/* How many whole records an earlier process left, one behind the other. */
static uint64_t count_whole(const struct signatures *s, uint64_t *names)
{
    uint64_t count = s->records.len / s->stride, next = 0;
    *names = 0;
    for (uint64_t i = 0; i < count; i++) {
        const struct signature *one = signatures_at(s, i);
        uint64_t len = (uint64_t)one->id_len + one->source_len;
        if (one->name_at != *names || *names + len > s->names.len || one->ordinal < next ||
            one->check != check_of(one, s->stride)) {
            return i;
        }
        *names += len;
        next = one->ordinal + 1;
    }
    return count;
}

static void look_back(struct signatures_writer *w, const char *records, const char *names,
                      uint64_t keep[2])
{
    struct winnow_error ignored; /* what cannot be gone on with is begun anew */
    struct signatures s = {0};
    struct signatures_head h;
    const struct signatures_head mine = head_of(&w->shape, UNFINISHED, 0);
    keep[0] = keep[1] = 0;
    if (!file_exists(records) || !file_exists(names) ||
        file_map_open(records, &s.maps[0], &ignored) != WINNOW_OK ||
        file_map_open(names, &s.maps[1], &ignored) != WINNOW_OK ||
        parse_head(s.maps[0].bytes, &s, &h, &ignored) != WINNOW_OK ||
        memcmp(&mine, &h, offsetof(struct signatures_head, count)) != 0) {
        signatures_release(&s);
        return;
    }
    s.names = s.maps[1].bytes;
    s.records = str_sub(s.maps[0].bytes, sizeof h, s.maps[0].bytes.len);
    w->count = count_whole(&s, &keep[1]);
    w->complete = h.count == w->count && h.names == keep[1];
    w->next_ordinal = w->count > 0 ? signatures_at(&s, w->count - 1)->ordinal + 1 : 0;
    keep[0] = sizeof h + w->count * s.stride;
    signatures_release(&s);
}

winnow_status signatures_start(struct signatures_writer *w, const struct signatures_shape *shape,
                               const char *records, const char *names, struct winnow_error *err)
{
    uint64_t keep[2];
    *w = (struct signatures_writer){
        .shape = *shape, .records = NEAR_FILE_NONE, .names = NEAR_FILE_NONE};
    look_back(w, records, names, keep);
    TRY(near_file_open(&w->records, records, keep[0], err));
    TRY(near_file_open(&w->names, names, keep[1], err));
    if (keep[0] > 0) {
        return WINNOW_OK;
    }
    struct signatures_head h = head_of(shape, UNFINISHED, 0);
    return near_file_add(&w->records, (struct str){(const char *)&h, sizeof h}, err);
}

winnow_status signatures_add(struct signatures_writer *w, struct signature *s, struct str id,
                             struct str source, struct winnow_error *err)
{
    size_t stride = signatures_stride(&w->shape);
    s->name_at = w->names.end;
    s->id_len = (uint32_t)id.len;
    s->source_len = (uint32_t)source.len;
    s->check = check_of(s, stride);
    TRY(near_file_add(&w->names, id, err));
    TRY(near_file_add(&w->names, source, err));
    TRY(near_file_add(&w->records, (struct str){(const char *)s, stride}, err));
    w->count++;
    w->next_ordinal = s->ordinal + 1;
    return WINNOW_OK;
}

winnow_status signatures_finish(struct signatures_writer *w, struct winnow_error *err)
{
    TRY(near_file_sync(&w->names, err));
    TRY(near_file_sync(&w->records, err));
    struct signatures_head h = head_of(&w->shape, w->count, w->names.end);
    if (pwrite(w->records.fd, &h, sizeof h, 0) != (ssize_t)sizeof h) {
        return error_errno(err, "cannot write", w->records.path);
    }
    w->complete = true;
    return near_file_sync(&w->records, err);
}

void signatures_close(struct signatures_writer *w)
{
    near_file_close(&w->records);
    near_file_close(&w->names);
}

/* ---- those that stay ---- */

struct summed {
    struct near_file file;
    struct hash_stream *sum;
};

static winnow_status put(struct summed *to, const void *bytes, size_t len, struct winnow_error *err)
{
    const struct str s = {bytes, len};
    hash_stream_add(to->sum, s);
    return near_file_add(&to->file, s, err);
}

/* Going over a mapped file from front to back must not leave all of it in memory. */
static void forget(const struct signatures *s, uint64_t i)
{
    if (i * s->stride % FORGET_EVERY < s->stride) {
        file_map_forget(s->maps[0].bytes);
        file_map_forget(s->maps[1].bytes);
    }
}

static winnow_status put_records(const struct signatures *s,
                                 bool (*keep)(const void *ctx, uint64_t i), const void *ctx,
                                 struct summed *to, struct winnow_error *err)
{
    struct signature *copy = mem_alloc(s->stride);
    winnow_status st = WINNOW_OK;
    uint64_t names = 0;
    for (uint64_t i = 0; st == WINNOW_OK && i < s->count; i++) {
        forget(s, i);
        if (!keep(ctx, i)) {
            continue;
        }
        memcpy(copy, signatures_at(s, i), s->stride);
        copy->name_at = names;
        copy->check = check_of(copy, s->stride);
        names += (uint64_t)copy->id_len + copy->source_len;
        st = put(to, copy, s->stride, err);
    }
    mem_free(copy);
    return st;
}

static winnow_status put_names(const struct signatures *s,
                               bool (*keep)(const void *ctx, uint64_t i), const void *ctx,
                               struct summed *to, struct winnow_error *err)
{
    for (uint64_t i = 0; i < s->count; i++) {
        const struct signature *one = signatures_at(s, i);
        forget(s, i);
        if (keep(ctx, i) && one->id_len + one->source_len > 0) {
            TRY(put(to, s->names.ptr + one->name_at, (size_t)one->id_len + one->source_len, err));
        }
    }
    return WINNOW_OK;
}

static winnow_status put_all(const struct signatures *s, bool (*keep)(const void *ctx, uint64_t i),
                             const void *ctx, struct summed *to, struct winnow_error *err)
{
    uint64_t count = 0, names = 0;
    for (uint64_t i = 0; i < s->count; i++) {
        const struct signature *one = signatures_at(s, i);
        bool kept = keep(ctx, i);
        forget(s, i);
        count += kept;
        names += kept ? (uint64_t)one->id_len + one->source_len : 0;
    }
    struct signatures_head h = head_of(&s->shape, count, names);
    TRY(put(to, &h, sizeof h, err));
    TRY(put_records(s, keep, ctx, to, err));
    TRY(put_names(s, keep, ctx, to, err));
    struct hash128 sum = hash_stream_value(to->sum);
    return near_file_add(&to->file, (struct str){(const char *)&sum, sizeof sum}, err);
}

winnow_status signatures_write(const struct signatures *s,
                               bool (*keep)(const void *ctx, uint64_t i), const void *ctx,
                               const char *path, struct winnow_error *err)
{
    struct summed to = {.file = NEAR_FILE_NONE, .sum = hash_stream_new()};
    struct buf temporary = {0};
    buf_addf(&temporary, "%s" FILE_TMP, path);
    winnow_status st = near_file_open(&to.file, buf_cstr(&temporary), 0, err);
    if (st == WINNOW_OK) {
        st = put_all(s, keep, ctx, &to, err);
    }
    if (st == WINNOW_OK) {
        st = near_file_flush(&to.file, err);
    }
    near_file_close(&to.file);
    if (st == WINNOW_OK) {
        st = file_commit(buf_cstr(&temporary), path, err);
    }
    hash_stream_free(to.sum);
    buf_release(&temporary);
    return st;
}
