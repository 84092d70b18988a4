/* safetensors.c -- u64 header length, JSON header, tensor bytes.
 *
 *     0        8                8 + n
 *     | n:u64  | {"name": {"dtype": "F32", "shape": [2, 3],
 *     |        |           "data_offsets": [from, to]}, ...}   | bytes ... |
 *
 * Offsets count from behind the header.  As the reference implementation does,
 * we take only files whose tensors fill the bytes from the first to the last
 * without overlap or hole, so that nothing can hide in one and a cut file never
 * passes.  The header is padded with spaces to a multiple of 8 when we write;
 * readers may not rely on that, so views are read at any alignment.
 */
#include "model/safetensors.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/file_kind.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/sort.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

/* The reference's bound; the header of a model of 100,000 tensors takes 10 MB. */
#define HEADER_MAX ((uint64_t)100 << 20)

#define REMEDY     "copy or download the file again"

struct safetensors {
    struct arena keep;
    struct file_map map;
    struct tensor_view *tensors; /* by offset */
    size_t count;
    struct map by_name; /* index into tensors */
};

static const struct {
    const char *name;
    enum tensor_type type;
    uint64_t bytes;
} DTYPES[] = {
    {"F32", TENSOR_F32, 4},    {"F16", TENSOR_F16, 2},       {"BF16", TENSOR_BF16, 2},
    {"F64", TENSOR_OTHER, 8},  {"I64", TENSOR_OTHER, 8},     {"U64", TENSOR_OTHER, 8},
    {"I32", TENSOR_OTHER, 4},  {"U32", TENSOR_OTHER, 4},     {"I16", TENSOR_OTHER, 2},
    {"U16", TENSOR_OTHER, 2},  {"I8", TENSOR_OTHER, 1},      {"U8", TENSOR_OTHER, 1},
    {"BOOL", TENSOR_OTHER, 1}, {"F8_E4M3", TENSOR_OTHER, 1}, {"F8_E5M2", TENSOR_OTHER, 1},
};

static uint64_t load_u64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* {"dtype": ..., "shape": [...], "data_offsets": [from, to]} into t; data is
 * what follows the header. */
static winnow_status read_entry(struct json_value v, struct str data, const char *file,
                                struct tensor_view *t, struct winnow_error *err)
{
    struct json_value shape = json_get(v, "shape"), offsets = json_get(v, "data_offsets");
    if (!json_as_str(json_get(v, "dtype"), &t->type_name) || json_kind(shape) != JSON_ARRAY ||
        json_kind(offsets) != JSON_ARRAY || json_count(offsets) != 2) {
        return error_set(
            err, WINNOW_E_FORMAT,
            "%s: the entry of tensor \"%.200s\" lacks dtype, shape or data_offsets; " REMEDY, file,
            t->name.ptr);
    }
    size_t known = 0;
    while (known < sizeof DTYPES / sizeof DTYPES[0] && !str_is(t->type_name, DTYPES[known].name)) {
        known++;
    }
    if (known == sizeof DTYPES / sizeof DTYPES[0]) {
        return error_set(
            err, WINNOW_E_FORMAT,
            "%s: tensor \"%.200s\" has the unknown dtype \"%.40s\"; save it as F32, F16 or BF16",
            file, t->name.ptr, t->type_name.ptr);
    }
    t->type = DTYPES[known].type;
    t->type_name = str_of(DTYPES[known].name);
    if (json_count(shape) > TENSOR_DIMS_MAX) {
        return error_set(err, WINNOW_E_FORMAT, "%s: tensor \"%.200s\" has more than %u dimensions",
                         file, t->name.ptr, TENSOR_DIMS_MAX);
    }
    bool numbers = true;
    struct json_iter it = json_walk(shape);
    while (json_next(&it)) {
        numbers = json_as_u64(it.value, &t->shape[t->dims++]) && numbers;
    }
    uint64_t at[2] = {0, 0}, elements = 0, bytes = 0;
    it = json_walk(offsets);
    for (size_t i = 0; json_next(&it); i++) {
        numbers = json_as_u64(it.value, &at[i]) && numbers;
    }
    if (!numbers || at[0] > at[1] || at[1] > data.len) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: tensor \"%.200s\" lies at bytes %" PRIu64 " to %" PRIu64
                         " of %zu; the file is cut short or its header lies: " REMEDY,
                         file, t->name.ptr, at[0], at[1], data.len);
    }
    if (!tensor_elements(t->shape, t->dims, &elements) ||
        __builtin_mul_overflow(elements, DTYPES[known].bytes, &bytes) || bytes != at[1] - at[0]) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: tensor \"%.200s\" has %" PRIu64
                         " bytes, which is not what its shape and dtype %s need; " REMEDY,
                         file, t->name.ptr, at[1] - at[0], t->type_name.ptr);
    }
    t->bytes = str_sub(data, at[0], at[1]);
    return WINNOW_OK;
}

