/* gguf.c -- the GGUF container.
 *
 *     "GGUF" version:u32 tensors:u64 pairs:u64
 *     pairs   x { key:string type:u32 value }
 *     tensors x { name:string dims:u32 shape:u64[dims] type:u32 offset:u64 }
 *     padding to general.alignment, then the tensors' bytes
 *
 * A string is a u64 length and its bytes; an array is an item type (u32), a
 * count (u64) and its items.  Arrays of arrays are allowed by the format and
 * used by nobody: we refuse them, which keeps reading free of recursion.  A
 * cursor takes every piece off the front of what is left and fails for good
 * where the file ends, so counts that lie run into the end of the file and not
 * into memory: tables are only allocated for as many entries as the bytes that
 * are left could hold.
 */
#include "model/gguf.h"

#include "base/file.h"
#include "base/file_kind.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/sort.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define REMEDY             "copy or download the file again"

#define PAIR_BYTES_LEAST   13U /* empty key, type, one byte */
#define TENSOR_BYTES_LEAST 24U /* empty name, no dimensions, type, offset */
#define ALIGNMENT_DEFAULT  32U
#define ALIGNMENT_MAX      ((uint64_t)1 << 20)

struct pair {
    enum gguf_type type, item; /* item: of an array */
    uint64_t count;            /* items of an array */
    struct str bytes;          /* the value; a string's text; an array's items */
};

struct gguf {
    struct arena keep;
    const char *name;
    struct file_map map;
    struct pair *pairs;
    struct tensor_view *tensors;
    size_t tensor_count;
    struct map pair_by_key, tensor_by_name;
};

static const uint8_t SCALAR_BYTES[] = {
    [GGUF_U8] = 1,  [GGUF_I8] = 1,   [GGUF_U16] = 2, [GGUF_I16] = 2, [GGUF_U32] = 4, [GGUF_I32] = 4,
    [GGUF_F32] = 4, [GGUF_BOOL] = 1, [GGUF_U64] = 8, [GGUF_I64] = 8, [GGUF_F64] = 8,
};

/* ggml's numbers of tensor types; those without a format of ours have names for
 * the sentence that refuses them. */
static const struct {
    uint32_t number;
    enum tensor_type type;
    const char *name;
} TENSOR_TYPES[] = {
    {0, TENSOR_F32, "F32"},       {1, TENSOR_F16, "F16"},      {2, TENSOR_Q4_0, "Q4_0"},
    {3, TENSOR_Q4_1, "Q4_1"},     {6, TENSOR_Q5_0, "Q5_0"},    {7, TENSOR_Q5_1, "Q5_1"},
    {8, TENSOR_Q8_0, "Q8_0"},     {9, TENSOR_OTHER, "Q8_1"},   {10, TENSOR_OTHER, "Q2_K"},
    {11, TENSOR_OTHER, "Q3_K"},   {12, TENSOR_Q4_K, "Q4_K"},   {13, TENSOR_Q5_K, "Q5_K"},
    {14, TENSOR_Q6_K, "Q6_K"},    {15, TENSOR_OTHER, "Q8_K"},  {20, TENSOR_OTHER, "IQ4_NL"},
    {23, TENSOR_OTHER, "IQ4_XS"}, {30, TENSOR_BF16, "BF16"},   {34, TENSOR_OTHER, "TQ1_0"},
    {35, TENSOR_OTHER, "TQ2_0"},  {39, TENSOR_OTHER, "MXFP4"},
};

struct cursor {
    struct str left;
    bool bad; /* something was asked for that is not there */
};

static struct str take(struct cursor *c, uint64_t bytes)
{
    if (c->bad || bytes > c->left.len) {
        c->bad = true;
        return (struct str){NULL, 0};
    }
    struct str s = {c->left.ptr, (size_t)bytes};
    c->left.ptr += bytes;
    c->left.len -= (size_t)bytes;
    return s;
}

static uint32_t take_u32(struct cursor *c)
{
    uint32_t v = 0;
    struct str s = take(c, sizeof v);
    if (s.ptr) {
        memcpy(&v, s.ptr, sizeof v);
    }
    return v;
}

