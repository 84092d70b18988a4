/* Any bytes through each pre-tokenizer: they come back (but for
 * those that a normalizer changed). */
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

static struct tokenizer *make(const char *pre)
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
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const PRE[] = {"gpt2", "llama3", "qwen2"};
    static struct tokenizer *made[3]; /* training takes longer than encoding */
    static struct tokenizer_scratch *scratch[3];
    if (size == 0) {
        return 0;
    }
    size_t k = data[0] % 3;
    if (!made[k]) {
        made[k] = make(PRE[k]);
        scratch[k] = tokenizer_scratch_new(made[k]);
    }
    struct str bytes = {(const char *)data + 1, size - 1};
    struct u32_list ids = {0};
    struct buf back = {0};
    struct winnow_error err;
    tokenizer_encode(made[k], scratch[k], bytes, 0, &ids);
    winnow_status st = tokenizer_decode(made[k], ids.ptr, ids.len, 0, &back, &err);
    assert(st == WINNOW_OK && (made[k]->norm_count > 0 || str_eq(bytes, buf_str(&back))));
    u32_list_release(&ids);
    buf_release(&back);
    return 0;
}
