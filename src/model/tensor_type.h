/* tensor_type.h -- the number formats that model files hold, and their way to f32.
 *
 * A tensor in a file is a run of blocks: one element each for the plain types,
 * 32 or 256 for the quantised ones (GGUF's names and layouts).  Rows are whole
 * blocks, so the row length of a quantised tensor is a multiple of its block.
 */
#ifndef WINNOW_MODEL_TENSOR_TYPE_H
#define WINNOW_MODEL_TENSOR_TYPE_H

#include "base/str.h"

enum tensor_type {
    TENSOR_F32,
    TENSOR_F16,
    TENSOR_BF16,
    TENSOR_Q8_0, /* 32: f16 scale, 32 signed bytes */
    TENSOR_Q4_0, /* 32: f16 scale, 4-bit numbers less 8 */
    TENSOR_Q4_1, /* 32: f16 scale, f16 least value, 4-bit numbers */
    TENSOR_Q5_0, /* 32: f16 scale, 5-bit numbers less 16 */
    TENSOR_Q5_1, /* 32: f16 scale, f16 least value, 5-bit numbers */
    TENSOR_Q4_K, /* 256: eight 6-bit scales and least values, 4-bit numbers */
    TENSOR_Q5_K, /* 256: the same with 5-bit numbers */
    TENSOR_Q6_K, /* 256: 6-bit numbers less 32, sixteen signed scales, f16 scale */
    TENSOR_OTHER /* known to the file format, not to us */
};

#define TENSOR_DIMS_MAX 4U

/* A tensor inside a mapped file.  Valid until the file is closed; bytes may
 * stand at any alignment. */
struct tensor_view {
    struct str name;
    struct str bytes;
    struct str type_name; /* as the file has it: "F32", "Q4_1", "I64" */
    enum tensor_type type;
    uint32_t dims;
    uint64_t shape[TENSOR_DIMS_MAX]; /* slowest first, in both file formats */
};

const char *tensor_type_name(enum tensor_type type);

/* Elements and bytes of a block. */
uint64_t tensor_block_count(enum tensor_type type);
uint64_t tensor_block_bytes(enum tensor_type type);

/* Product of the dimensions; false where it passes 2^63 - 1. */
bool tensor_elements(const uint64_t *shape, uint32_t dims, uint64_t *count);

/* Bytes of count elements; false where count is no multiple of the block or the
 * bytes pass 2^63 - 1.  type is not TENSOR_OTHER. */
bool tensor_bytes(enum tensor_type type, uint64_t count, uint64_t *bytes);

/* count elements (a multiple of the block) from src, at any alignment. */
void tensor_to_f32(enum tensor_type type, const void *src, size_t count, float *out);

/* Whether none of them is NaN or infinite as f32. */
bool tensor_all_finite(enum tensor_type type, const void *src, size_t count);

/* Nearest, ties to even; NaN stays NaN. */
uint16_t bf16_from_f32(float x);
uint16_t f16_from_f32(float x);
float f32_from_f16(uint16_t h);
float f32_from_bf16(uint16_t h);

#endif /* WINNOW_MODEL_TENSOR_TYPE_H */
