/* verdicts.c -- where in a prompt the lines end, by its own tokens.
 *
 * The prompt's text is put together again from its tokens, and the token that brings
 * the newline of line i is the place of its verdict.  A token with two newlines would
 * be the place of two lines: then there are no verdicts, which is an error. */
#include "refine/verdicts.h"

static uint32_t first_token(const struct tokenizer *t, struct tokenizer_scratch *s, struct str word)
{
    struct u32_list ids = {0};
    tokenizer_encode(t, s, word, TOKENIZER_PLAIN_SPECIAL, &ids);
    uint32_t id = ids.len > 0 ? ids.ptr[0] : TOKENIZER_NONE;
    u32_list_release(&ids);
    return id;
}

winnow_status verdict_tokens_find(const struct tokenizer *t, struct verdict_tokens *out,
                                  struct winnow_error *err)
{
    struct tokenizer_scratch *s = tokenizer_scratch_new(t);
    out->keep = first_token(t, s, STR_LIT("keep"));
    out->remove = first_token(t, s, STR_LIT("remove"));
    tokenizer_scratch_free(s);
    if (out->keep == out->remove) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the refiner's tokenizer does not tell \"keep\" from \"remove\" by their "
                         "first tokens, which verdicts on lines need");
    }
    return WINNOW_OK;
}

void verdict_places_release(struct verdict_places *p)
{
    u32_list_release(&p->positions);
    buf_release(&p->text);
}

winnow_status verdict_places_find(struct verdict_places *p, const struct tokenizer *t,
                                  const uint32_t *tokens, size_t count, size_t lines,
                                  struct winnow_error *err)
{
    /* Lines begin behind it, and none holds a newline of its own. */
    const struct str start = STR_LIT("[doc]\n");
    p->positions.len = 0;
    buf_clear(&p->text);
    size_t seen = SIZE_MAX; /* of the text, from the first line on */
    for (size_t i = 0; i < count && p->positions.len < lines; i++) {
        buf_add_str(&p->text, tokenizer_token_bytes(t, tokens[i]));
        struct str text = buf_str(&p->text);
        if (seen == SIZE_MAX) {
            size_t at = str_find(text, start);
            seen = at == SIZE_MAX ? SIZE_MAX : at + start.len;
        }
        for (; seen < text.len && p->positions.len < lines; seen++) {
            if (text.ptr[seen] == '\n') {
                u32_list_add(&p->positions, (uint32_t)i);
            }
        }
    }
    for (size_t i = 1; i < p->positions.len; i++) {
        if (p->positions.ptr[i] == p->positions.ptr[i - 1]) {
            p->positions.len = 0;
        }
    }
    if (p->positions.len != lines) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the ends of a chunk's %zu lines are not to be found among the tokens of "
                         "its prompt: this tokenizer does not keep text as it is",
                         lines);
    }
    return WINNOW_OK;
}
