/* tokenizer_call.c -- text to ids and back, in memory. */
#include "winnow/text.h"

#include "base/mem.h"
#include "call/call_internal.h"
#include "model/model_file.h"
#include "token/tokenizer.h"

struct winnow_tokenizer {
    struct tokenizer *t;
    struct spares scratch;
};

winnow_status winnow_tokenizer_open(const char *path, struct winnow_tokenizer **out,
                                    struct winnow_error *err)
{
    struct tokenizer *t = NULL;
    *out = NULL;
    TRY(model_load_tokenizer(path, &t, err));
    *out = mem_zalloc(sizeof **out);
    (*out)->t = t;
    spares_init(&(*out)->scratch);
    return WINNOW_OK;
}

void winnow_tokenizer_close(struct winnow_tokenizer *t)
{
    if (!t) {
        return;
    }
    for (void *scratch; (scratch = spares_take(&t->scratch)) != NULL;) {
        tokenizer_scratch_free(scratch);
    }
    (void)pthread_mutex_destroy(&t->scratch.lock);
    tokenizer_free(t->t);
    mem_free(t);
}

uint32_t winnow_tokenizer_size(const struct winnow_tokenizer *t)
{
    return tokenizer_vocab_size(t->t);
}

void winnow_ids_free(struct winnow_ids *ids)
{
    mem_free(ids->ptr);
    *ids = (struct winnow_ids){0};
}

winnow_status winnow_tokenizer_ids(struct winnow_tokenizer *t, const char *text, size_t len,
                                   unsigned flags, struct winnow_ids *out, struct winnow_error *err)
{
    struct u32_list ids = {0};
    (void)err; /* any bytes have ids */
    struct tokenizer_scratch *scratch = spares_take(&t->scratch);
    scratch = scratch ? scratch : tokenizer_scratch_new(t->t);
    tokenizer_encode(t->t, scratch, call_text(text, len),
                     (flags & WINNOW_ENCODE_BOS_EOS ? TOKENIZER_ADD_SPECIAL : 0U) |
                         (flags & WINNOW_ENCODE_SPECIALS ? 0U : TOKENIZER_PLAIN_SPECIAL),
                     &ids);
    if (!spares_give(&t->scratch, scratch)) {
        tokenizer_scratch_free(scratch);
    }
    *out = (struct winnow_ids){ids.ptr, ids.len};
    return WINNOW_OK;
}

winnow_status winnow_tokenizer_text(const struct winnow_tokenizer *t, const uint32_t *ids,
                                    size_t count, unsigned flags, struct winnow_bytes *out,
                                    struct winnow_error *err)
{
    struct buf text = {0};
    *out = (struct winnow_bytes){0};
    winnow_status st = tokenizer_decode(
        t->t, ids, count, flags & WINNOW_ENCODE_SPECIALS ? 0U : TOKENIZER_SKIP_SPECIAL, &text, err);
    if (st == WINNOW_OK) {
        *out = bytes_take(&text);
    }
    buf_release(&text);
    return st;
}
