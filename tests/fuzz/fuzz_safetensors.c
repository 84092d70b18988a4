#include "model/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte that a view promises. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct safetensors *f = NULL;
    struct winnow_error err;
    float first[1];
    if (safetensors_parse((struct str){(const char *)data, size}, "fuzz", &f, &err) != WINNOW_OK) {
        return 0;
    }
    volatile unsigned sum = 0;
    for (size_t i = 0; i < safetensors_count(f); i++) {
        const struct tensor_view *t = safetensors_at(f, i);
        for (size_t j = 0; j < t->bytes.len; j++) {
            sum += (unsigned char)t->bytes.ptr[j];
        }
        if (t->type != TENSOR_OTHER && t->bytes.len > 0) {
            tensor_to_f32(t->type, t->bytes.ptr, 1, first);
        }
    }
    safetensors_close(f);
    return 0;
}