static uint64_t take_u64(struct cursor *c)
{
    uint64_t v = 0;
    struct str s = take(c, sizeof v);
    if (s.ptr) {
        memcpy(&v, s.ptr, sizeof v);
    }
    return v;
}

static struct str take_string(struct cursor *c)
{
    return take(c, take_u64(c));
}

static bool is_scalar(uint32_t type)
{
    return type < sizeof SCALAR_BYTES && SCALAR_BYTES[type] != 0;
}

/* The value behind a key; bad is set where the type is none we read. */
static void take_value(struct cursor *c, uint32_t type, struct pair *p)
{
    p->type = (enum gguf_type)type;
    if (is_scalar(type)) {
        p->bytes = take(c, SCALAR_BYTES[type]);
    } else if (type == GGUF_STRING) {
        p->bytes = take_string(c);
    } else if (type == GGUF_ARRAY) {
        uint32_t item = take_u32(c);
        uint64_t bytes = 0;
        p->item = (enum gguf_type)item;
        p->count = take_u64(c);
        if (is_scalar(item) && !__builtin_mul_overflow(p->count, SCALAR_BYTES[item], &bytes)) {
            p->bytes = take(c, bytes);
        } else if (item == GGUF_STRING) {
            struct str from = c->left;
            for (uint64_t i = 0; i < p->count && !c->bad; i++) {
                (void)take_string(c);
            }
            p->bytes = str_sub(from, 0, from.len - c->left.len);
        } else {
            c->bad = true;
        }
    } else {
        c->bad = true;
    }
}

static winnow_status read_pairs(struct gguf *f, struct cursor *c, uint64_t count, const char *file,
                                struct winnow_error *err)
{
    if (count > c->left.len / PAIR_BYTES_LEAST) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: %" PRIu64
                         " metadata entries cannot fit into the file; it is cut short "
                         "or its header lies: " REMEDY,
                         file, count);
    }
    f->pairs = arena_try_alloc(&f->keep, (size_t)count, sizeof *f->pairs);
    if (!f->pairs) {
        return error_set(err, WINNOW_E_NOMEM, "%s: no memory for %" PRIu64 " metadata entries",
                         file, count);
    }
    for (size_t i = 0; i < count; i++) {
        struct str key = take_string(c);
        uint32_t type = take_u32(c);
        take_value(c, type, &f->pairs[i]);
        if (c->bad) {
            return error_set(err, WINNOW_E_FORMAT,
                             "%s: metadata entry %zu (\"%.*s\", type %" PRIu32
                             ") cannot be read; the file is cut short or damaged: " REMEDY,
                             file, i + 1, key.len > 100 ? 100 : (int)key.len,
                             key.ptr ? key.ptr : "", type);
        }
        bool is_new = false;
        *map_put(&f->pair_by_key, key, &is_new) = i;
        if (!is_new) {
            return error_set(err, WINNOW_E_FORMAT, "%s: the metadata has \"%.*s\" twice; " REMEDY,
                             file, key.len > 100 ? 100 : (int)key.len, key.ptr);
        }
    }
    return WINNOW_OK;
}

/* For messages: the name of a tensor, whatever its length. */
#define NAME_ARG(t) (t)->name.len > 100 ? 100 : (int)(t)->name.len, (t)->name.ptr

/* Shape and type of one entry; *offset is where its bytes start in the data. */
static winnow_status read_tensor(struct cursor *c, struct tensor_view *t, uint64_t *offset,
                                 const char *file, struct winnow_error *err)
{
    t->name = take_string(c);
    t->dims = take_u32(c);
    if (!c->bad && t->dims > TENSOR_DIMS_MAX) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: tensor \"%.*s\" has %" PRIu32 " dimensions; " REMEDY, file,
                         NAME_ARG(t), t->dims);
    }
    for (uint32_t d = 0; d < t->dims && !c->bad; d++) {
        t->shape[t->dims - 1 - d] = take_u64(c);
    }
    uint32_t number = take_u32(c);
    *offset = take_u64(c);
    if (c->bad) {
        return error_set(err, WINNOW_E_FORMAT, "%s: the tensor table is cut short; " REMEDY, file);
    }
    t->type = TENSOR_OTHER;
    t->type_name = STR_LIT("unknown");
    for (size_t i = 0; i < sizeof TENSOR_TYPES / sizeof TENSOR_TYPES[0]; i++) {
        if (TENSOR_TYPES[i].number == number) {
            t->type = TENSOR_TYPES[i].type;
            t->type_name = str_of(TENSOR_TYPES[i].name);
        }
    }
    return WINNOW_OK;
}

