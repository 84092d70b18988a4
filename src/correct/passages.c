/* passages.c -- tokens out of the file, cut. */
#include "correct/passages.h"

#include <string.h>

void passages_batch(const struct feature_texts *t, const size_t *rows, size_t count,
                    uint32_t context, struct tune_batch *out)
{
    uint32_t from = 0;
    feature_texts_batch(t, rows, count, out);
    out->starts.len = 0;
    u32_list_add(&out->starts, 0);
    for (size_t i = 0; i < count; i++) {
        uint32_t n = t->rows[rows[i]].tokens;
        for (uint32_t at = context; at < n; at += context) {
            u32_list_add(&out->starts, from + at);
        }
        from += n;
        u32_list_add(&out->starts, from);
    }
    out->batch.starts = out->starts.ptr;
    out->batch.sequences = out->starts.len - 1;
}

void passages_clear(struct tune_batch *out)
{
    out->tokens.len = out->targets.len = out->starts.len = 0;
    u32_list_add(&out->starts, 0);
    out->batch = (struct token_batch){out->tokens.ptr, out->starts.ptr, 0, out->targets.ptr};
}

void passages_add(const struct feature_texts *t, size_t row, uint32_t passage, uint32_t context,
                  struct tune_batch *out)
{
    const uint32_t *all = (const uint32_t *)(const void *)t->map.bytes.ptr;
    uint32_t n = t->rows[row].tokens, at = passage * context;
    uint32_t count = n - at < context ? n - at : context;
    const uint32_t *from = all + t->places[row] + at;
    memcpy(u32_list_reserve(&out->tokens, count + 1), from, count * sizeof *from);
    memcpy(u32_list_reserve(&out->targets, count + 1), from + n, count * sizeof *from);
    out->tokens.len += count;
    out->targets.len += count;
    u32_list_add(&out->starts, (uint32_t)out->tokens.len);
    out->batch = (struct token_batch){out->tokens.ptr, out->starts.ptr, out->starts.len - 1,
                                      out->targets.ptr};
}
