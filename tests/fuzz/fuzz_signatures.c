#include "dedup/signatures.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads all that a file of signatures promises.  Bytes are put where numbers may lie. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(4096) char room[1 << 20];
    struct signatures s;
    struct winnow_error err;
    size = size < sizeof room ? size : sizeof room;
    memcpy(room, data, size);
    if (signatures_parse((struct str){room, size}, &s, &err) != WINNOW_OK) {
        return 0;
    }
    volatile unsigned sum = 0;
    for (uint64_t i = 0; i < s.count; i++) {
        const struct signature *one = signatures_at(&s, i);
        struct str id = signatures_id(&s, one), source = signatures_source(&s, one);
        for (size_t k = 0; k < id.len + source.len; k++) {
            sum += (unsigned char)(k < id.len ? id.ptr[k] : source.ptr[k - id.len]);
        }
        for (size_t k = 0; k < (size_t)s.shape.bands * s.shape.rows; k++) {
            sum += one->numbers[k];
        }
    }
    return 0;
}
