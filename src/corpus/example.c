/* example.c -- finds examples in objects and writes them as text.
 *
 * Plain puts a line's end between what is said, as training sequences do where a tokenizer has no
 * tokens for turns; ChatML names who says it.  Neither looks at what the texts hold: a document
 * that writes "<|im_end|>" out has it in its text. */
#include "corpus/example.h"

static const char *const PAIRS[][2] = {{"prompt", "response"},
                                       {"prompt", "completion"},
                                       {"instruction", "output"},
                                       {"question", "answer"}};
static const char *const CHATS[] = {"messages", "conversations"};

static struct json_value content_of(struct json_value message)
{
    struct json_value content = json_get(message, "content");
    return json_kind(content) == JSON_NONE ? json_get(message, "value") : content;
}

/* A string, nothing (a call of a tool), or parts of which some are texts. */
static bool is_message(struct json_value message)
{
    enum json_kind kind = json_kind(content_of(message));
    return json_kind(message) == JSON_OBJECT &&
           (kind == JSON_STRING || kind == JSON_NULL || kind == JSON_ARRAY);
}

static bool is_chat(struct json_value messages)
{
    if (json_kind(messages) != JSON_ARRAY) {
        return false;
    }
    bool all = true;
    struct json_iter it = json_walk(messages);
    while (all && json_next(&it)) {
        all = is_message(it.value);
    }
    return all;
}

bool example_find(struct json_value object, struct example *out)
{
    *out = (struct example){.input = {"", 0}};
    for (size_t i = 0; i < sizeof CHATS / sizeof *CHATS; i++) {
        out->messages = json_get(object, CHATS[i]);
        if (is_chat(out->messages)) {
            out->is_chat = true;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        if (json_as_str(json_get(object, PAIRS[i][0]), &out->prompt) &&
            json_as_str(json_get(object, PAIRS[i][1]), &out->response)) {
            if (str_is(str_of(PAIRS[i][0]), "instruction")) {
                (void)json_as_str(json_get(object, "input"), &out->input);
            }
            return true;
        }
    }
    return false;
}

bool example_is_broken(struct json_value object)
{
    bool broken = false;
    for (size_t i = 0; i < sizeof CHATS / sizeof *CHATS; i++) {
        struct json_value messages = json_get(object, CHATS[i]);
        broken = broken || (json_kind(messages) != JSON_NONE && !is_chat(messages));
    }
    return broken;
}

static struct str join_parts(struct json_value parts, struct buf *scratch)
{
    struct str text;
    buf_clear(scratch);
    struct json_iter it = json_walk(parts);
    while (json_next(&it)) {
        if (json_as_str(it.value, &text) || json_as_str(json_get(it.value, "text"), &text)) {
            buf_add_str(scratch, text);
        }
    }
    return scratch->len > 0 ? buf_str(scratch) : (struct str){"", 0};
}

bool example_next(struct json_iter *it, struct buf *scratch, struct example_turn *turn)
{
    if (!json_next(it)) {
        return false;
    }
    *turn = (struct example_turn){{"", 0}, {"", 0}};
    if (!json_as_str(json_get(it->value, "role"), &turn->role)) {
        (void)json_as_str(json_get(it->value, "from"), &turn->role);
    }
    turn->role = str_is(turn->role, "human") ? STR_LIT("user")
                 : str_is(turn->role, "gpt") ? STR_LIT("assistant")
                                             : turn->role;
    struct json_value content = content_of(it->value);
    if (json_kind(content) == JSON_ARRAY) {
        turn->content = join_parts(content, scratch);
    } else {
        (void)json_as_str(content, &turn->content);
    }
    return true;
}

/* ---- as text ---- */

static void add_turn(const struct example_turn *turn, int chat, bool first, struct buf *out)
{
    if (chat == WINNOW_CHAT_CHATML) {
        buf_add_text(out, "<|im_start|>");
        buf_add_str(out, turn->role);
        buf_add_char(out, '\n');
        buf_add_str(out, turn->content);
        buf_add_text(out, "<|im_end|>\n");
        return;
    }
    buf_add_text(out, first ? "" : "\n");
    buf_add_str(out, turn->content);
}

static void add_chat(const struct example *e, int chat, struct buf *out)
{
    struct buf scratch = {0};
    struct example_turn turn;
    struct json_iter it = json_walk(e->messages);
    for (bool first = true; example_next(&it, &scratch, &turn); first = false) {
        add_turn(&turn, chat, first, out);
    }
    buf_release(&scratch);
}

void example_add_text(const struct example *e, int chat, struct buf *out)
{
    if (e->is_chat) {
        add_chat(e, chat, out);
        return;
    }
    struct buf asked = {0};
    buf_add_str(&asked, e->prompt);
    if (e->input.len > 0) {
        buf_add_char(&asked, '\n');
        buf_add_str(&asked, e->input);
    }
    const struct example_turn turns[] = {{STR_LIT("user"), buf_str(&asked)},
                                         {STR_LIT("assistant"), e->response}};
    add_turn(&turns[0], chat, true, out);
    add_turn(&turns[1], chat, false, out);
    buf_release(&asked);
}
