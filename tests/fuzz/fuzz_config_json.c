#include "model/config_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A config that was accepted can be written and reads back the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_config c, back;
    struct winnow_error err;
    struct buf text = {0};
    if (config_json_parse((struct str){(const char *)data, size}, "fuzz", &c, &err) != WINNOW_OK ||
        config_json_write(&c, TENSOR_F32, &text, &err) != WINNOW_OK) {
        return 0;
    }
    if (config_json_parse(buf_str(&text), "again", &back, &err) != WINNOW_OK || c.dim != back.dim ||
        c.rope_base != back.rope_base || c.rope_factor != back.rope_factor ||
        c.context != back.context || c.bos != back.bos || c.norm_eps != back.norm_eps) {
        __builtin_trap();
    }
    buf_release(&text);
    return 0;
}
