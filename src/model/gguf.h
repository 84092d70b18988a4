/* gguf.h -- llama.cpp's model file: typed metadata and tensors, read through a
 * mapping.
 *
 * Like a safetensors file it is not trusted: opening checks every length,
 * count, type, alignment and offset against the file, and that tensors do not
 * overlap.  Versions 2 and 3, little-endian.
 */
#ifndef WINNOW_MODEL_GGUF_H
#define WINNOW_MODEL_GGUF_H

#include "base/arena.h"
#include "base/error.h"
#include "model/tensor_type.h"

/* The numbers are the file format's. */
enum gguf_type {
    GGUF_U8 = 0,
    GGUF_I8 = 1,
    GGUF_U16 = 2,
    GGUF_I16 = 3,
    GGUF_U32 = 4,
    GGUF_I32 = 5,
    GGUF_F32 = 6,
    GGUF_BOOL = 7,
    GGUF_STRING = 8,
    GGUF_ARRAY = 9,
    GGUF_U64 = 10,
    GGUF_I64 = 11,
    GGUF_F64 = 12,
};

struct gguf;

/* On failure the sentence names the file and what to do about it. */
winnow_status gguf_open(const char *path, struct gguf **out, struct winnow_error *err);

/* The same over bytes that the caller keeps until gguf_close(). */
winnow_status gguf_parse(struct str bytes, const char *name, struct gguf **out,
                         struct winnow_error *err);
void gguf_close(struct gguf *file); /* NULL is fine */

/* The file's name, for sentences. */
const char *gguf_name(const struct gguf *file);

/* Metadata by key: each false where the key is missing or its value is of
 * another kind.  Numbers of any integer type answer gguf_u64() when they are
 * not negative; of any type gguf_f64().  Views are valid until gguf_close(). */
bool gguf_has(const struct gguf *file, const char *key);
bool gguf_u64(const struct gguf *file, const char *key, uint64_t *out);
bool gguf_f64(const struct gguf *file, const char *key, double *out);
bool gguf_bool(const struct gguf *file, const char *key, bool *out);
bool gguf_str(const struct gguf *file, const char *key, struct str *out);

/* Arrays with their elements in memory that keep owns (strings stay views into
 * the file).  false where key is no array of that kind; *out is NULL where it
 * does not fit into memory. */
bool gguf_strings(const struct gguf *file, const char *key, struct arena *keep, struct str **out,
                  size_t *count);
bool gguf_floats(const struct gguf *file, const char *key, struct arena *keep, float **out,
                 size_t *count);
bool gguf_i32s(const struct gguf *file, const char *key, struct arena *keep, int32_t **out,
               size_t *count);

/* Tensors in the order of the file's table.  Shapes are slowest dimension first
 * (the file has them the other way round). */
size_t gguf_tensor_count(const struct gguf *file);
const struct tensor_view *gguf_tensor_at(const struct gguf *file, size_t index);
const struct tensor_view *gguf_tensor_find(const struct gguf *file, struct str name);

#endif /* WINNOW_MODEL_GGUF_H */