static int by_offset(const void *pa, const void *pb)
{
    const struct tensor_view *a = pa, *b = pb;
    if (a->bytes.ptr != b->bytes.ptr) {
        return a->bytes.ptr < b->bytes.ptr ? -1 : 1;
    }
    if (a->bytes.len != b->bytes.len) { /* empty ones first, or they would seem to overlap */
        return a->bytes.len < b->bytes.len ? -1 : 1;
    }
    return str_cmp(a->name, b->name);
}

/* Sorts by place, and checks that no name stands twice and that the tensors tile
 * data exactly. */
static winnow_status check_tiling(struct safetensors *f, struct str data, const char *file,
                                  struct winnow_error *err)
{
    if (f->count > 0) {
        sort(f->tensors, f->count, sizeof *f->tensors, by_offset);
    }
    for (size_t i = 0; i < f->count; i++) {
        bool is_new = false;
        *map_put(&f->by_name, f->tensors[i].name, &is_new) = i;
        if (!is_new) {
            return error_set(err, WINNOW_E_FORMAT, "%s: two tensors are named \"%.200s\"; " REMEDY,
                             file, f->tensors[i].name.ptr);
        }
    }
    const char *end = data.ptr;
    for (size_t i = 0; i < f->count; i++) {
        const struct tensor_view *t = &f->tensors[i];
        if (t->bytes.ptr != end) {
            return error_set(err, WINNOW_E_FORMAT, "%s: tensor \"%.200s\" %s; " REMEDY, file,
                             t->name.ptr,
                             t->bytes.ptr < end ? "overlaps the one before it"
                                                : "leaves unused bytes before it");
        }
        end = t->bytes.ptr + t->bytes.len;
    }
    if (end != data.ptr + data.len) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: %zu bytes behind the last tensor belong to none; " REMEDY, file,
                         (size_t)(data.ptr + data.len - end));
    }
    return WINNOW_OK;
}

static winnow_status read_header(struct safetensors *f, struct json_value root, struct str data,
                                 const char *file, struct winnow_error *err)
{
    if (json_kind(root) != JSON_OBJECT) {
        return error_set(err, WINNOW_E_FORMAT, "%s: the header is no JSON object; " REMEDY, file);
    }
    f->tensors = arena_try_alloc(&f->keep, json_count(root), sizeof *f->tensors);
    if (!f->tensors) {
        return error_set(err, WINNOW_E_NOMEM, "%s: no memory for a header of %zu tensors", file,
                         json_count(root));
    }
    struct json_iter it = json_walk(root);
    while (json_next(&it)) {
        if (str_is(it.key, "__metadata__")) {
            continue;
        }
        struct tensor_view *t = &f->tensors[f->count];
        *t = (struct tensor_view){0};
        t->name = (struct str){arena_strndup(&f->keep, it.key.ptr, it.key.len), it.key.len};
        TRY(read_entry(it.value, data, file, t, err));
        f->count++;
    }
    return check_tiling(f, data, file, err);
}

winnow_status safetensors_parse(struct str bytes, const char *name, struct safetensors **out,
                                struct winnow_error *err)
{
    *out = NULL;
    uint64_t length = bytes.len >= 8 ? load_u64(bytes.ptr) : 0;
    if (bytes.len < 8 || length > bytes.len - 8) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: the header should have %" PRIu64
                         " bytes but the file has %zu; it is cut "
                         "short or no safetensors file: " REMEDY,
                         name, length, bytes.len);
    }
    if (length > HEADER_MAX) {
        return error_set(err, WINNOW_E_LIMIT,
                         "%s: the header has %" PRIu64
                         " bytes, more than the format's bound of %" PRIu64,
                         name, length, HEADER_MAX);
    }
    struct safetensors *f = mem_zalloc(sizeof *f);
    arena_init(&f->keep, (size_t)1 << 16);
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    struct str header = str_sub(bytes, 8, 8 + length);
    winnow_status st = json_parse(parser, header, &root, err);
    if (st != WINNOW_OK) {
        st = error_wrap(err, st, "%s: the header is damaged", name);
    } else {
        st = read_header(f, root, str_sub(bytes, 8 + length, bytes.len), name, err);
    }
    json_parser_free(parser);
    if (st != WINNOW_OK) {
        safetensors_close(f);
        return st;
    }
    *out = f;
    return WINNOW_OK;
}

