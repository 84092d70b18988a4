/* example_text.h -- a document as one training sequence: what is read, and what has a loss.
 *
 *     "text"                 BOS, its tokens, EOS: every one of them is a target but the first
 *     "prompt", "response"   the prompt, a line's end, the response, EOS: the response and its
 *                            EOS are targets (the other shapes of corpus/example.h are read alike)
 *     "messages"             [{"role", "content"}, ...]: what an "assistant" says, and the token
 *                            that ends it; in ChatML where the tokenizer has <|im_start|> and
 *                            <|im_end|>, else the contents with a line's end between them
 *
 * A sequence that starts with nothing starts with BOS, or EOS where there is none, so that its
 * first token can be a target.  What is longer than the context loses the start of its prompt
 * (what comes last says what is asked), and where the response alone is longer, its end.
 */
#ifndef WINNOW_TRAIN_EXAMPLE_TEXT_H
#define WINNOW_TRAIN_EXAMPLE_TEXT_H

#include "base/json.h"
#include "token/tokenizer.h"

#define EXAMPLE_FORM 2U /* changes whenever documents become other tokens */

struct example_text {
    struct u32_list tokens, targets; /* as in a batch */
    uint32_t count;                  /* of targets */
    bool cut, prompted;              /* prompted: a prompt and a response, or messages */
};
void example_text_release(struct example_text *e);

/* For one thread. */
struct example_encoder;
struct example_encoder *example_encoder_new(const struct tokenizer *t, uint32_t context);
void example_encoder_free(struct example_encoder *e);

/* text: of a document that is no prompt with a response and no messages.  Fewer than two tokens
 * give none at all. */
void example_encode(struct example_encoder *e, struct json_value document, struct str text,
                    struct example_text *out);

#endif /* WINNOW_TRAIN_EXAMPLE_TEXT_H */
