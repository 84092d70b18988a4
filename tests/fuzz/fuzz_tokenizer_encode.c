/* Any bytes through each pre-tokenizer: they come back, and the pieces of the
 * text between ids add up. */
#include "token/tokenizer_internal.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static winnow_status next_text(void *ctx, struct str *text, bool *more, struct winnow_error *err)
{
    (void)err;
    bool *done = ctx;
    *more = !*done;
    *done = true;
    *text =
        STR_LIT("the theory of their other thing; aaaa aaaaaaaa bbbb abab abab  \n\n\n 1234 123");
    return WINNOW_OK;
}

static void round_trip(const char *pre, struct str bytes)
{
    struct tokenizer_train_options options = TOKENIZER_TRAIN_OPTIONS_INIT;
    const struct winnow_env env = {.threads = 1};
    struct winnow_error err;
    struct tokenizer *t = NULL;
    bool done = false;
    options.vocab_size = 300;
    options.pre = pre;
    winnow_status st = tokenizer_train(&options, &env, next_text, &done, &t, &err);
    assert(st == WINNOW_OK);
    struct tokenizer_scratch *s = tokenizer_scratch_new(t);
    struct u32_list ids = {0};
    struct buf back = {0};
    tokenizer_encode(t, s, bytes, 0, &ids);
    st = tokenizer_decode(t, ids.ptr, ids.len, 0, &back, &err);
    assert(st == WINNOW_OK && (t->norm_count > 0 || str_eq(bytes, buf_str(&back))));
    tokenizer_scratch_free(s);
    u32_list_release(&ids);
    buf_release(&back);
    tokenizer_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const PRE[] = {"gpt2", "llama3", "qwen2"};
    if (size > 0) {
        round_trip(PRE[data[0] % 3], (struct str){(const char *)data + 1, size - 1});
    }
    return 0;
}