/* Finds the bytes of a tensor.  Those of a type that is not ours are unknown in
 * length: such a view stays empty, and who needs it refuses the type. */
static winnow_status place_tensor(struct tensor_view *t, uint64_t offset, struct str data,
                                  uint64_t alignment, const char *file, struct winnow_error *err)
{
    uint64_t elements = 0, bytes = 0;
    if (offset % alignment != 0 || offset > data.len) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: tensor \"%.*s\" starts at byte %" PRIu64 " of %zu (alignment %" PRIu64
                         "); the file is cut short or damaged: " REMEDY,
                         file, NAME_ARG(t), offset, data.len, alignment);
    }
    uint64_t row = t->dims > 0 ? t->shape[t->dims - 1] : 1;
    if (!tensor_elements(t->shape, t->dims, &elements) ||
        (t->type != TENSOR_OTHER &&
         (row % tensor_block_count(t->type) != 0 || !tensor_bytes(t->type, elements, &bytes)))) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: tensor \"%.*s\" has an impossible shape; " REMEDY, file, NAME_ARG(t));
    }
    if (bytes > data.len - offset) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: tensor \"%.*s\" needs %" PRIu64 " bytes where the file has %" PRIu64
                         "; it is cut short: " REMEDY,
                         file, NAME_ARG(t), bytes, data.len - offset);
    }
    t->bytes = str_sub(data, (size_t)offset, (size_t)(offset + bytes));
    return WINNOW_OK;
}

static int by_place(const void *pa, const void *pb)
{
    const struct tensor_view *a = *(const struct tensor_view *const *)pa;
    const struct tensor_view *b = *(const struct tensor_view *const *)pb;
    if (a->bytes.ptr != b->bytes.ptr) {
        return a->bytes.ptr < b->bytes.ptr ? -1 : 1;
    }
    return a->bytes.len < b->bytes.len ? -1 : a->bytes.len > b->bytes.len;
}

static winnow_status check_overlap(struct gguf *f, const char *file, struct winnow_error *err)
{
    const struct tensor_view **sorted =
        arena_try_alloc(&f->keep, f->tensor_count, sizeof(const struct tensor_view *));
    if (!sorted) {
        return error_set(err, WINNOW_E_NOMEM, "%s: no memory for %zu tensors", file,
                         f->tensor_count);
    }
    for (size_t i = 0; i < f->tensor_count; i++) {
        sorted[i] = &f->tensors[i];
    }
    if (f->tensor_count > 0) {
        sort(sorted, f->tensor_count, sizeof(const struct tensor_view *), by_place);
    }
    for (size_t i = 1; i < f->tensor_count; i++) {
        if (sorted[i]->bytes.ptr < sorted[i - 1]->bytes.ptr + sorted[i - 1]->bytes.len) {
            return error_set(err, WINNOW_E_FORMAT,
                             "%s: tensors \"%.*s\" and \"%.*s\" overlap; " REMEDY, file,
                             NAME_ARG(sorted[i - 1]), NAME_ARG(sorted[i]));
        }
    }
    return WINNOW_OK;
}

