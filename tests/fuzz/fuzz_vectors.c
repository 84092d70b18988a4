#include "vectors/store.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every number that a store promises.  Bytes are put where numbers may lie. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(4096) char room[1 << 20];
    struct store s;
    struct winnow_error err;
    size = size < sizeof room ? size : sizeof room;
    memcpy(room, data, size);
    if (store_check((struct str){room, size}, "fuzz", &s, &err) != WINNOW_OK) {
        return 0;
    }
    volatile unsigned sum = 0;
    for (size_t i = 0; i < s.head->rows; i++) {
        sum += s.rows[i].tokens;
        for (size_t k = 0; k < (size_t)s.head->parts * s.head->dim; k++) {
            sum += s.data[i * s.head->parts * s.head->dim + k];
        }
    }
    return 0;
}
