/* encode.c -- a text through the whole pipeline; working memory. */
#include "base/mem.h"
#include "token/tokenizer_internal.h"

struct tokenizer_scratch *tokenizer_scratch_new(const struct tokenizer *t)
{
    struct tokenizer_scratch *s = mem_zalloc(sizeof *s);
    s->t = t;
    s->cache = mem_zalloc(CACHE_LINES * sizeof *s->cache);
    s->regex = regex_scratch_new();
    return s;
}

void tokenizer_scratch_free(struct tokenizer_scratch *s)
{
    if (!s) {
        return;
    }
    mem_free(s->cache);
    buf_release(&s->normal);
    buf_release(&s->spare);
    for (int i = 0; i < 2; i++) {
        mem_free(s->pieces[i].spans);
        buf_release(&s->rewritten[i]);
    }
    regex_scratch_free(s->regex);
    u32_list_release(&s->word);
    mem_free(s->symbols);
    mem_free(s->heap);
    buf_release(&s->mapped);
    mem_free(s);
}

/* A piece between added tokens of the raw text. */
static void encode_piece(const struct tokenizer *t, struct tokenizer_scratch *s, struct str text,
                         bool first, unsigned flags, struct u32_list *out)
{
    text = normalize(t, s, text);
    if (t->normal.count == 0) {
        pretoken_encode(t, s, text, first, out);
        return;
    }
    struct added_walk w = added_walk(t, &t->normal, text, flags & TOKENIZER_PLAIN_SPECIAL);
    struct str piece;
    const struct added_token *token;
    while (added_next(&w, &piece, &token)) {
        if (token) {
            u32_list_add(out, token->id);
        } else {
            pretoken_encode(t, s, piece, first && piece.ptr == text.ptr, out);
        }
    }
}

void tokenizer_encode(const struct tokenizer *t, struct tokenizer_scratch *s, struct str text,
                      unsigned flags, struct u32_list *out)
{
    bool around = flags & TOKENIZER_ADD_SPECIAL;
    for (size_t i = 0; around && i < t->prefix.len; i++) {
        u32_list_add(out, t->prefix.ptr[i]);
    }
    struct added_walk w = added_walk(t, &t->raw, text, flags & TOKENIZER_PLAIN_SPECIAL);
    struct str piece;
    const struct added_token *token;
    while (added_next(&w, &piece, &token)) {
        if (token) {
            u32_list_add(out, token->id);
        } else {
            encode_piece(t, s, piece, piece.ptr == text.ptr, flags, out);
        }
    }
    for (size_t i = 0; around && i < t->suffix.len; i++) {
        u32_list_add(out, t->suffix.ptr[i]);
    }
}