winnow_status safetensors_open(const char *path, struct safetensors **out, struct winnow_error *err)
{
    struct file_map map;
    *out = NULL;
    TRY(file_map_open(path, &map, err));
    winnow_status st = safetensors_parse(map.bytes, path, out, err);
    st = file_kind_blame(path, map.bytes, st, err);
    if (st != WINNOW_OK || !*out) {
        file_map_close(&map);
        return st;
    }
    (*out)->map = map;
    return WINNOW_OK;
}

void safetensors_close(struct safetensors *file)
{
    if (!file) {
        return;
    }
    file_map_close(&file->map);
    map_release(&file->by_name);
    arena_release(&file->keep);
    mem_free(file);
}

size_t safetensors_count(const struct safetensors *file)
{
    return file->count;
}

const struct tensor_view *safetensors_at(const struct safetensors *file, size_t index)
{
    assert(index < file->count);
    return &file->tensors[index];
}

const struct tensor_view *safetensors_find(const struct safetensors *file, struct str name)
{
    const uint64_t *index = map_get(&file->by_name, name);
    return index ? &file->tensors[*index] : NULL;
}

static void write_header(const struct safetensors_item *items, size_t count, enum tensor_type type,
                         struct buf *out)
{
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    json_member_open(&w, "__metadata__", '{');
    json_member_text(&w, "format", "pt");
    json_close(&w, '}');
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        json_member_open(&w, items[i].name, '{');
        json_member_text(&w, "dtype", tensor_type_name(type));
        json_member_open(&w, "shape", '[');
        uint64_t elements = 1;
        for (uint32_t d = 0; d < items[i].dims; d++) {
            json_u64(&w, items[i].shape[d]);
            elements *= items[i].shape[d];
        }
        json_close(&w, ']');
        json_member_open(&w, "data_offsets", '[');
        json_u64(&w, at);
        at += elements * tensor_block_bytes(type);
        json_u64(&w, at);
        json_close(&w, ']');
        json_close(&w, '}');
    }
    json_close(&w, '}');
    while (out->len % 8 != 0) {
        buf_add_char(out, ' ');
    }
}

/* count values converted a piece at a time, so that a large model needs no
 * second copy in memory. */
static winnow_status write_values(int fd, const float *values, uint64_t count,
                                  enum tensor_type type, const char *path, struct winnow_error *err)
{
    if (type == TENSOR_F32) {
        return file_write_fd(fd, (struct str){(const char *)values, count * sizeof *values}, path,
                             err);
    }
    uint16_t piece[8192];
    for (uint64_t at = 0; at < count; at += 8192) {
        size_t n = count - at < 8192 ? (size_t)(count - at) : 8192;
        for (size_t i = 0; i < n; i++) {
            float x = values[at + i];
            piece[i] = type == TENSOR_BF16 ? bf16_from_f32(x) : f16_from_f32(x);
        }
        TRY(file_write_fd(fd, (struct str){(const char *)piece, n * sizeof *piece}, path, err));
    }
    return WINNOW_OK;
}

winnow_status safetensors_write(const char *path, const struct safetensors_item *items,
                                size_t count, enum tensor_type type, struct winnow_error *err)
{
    assert(type == TENSOR_F32 || type == TENSOR_BF16 || type == TENSOR_F16);
    struct buf header = {0}, name = {0};
    write_header(items, count, type, &header);
    buf_addf(&name, "%s" FILE_TMP, path);
    const char *tmp = buf_cstr(&name);
    uint64_t length = header.len;
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    winnow_status st = fd >= 0 ? WINNOW_OK : error_errno(err, "cannot create", tmp);
    if (st == WINNOW_OK) {
        st = file_write_fd(fd, (struct str){(const char *)&length, sizeof length}, tmp, err);
    }
    if (st == WINNOW_OK) {
        st = file_write_fd(fd, buf_str(&header), tmp, err);
    }
    for (size_t i = 0; i < count && st == WINNOW_OK; i++) {
        uint64_t elements = 0;
        bool fits = tensor_elements(items[i].shape, items[i].dims, &elements);
        assert(fits);
        st = write_values(fd, items[i].values, elements, type, tmp, err);
    }
    if (fd >= 0 && close(fd) != 0 && st == WINNOW_OK) {
        st = error_errno(err, "cannot close", tmp);
    }
    if (st == WINNOW_OK) {
        st = file_commit(tmp, path, err);
    }
    if (st != WINNOW_OK && fd >= 0) {
        (void)unlink(tmp);
    }
    buf_release(&name);
    buf_release(&header);
    return st;
}
