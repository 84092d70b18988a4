/* tokenizer.json: refused with a sentence, or one that encodes any text, decodes
 * what it encoded, and survives being written and read. */
#include "token/tokenizer.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char SAMPLE[] = "ab  Hello, world's 12345\n\xE2\x96\x81x \xFF\xC3\xA9"
                             "e\xCC\x81<s>";

static void use(const struct tokenizer *t, struct str own)
{
    struct tokenizer_scratch *s = tokenizer_scratch_new(t);
    struct u32_list ids = {0};
    struct buf text = {0};
    struct winnow_error err;
    for (unsigned flags = 0; flags < 4; flags++) {
        tokenizer_encode(t, s, str_of(SAMPLE), flags, &ids);
    }
    tokenizer_encode(t, s, str_sub(own, 0, own.len < 4096 ? own.len : 4096), 0, &ids);
    winnow_status st = tokenizer_decode(t, ids.ptr, ids.len, TOKENIZER_SKIP_SPECIAL, &text, &err);
    assert(st == WINNOW_OK); /* every id that comes out is one that goes in */
    tokenizer_scratch_free(s);
    u32_list_release(&ids);
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str json = {(const char *)data, size};
    struct tokenizer *t = NULL, *again = NULL;
    struct winnow_error err = {{0}};
    if (tokenizer_parse(json, &t, &err) != WINNOW_OK) {
        assert(err.text[0] != '\0');
        return 0;
    }
    use(t, json);
    struct buf out = {0};
    tokenizer_write(t, &out);
    winnow_status st = tokenizer_parse(buf_str(&out), &again, &err);
    assert(st == WINNOW_OK);
    tokenizer_free(again);
    tokenizer_free(t);
    buf_release(&out);
    return 0;
}
