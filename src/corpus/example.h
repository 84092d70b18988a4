/* example.h -- documents that are no text but a conversation, or a prompt with its response.
 *
 *     {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]}
 *     {"conversations": [{"from": "human", "value": "..."}, {"from": "gpt", "value": "..."}]}
 *     {"prompt": "...", "response": "..."}         or "prompt"/"completion", "question"/"answer"
 *     {"instruction": "...", "input": "...", "output": "..."}       input may be missing or empty
 *
 * The one place that knows these shapes: a document's text is made of them here, and training
 * sequences are (train/example_text.h). */
#ifndef WINNOW_CORPUS_EXAMPLE_H
#define WINNOW_CORPUS_EXAMPLE_H

#include "winnow/chat.h"

#include "base/buf.h"
#include "base/json.h"

struct example {
    bool is_chat;
    struct str prompt, input, response; /* else; input may be empty */
    struct json_value messages;         /* of a chat */
};

/* False where the object has none of the shapes. */
bool example_find(struct json_value object, struct example *out);

/* Whether it has "messages" or "conversations" that are not of the shape above. */
bool example_is_broken(struct json_value object);

/* Turns of a chat, in order:
 *     struct json_iter it = json_walk(e.messages);
 *     while (example_next(&it, &scratch, &turn)) ... */
struct example_turn {
    struct str role;    /* "human" is "user", "gpt" is "assistant" */
    struct str content; /* its texts, one behind the other; a view, or in scratch */
};
bool example_next(struct json_iter *it, struct buf *scratch, struct example_turn *turn);

/* The text of an example by a template (enum winnow_chat). */
void example_add_text(const struct example *e, int chat, struct buf *out);

#endif /* WINNOW_CORPUS_EXAMPLE_H */
