/* safetensors.h -- Hugging Face's tensor file, read through a mapping.
 *
 *     struct safetensors *file = NULL;
 *     TRY(safetensors_open("model.safetensors", &file, err));
 *     const struct tensor_view *t = safetensors_find(file, STR_LIT("model.norm.weight"));
 *     ...
 *     safetensors_close(file);
 *
 * The file is not trusted: opening checks every offset and size against the
 * file, that tensors neither overlap nor leave holes, and that each has as many
 * bytes as its shape says.  What a view says therefore holds.
 */
#ifndef WINNOW_MODEL_SAFETENSORS_H
#define WINNOW_MODEL_SAFETENSORS_H

#include "base/error.h"
#include "model/tensor_type.h"

struct safetensors;

/* On failure the sentence names the file and what to do about it. */
winnow_status safetensors_open(const char *path, struct safetensors **out,
                               struct winnow_error *err);

/* The same over bytes that the caller keeps until safetensors_close(); name
 * stands for the file in sentences. */
winnow_status safetensors_parse(struct str bytes, const char *name, struct safetensors **out,
                                struct winnow_error *err);
void safetensors_close(struct safetensors *file); /* NULL is fine */

/* Tensors in the order of their bytes. */
size_t safetensors_count(const struct safetensors *file);
const struct tensor_view *safetensors_at(const struct safetensors *file, size_t index);

/* NULL where the file has none of that name. */
const struct tensor_view *safetensors_find(const struct safetensors *file, struct str name);

/* One tensor to write. */
struct safetensors_item {
    const char *name;
    const float *values;
    uint64_t shape[TENSOR_DIMS_MAX];
    uint32_t dims;
};

/* Writes path as a whole or not at all, with the metadata {"format": "pt"} that
 * transformers asks for.  type is TENSOR_F32, TENSOR_BF16 or TENSOR_F16; tensors
 * stand in the order given. */
winnow_status safetensors_write(const char *path, const struct safetensors_item *items,
                                size_t count, enum tensor_type type, struct winnow_error *err);

#endif /* WINNOW_MODEL_SAFETENSORS_H */
