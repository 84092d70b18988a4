/* example_text.c -- prompts, answers and conversations to tokens with and without a loss. */
#include "train/example_text.h"

#include "base/mem.h"
#include "corpus/example.h"
#include "engine/batch.h"

#include <string.h>

struct example_encoder {
    const struct tokenizer *t;
    struct tokenizer_scratch *scratch;
    uint32_t context, first, end; /* TOKENIZER_NONE: none */
    uint32_t turn, turn_end;      /* of ChatML */
    struct buf text;
    struct u32_list tokens; /* whole */
    struct u32_list loss;   /* of each, whether it is to be predicted */
};

void example_text_release(struct example_text *e)
{
    u32_list_release(&e->tokens);
    u32_list_release(&e->targets);
    *e = (struct example_text){0};
}

struct example_encoder *example_encoder_new(const struct tokenizer *t, uint32_t context)
{
    struct example_encoder *e = mem_zalloc(sizeof *e);
    uint32_t bos = tokenizer_bos(t), eos = tokenizer_eos(t);
    *e = (struct example_encoder){.t = t,
                                  .scratch = tokenizer_scratch_new(t),
                                  .context = context,
                                  .first = bos != TOKENIZER_NONE ? bos : eos,
                                  .end = eos,
                                  .turn = tokenizer_id(t, STR_LIT("<|im_start|>")),
                                  .turn_end = tokenizer_id(t, STR_LIT("<|im_end|>"))};
    return e;
}

void example_encoder_free(struct example_encoder *e)
{
    if (!e) {
        return;
    }
    tokenizer_scratch_free(e->scratch);
    buf_release(&e->text);
    u32_list_release(&e->tokens);
    u32_list_release(&e->loss);
    mem_free(e);
}

/* ---- pieces ---- */

static void add_token(struct example_encoder *e, uint32_t token, bool loss)
{
    if (token != TOKENIZER_NONE) {
        u32_list_add(&e->tokens, token);
        u32_list_add(&e->loss, loss);
    }
}

static void add_text(struct example_encoder *e, struct str text, bool loss)
{
    tokenizer_encode(e->t, e->scratch, text, TOKENIZER_PLAIN_SPECIAL, &e->tokens);
    while (e->loss.len < e->tokens.len) {
        u32_list_add(&e->loss, loss);
    }
}

/* The text and a line's end, as one piece. */
static void add_line(struct example_encoder *e, struct str text, bool loss)
{
    buf_clear(&e->text);
    buf_add_str(&e->text, text);
    buf_add_char(&e->text, '\n');
    add_text(e, buf_str(&e->text), loss);
}

static void add_turn(struct example_encoder *e, struct str role, struct str content)
{
    bool answer = str_eq(role, STR_LIT("assistant"));
    if (e->turn != TOKENIZER_NONE && e->turn_end != TOKENIZER_NONE) {
        add_token(e, e->turn, false);
        add_line(e, role, false);
        add_text(e, content, answer);
        add_token(e, e->turn_end, answer);
        add_text(e, STR_LIT("\n"), false);
        return;
    }
    if (answer) {
        add_text(e, content, true);
        add_token(e, e->end, true);
    } else {
        add_line(e, content, false);
    }
}

static void add_messages(struct example_encoder *e, struct json_value messages)
{
    struct example_turn turn;
    struct buf scratch = {0};
    struct json_iter it = json_walk(messages);
    while (example_next(&it, &scratch, &turn)) {
        add_turn(e, turn.role, turn.content);
    }
    buf_release(&scratch);
}

/* ---- cutting ---- */

/* Where the kept part begins and ends: the first token stays in any case. */
static void give(struct example_encoder *e, bool prompted, struct example_text *out)
{
    size_t n = e->tokens.len, from = 1, to = n;
    out->cut = n > e->context;
    if (out->cut && prompted) {
        size_t asked = 1;
        while (asked < n && !e->loss.ptr[asked]) {
            asked++;
        }
        from = n - e->context + 1 < asked ? n - e->context + 1 : asked;
    }
    to = to - from + 1 > e->context ? from + e->context - 1 : to;
    u32_list_add(&out->tokens, e->tokens.ptr[0]);
    for (size_t i = from; i < to; i++) {
        u32_list_add(&out->targets, e->loss.ptr[i] ? e->tokens.ptr[i] : BATCH_NO_TARGET);
        u32_list_add(&out->tokens, e->tokens.ptr[i]);
        out->count += e->loss.ptr[i];
    }
    u32_list_add(&out->targets, BATCH_NO_TARGET);
}

void example_encode(struct example_encoder *e, struct json_value document, struct str text,
                    struct example_text *out)
{
    struct example found;
    bool example = example_find(document, &found);
    e->tokens.len = e->loss.len = out->tokens.len = out->targets.len = 0;
    out->count = 0;
    out->cut = false;
    out->prompted = true;
    bool chat = example && found.is_chat && e->turn != TOKENIZER_NONE;
    if (!chat || tokenizer_bos(e->t) != TOKENIZER_NONE) {
        add_token(e, e->first, false);
    }
    if (example && found.is_chat) {
        add_messages(e, found.messages);
    } else if (example) {
        if (found.response.len > 0) { /* without an answer there is nothing to learn */
            add_line(e, found.prompt, false);
            if (found.input.len > 0) {
                add_line(e, found.input, false);
            }
            add_text(e, found.response, true);
            add_token(e, e->end, true);
        }
    } else {
        out->prompted = false;
        add_text(e, text, true);
        add_token(e, e->end, true);
    }
    if (e->tokens.len > 1) {
        give(e, out->prompted, out);
    }
}