static winnow_status read_tensors(struct gguf *f, struct cursor *c, struct str all, uint64_t count,
                                  const char *file, struct winnow_error *err)
{
    if (count > c->left.len / TENSOR_BYTES_LEAST) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: %" PRIu64 " tensors cannot fit into the file; it is cut short or its "
                         "header lies: " REMEDY,
                         file, count);
    }
    f->tensors = arena_try_alloc(&f->keep, (size_t)count, sizeof *f->tensors);
    uint64_t *offsets = arena_try_alloc(&f->keep, (size_t)count, sizeof *offsets);
    if (!f->tensors || !offsets) {
        return error_set(err, WINNOW_E_NOMEM, "%s: no memory for %" PRIu64 " tensors", file, count);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(read_tensor(c, &f->tensors[i], &offsets[i], file, err));
        bool is_new = false;
        *map_put(&f->tensor_by_name, f->tensors[i].name, &is_new) = i;
        if (!is_new) {
            return error_set(err, WINNOW_E_FORMAT, "%s: two tensors are named \"%.*s\"; " REMEDY,
                             file, NAME_ARG(&f->tensors[i]));
        }
    }
    f->tensor_count = (size_t)count;
    uint64_t alignment = ALIGNMENT_DEFAULT;
    if (gguf_has(f, "general.alignment") &&
        (!gguf_u64(f, "general.alignment", &alignment) || alignment == 0 ||
         alignment > ALIGNMENT_MAX || (alignment & (alignment - 1)) != 0)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: general.alignment is no power of two up to 2^20; " REMEDY, file);
    }
    uint64_t start = (all.len - c->left.len + alignment - 1) & ~(alignment - 1);
    /* A file without tensors (a vocabulary alone) may end without padding. */
    struct str data =
        start <= all.len ? str_sub(all, (size_t)start, all.len) : str_sub(all, all.len, all.len);
    for (size_t i = 0; i < count; i++) {
        TRY(place_tensor(&f->tensors[i], offsets[i], data, alignment, file, err));
    }
    return check_overlap(f, file, err);
}

static winnow_status read_all(struct gguf *f, struct str bytes, const char *file,
                              struct winnow_error *err)
{
    struct cursor c = {.left = bytes};
    struct str magic = take(&c, 4);
    uint32_t version = take_u32(&c);
    if (c.bad || !str_is(magic, "GGUF")) {
        return error_set(err, WINNOW_E_FORMAT, "%s is no GGUF file (it does not start with GGUF)",
                         file);
    }
    if (version != 2 && version != 3) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s has GGUF version %" PRIu32
                         "; versions 2 and 3, little-endian, can be read: convert it again with a "
                         "current llama.cpp",
                         file, version);
    }
    uint64_t tensors = take_u64(&c), pairs = take_u64(&c);
    if (c.bad) {
        return error_set(err, WINNOW_E_FORMAT, "%s: the header is cut short; " REMEDY, file);
    }
    TRY(read_pairs(f, &c, pairs, file, err));
    return read_tensors(f, &c, bytes, tensors, file, err);
}

winnow_status gguf_parse(struct str bytes, const char *name, struct gguf **out,
                         struct winnow_error *err)
{
    struct gguf *f = mem_zalloc(sizeof *f);
    arena_init(&f->keep, (size_t)1 << 16);
    f->name = arena_strndup(&f->keep, name, strlen(name));
    *out = NULL;
    winnow_status st = read_all(f, bytes, name, err);
    if (st != WINNOW_OK) {
        gguf_close(f);
        return st;
    }
    *out = f;
    return WINNOW_OK;
}

winnow_status gguf_open(const char *path, struct gguf **out, struct winnow_error *err)
{
    struct file_map map;
    *out = NULL;
    TRY(file_map_open(path, &map, err));
    winnow_status st = gguf_parse(map.bytes, path, out, err);
    if (!str_starts(map.bytes, STR_LIT("GGUF"))) {
        st = file_kind_blame(path, map.bytes, st, err);
    }
    if (st != WINNOW_OK || !*out) {
        file_map_close(&map);
        return st;
    }
    (*out)->map = map;
    return WINNOW_OK;
}

void gguf_close(struct gguf *file)
{
    if (!file) {
        return;
    }
    file_map_close(&file->map);
    map_release(&file->pair_by_key);
    map_release(&file->tensor_by_name);
    arena_release(&file->keep);
    mem_free(file);
}

const char *gguf_name(const struct gguf *file)
{
    return file->name;
}

static const struct pair *find_pair(const struct gguf *file, const char *key)
{
    const uint64_t *index = map_get(&file->pair_by_key, str_of(key));
    return index ? &file->pairs[*index] : NULL;
}

bool gguf_has(const struct gguf *file, const char *key)
{
    return find_pair(file, key) != NULL;
}

