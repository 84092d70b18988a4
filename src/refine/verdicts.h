/* verdicts.h -- a language model's verdict on every line, in one pass.
 *
 * A model that was taught verdicts says at the last token of each line of a chunk
 * whether the line stays: of two tokens of its vocabulary, the first ones of "keep"
 * and "remove", the one with the larger logit.  That is a linear head whose rows are
 * those two of the model's own, so it needs no file of its own.  The prompt is the one
 * that programs are asked for with (prompt.h); a verdict sees what stands before it.
 */
#ifndef WINNOW_REFINE_VERDICTS_H
#define WINNOW_REFINE_VERDICTS_H

#include "token/tokenizer.h"

struct verdict_tokens {
    uint32_t remove, keep;
};

/* WINNOW_E_FORMAT where the tokenizer has the same token for both. */
winnow_status verdict_tokens_find(const struct tokenizer *t, struct verdict_tokens *out,
                                  struct winnow_error *err);

/* All-zero is empty. */
struct verdict_places {
    struct u32_list positions; /* of each line's last token, the one that holds its newline */
    struct buf text;
};
void verdict_places_release(struct verdict_places *p);

/* In the tokens of a chunk's prompt, which shows that many lines.  WINNOW_E_FORMAT where
 * the tokens do not show them: a tokenizer that changes text. */
winnow_status verdict_places_find(struct verdict_places *p, const struct tokenizer *t,
                                  const uint32_t *tokens, size_t count, size_t lines,
                                  struct winnow_error *err);

#endif /* WINNOW_REFINE_VERDICTS_H */
