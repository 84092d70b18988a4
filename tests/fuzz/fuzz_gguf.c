#include "model/gguf.h"
#include "model/gguf_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte that a view promises, dequantises, and asks for metadata of
 * every kind under every key that a reader of models asks for. */
static void read_arrays(const struct gguf *f, const char *key, volatile unsigned *sum)
{
    struct arena keep;
    struct str *texts = NULL;
    float *floats = NULL;
    int32_t *numbers = NULL;
    size_t count = 0;
    arena_init(&keep, 4096);
    if (gguf_strings(f, key, &keep, &texts, &count) && texts) {
        for (size_t i = 0; i < count; i++) {
            *sum += texts[i].len > 0 ? (unsigned char)texts[i].ptr[texts[i].len - 1] : 0U;
        }
    }
    (void)gguf_floats(f, key, &keep, &floats, &count);
    (void)gguf_i32s(f, key, &keep, &numbers, &count);
    arena_release(&keep);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const KEYS[] = {"general.architecture",  "general.alignment",
                                       "llama.block_count",     "tokenizer.ggml.tokens",
                                       "tokenizer.ggml.scores", "tokenizer.ggml.token_type"};
    struct gguf *f = NULL;
    struct winnow_error err;
    volatile unsigned sum = 0;
    if (gguf_parse((struct str){(const char *)data, size}, "fuzz", &f, &err) != WINNOW_OK) {
        return 0;
    }
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
        uint64_t n = 0;
        double d = 0;
        bool b = false;
        struct str s = {NULL, 0};
        sum += gguf_u64(f, KEYS[i], &n) ? 1U : 0U;
        sum += gguf_f64(f, KEYS[i], &d) ? 1U : 0U;
        sum += gguf_bool(f, KEYS[i], &b) ? 1U : 0U;
        sum += gguf_str(f, KEYS[i], &s) ? 1U : 0U;
        read_arrays(f, KEYS[i], &sum);
    }
    for (size_t i = 0; i < gguf_tensor_count(f); i++) {
        const struct tensor_view *t = gguf_tensor_at(f, i);
        float block[256];
        for (size_t j = 0; j < t->bytes.len; j++) {
            sum += (unsigned char)t->bytes.ptr[j];
        }
        if (t->type != TENSOR_OTHER && t->bytes.len > 0) {
            tensor_to_f32(t->type, t->bytes.ptr, (size_t)tensor_block_count(t->type), block);
        }
    }
    struct model_config config;
    struct tokenizer *tokenizer = NULL;
    sum += gguf_model_config(f, "fuzz", &config, &err) == WINNOW_OK ? 1U : 0U;
    sum += gguf_model_tokenizer(f, "fuzz", &tokenizer, &err) == WINNOW_OK ? 1U : 0U;
    tokenizer_free(tokenizer);
    gguf_close(f);
    return 0;
}