/* An integer of any width, sign-extended into 64 bits. */
static bool load_integer(const struct pair *p, uint64_t *bits, bool *negative)
{
    if (!p || !is_scalar(p->type) || p->type == GGUF_F32 || p->type == GGUF_F64 ||
        p->type == GGUF_BOOL) {
        return false;
    }
    *bits = 0;
    memcpy(bits, p->bytes.ptr, p->bytes.len);
    bool is_signed =
        p->type == GGUF_I8 || p->type == GGUF_I16 || p->type == GGUF_I32 || p->type == GGUF_I64;
    *negative = is_signed && ((uint8_t)p->bytes.ptr[p->bytes.len - 1] & 0x80U) != 0;
    if (*negative && p->bytes.len < 8) {
        *bits |= UINT64_MAX << 8 * p->bytes.len;
    }
    return true;
}

bool gguf_u64(const struct gguf *file, const char *key, uint64_t *out)
{
    uint64_t bits = 0;
    bool negative = false;
    if (!load_integer(find_pair(file, key), &bits, &negative) || negative) {
        return false;
    }
    *out = bits;
    return true;
}

bool gguf_f64(const struct gguf *file, const char *key, double *out)
{
    const struct pair *p = find_pair(file, key);
    uint64_t bits = 0;
    bool negative = false;
    if (p && p->type == GGUF_F32) {
        float x;
        memcpy(&x, p->bytes.ptr, sizeof x);
        *out = (double)x;
    } else if (p && p->type == GGUF_F64) {
        memcpy(out, p->bytes.ptr, sizeof *out);
    } else if (load_integer(p, &bits, &negative)) {
        *out = negative ? -(double)(0 - bits) : (double)bits;
    } else {
        return false;
    }
    return true;
}

bool gguf_bool(const struct gguf *file, const char *key, bool *out)
{
    const struct pair *p = find_pair(file, key);
    if (!p || p->type != GGUF_BOOL) {
        return false;
    }
    *out = p->bytes.ptr[0] != 0;
    return true;
}

bool gguf_str(const struct gguf *file, const char *key, struct str *out)
{
    const struct pair *p = find_pair(file, key);
    if (!p || p->type != GGUF_STRING) {
        return false;
    }
    *out = p->bytes;
    return true;
}

/* NULL where key is no array of such items. */
static const struct pair *find_array(const struct gguf *file, const char *key, enum gguf_type item)
{
    const struct pair *p = find_pair(file, key);
    return p && p->type == GGUF_ARRAY && p->item == item ? p : NULL;
}

bool gguf_strings(const struct gguf *file, const char *key, struct arena *keep, struct str **out,
                  size_t *count)
{
    const struct pair *p = find_array(file, key, GGUF_STRING);
    *out = NULL;
    if (!p) {
        return false;
    }
    *count = (size_t)p->count;
    struct cursor c = {.left = p->bytes};
    *out = arena_try_alloc(keep, *count, sizeof **out);
    for (size_t i = 0; i < *count && *out; i++) {
        (*out)[i] = take_string(&c);
    }
    return true;
}

/* Items of four bytes each, copied because the file promises no alignment. */
static bool copy_words(const struct gguf *file, const char *key, enum gguf_type item,
                       struct arena *keep, void **out, size_t *count)
{
    const struct pair *p = find_array(file, key, item);
    *out = NULL;
    if (!p) {
        return false;
    }
    *count = (size_t)p->count;
    *out = arena_try_alloc(keep, *count, 4);
    if (*out && *count > 0) {
        memcpy(*out, p->bytes.ptr, p->bytes.len);
    }
    return true;
}

bool gguf_floats(const struct gguf *file, const char *key, struct arena *keep, float **out,
                 size_t *count)
{
    void *words = NULL;
    bool found = copy_words(file, key, GGUF_F32, keep, &words, count);
    *out = words;
    return found;
}

bool gguf_i32s(const struct gguf *file, const char *key, struct arena *keep, int32_t **out,
               size_t *count)
{
    void *words = NULL;
    bool found = copy_words(file, key, GGUF_I32, keep, &words, count);
    *out = words;
    return found;
}

size_t gguf_tensor_count(const struct gguf *file)
{
    return file->tensor_count;
}

const struct tensor_view *gguf_tensor_at(const struct gguf *file, size_t index)
{
    assert(index < file->tensor_count);
    return &file->tensors[index];
}

const struct tensor_view *gguf_tensor_find(const struct gguf *file, struct str name)
{
    const uint64_t *index = map_get(&file->tensor_by_name, name);
    return index ? &file->tensors[*index] : NULL;
}
