/* prompt.c -- templates rendered to text and to tokens at once.
 *
 * Pieces are added one by one; text collects in `run` until a special token ends
 * it, and is then encoded whole, so that tokens may cross from the template's
 * text into the user's just as they do when a rendered prompt is encoded. */
#include "refine/prompt.h"

#include "base/mem.h"
#include "base/utf8.h"

enum piece_kind { PIECE_END, PIECE_TEXT, PIECE_SPECIAL, PIECE_SYSTEM, PIECE_USER };

struct piece {
    enum piece_kind kind;
    const char *text;
    bool of_system; /* falls away without a system text */
};

#define PIECES_MAX 12

struct template
{
    const char *name;
    bool bos;         /* <s> is part of it */
    bool strip;       /* white space at the user text's end goes */
    const char *stop; /* the special token that ends an answer; NULL: EOS */
    struct piece pieces[PIECES_MAX];
};

static const struct template TEMPLATES[CHAT_COUNT] = {
    [CHAT_PLAIN] = {"plain", false, false, NULL, {{PIECE_USER, NULL, false}}},
    [CHAT_LLAMA2] = {"llama-2",
                     true,
                     true,
                     NULL,
                     {{PIECE_TEXT, "[INST] ", false},
                      {PIECE_TEXT, "<<SYS>>\n", true},
                      {PIECE_SYSTEM, NULL, true},
                      {PIECE_TEXT, "\n<</SYS>>\n\n", true},
                      {PIECE_USER, NULL, false},
                      {PIECE_TEXT, " [/INST]", false}}},
    [CHAT_CHATML] = {"chatml",
                     false,
                     false,
                     "<|im_end|>",
                     {{PIECE_SPECIAL, "<|im_start|>", true},
                      {PIECE_TEXT, "system\n", true},
                      {PIECE_SYSTEM, NULL, true},
                      {PIECE_SPECIAL, "<|im_end|>", true},
                      {PIECE_TEXT, "\n", true},
                      {PIECE_SPECIAL, "<|im_start|>", false},
                      {PIECE_TEXT, "user\n", false},
                      {PIECE_USER, NULL, false},
                      {PIECE_SPECIAL, "<|im_end|>", false},
                      {PIECE_TEXT, "\n", false},
                      {PIECE_SPECIAL, "<|im_start|>", false},
                      {PIECE_TEXT, "assistant\n", false}}},
};

const char *const CHAT_TEMPLATES[] = {"plain", "llama-2", "chatml", NULL};

struct prompter {
    const struct template *template;
    const struct tokenizer *tokenizer;
    struct tokenizer_scratch *scratch;
    char *system;
    uint32_t bos, stop;
    struct buf run;      /* text since the last special token */
    struct u32_list ids; /* of a text that may have to be cut */
};

/* The BOS that stands in front, or TOKENIZER_NONE. */
static uint32_t find_bos(struct prompter *p)
{
    uint32_t bos = tokenizer_bos(p->tokenizer);
    struct u32_list around = {0};
    tokenizer_encode(p->tokenizer, p->scratch, (struct str){"", 0}, TOKENIZER_ADD_SPECIAL, &around);
    bool adds = around.len > 0 && around.ptr[0] == bos;
    u32_list_release(&around);
    return adds || p->template->bos ? bos : TOKENIZER_NONE;
}

static winnow_status find_tokens(struct prompter *p, struct winnow_error *err)
{
    for (const struct piece *i = p->template->pieces;
         i < p->template->pieces + PIECES_MAX && i->kind != PIECE_END; i++) {
        if (i->kind == PIECE_SPECIAL &&
            tokenizer_id(p->tokenizer, str_of(i->text)) == TOKENIZER_NONE) {
            return error_set(err, WINNOW_E_FORMAT,
                             "the refiner's tokenizer has no token %s, which the template %s "
                             "needs; choose another --template",
                             i->text, p->template->name);
        }
    }
    p->bos = find_bos(p);
    p->stop = p->template->stop ? tokenizer_id(p->tokenizer, str_of(p->template->stop))
                                : tokenizer_eos(p->tokenizer);
    return WINNOW_OK;
}

winnow_status prompter_new(enum chat_template template, const char *system,
                           const struct tokenizer *t, struct prompter **out,
                           struct winnow_error *err)
{
    struct prompter *p = mem_zalloc(sizeof *p);
    p->template = &TEMPLATES[template];
    p->tokenizer = t;
    p->system = mem_strdup(system ? system : "");
    p->bos = p->stop = TOKENIZER_NONE;
    if (t) {
        p->scratch = tokenizer_scratch_new(t);
        winnow_status st = find_tokens(p, err);
        if (st != WINNOW_OK) {
            prompter_free(p);
            return st;
        }
    }
    *out = p;
    return WINNOW_OK;
}

void prompter_free(struct prompter *p)
{
    if (!p) {
        return;
    }
    tokenizer_scratch_free(p->scratch);
    mem_free(p->system);
    buf_release(&p->run);
    u32_list_release(&p->ids);
    mem_free(p);
}

void prompt_release(struct prompt *p)
{
    buf_release(&p->text);
    buf_release(&p->user);
    u32_list_release(&p->tokens);
}

size_t prompter_stops(const struct prompter *p, uint32_t stops[PROMPT_STOPS_MAX])
{
    size_t n = 0;
    uint32_t eos = p->tokenizer ? tokenizer_eos(p->tokenizer) : TOKENIZER_NONE;
    if (p->stop != TOKENIZER_NONE) {
        stops[n++] = p->stop;
    }
    if (eos != TOKENIZER_NONE && eos != p->stop) {
        stops[n++] = eos;
    }
    return n;
}

struct str prompter_stop_text(const struct prompter *p)
{
    return p->stop == TOKENIZER_NONE ? (struct str){"", 0} : tokenizer_token(p->tokenizer, p->stop);
}

/* ---- rendering ---- */

static void end_run(struct prompter *p, struct prompt *out)
{
    if (p->tokenizer && p->run.len > 0) {
        tokenizer_encode(p->tokenizer, p->scratch, buf_str(&p->run), TOKENIZER_PLAIN_SPECIAL,
                         &out->tokens);
    }
    buf_clear(&p->run);
}

static void add_text(struct prompter *p, struct prompt *out, struct str text)
{
    buf_add_str(&out->text, text);
    if (p->tokenizer) {
        buf_add_str(&p->run, text);
    }
}

static void add_piece(struct prompter *p, const struct piece *piece, struct str user,
                      struct prompt *out)
{
    switch (piece->kind) {
    case PIECE_TEXT:
        add_text(p, out, str_of(piece->text));
        break;
    case PIECE_SYSTEM:
        add_text(p, out, str_of(p->system));
        break;
    case PIECE_USER:
        add_text(p, out, user);
        break;
    case PIECE_SPECIAL:
        end_run(p, out);
        buf_add_text(&out->text, piece->text);
        if (p->tokenizer) {
            uint32_t id = tokenizer_id(p->tokenizer, str_of(piece->text));
            if (out->tokens.len != 1 || out->tokens.ptr[0] != id || id != p->bos) {
                u32_list_add(&out->tokens, id);
            } /* else the template starts with what is the BOS already */
        }
        break;
    case PIECE_END:
        break;
    }
}

static struct str strip_end(struct str s)
{
    while (s.len > 0 && strchr(" \t\r\n\v\f", s.ptr[s.len - 1]) && s.ptr[s.len - 1] != '\0') {
        s.len--;
    }
    return s;
}

/* out->user is set; the rest is made from it. */
static void render(struct prompter *p, struct prompt *out)
{
    buf_clear(&out->text);
    buf_clear(&p->run);
    out->tokens.len = 0;
    if (p->bos != TOKENIZER_NONE) {
        u32_list_add(&out->tokens, p->bos);
    }
    struct str user = buf_str(&out->user);
    user = p->template->strip ? strip_end(user) : user;
    for (const struct piece *i = p->template->pieces;
         i < p->template->pieces + PIECES_MAX && i->kind != PIECE_END; i++) {
        if (!i->of_system || p->system[0] != '\0') {
            add_piece(p, i, user, out);
        }
    }
    end_run(p, out);
}

uint32_t prompter_overhead(struct prompter *p)
{
    struct prompt empty = {0};
    render(p, &empty);
    uint32_t tokens = (uint32_t)empty.tokens.len;
    prompt_release(&empty);
    return tokens;
}

void prompter_user(struct prompter *p, struct str user, struct prompt *out)
{
    buf_clear(&out->user);
    buf_add_str(&out->user, user);
    out->cut = false;
    render(p, out);
}

void prompter_chunk(struct prompter *p, const struct chunk *c, enum line_numbers numbers,
                    struct prompt *out)
{
    buf_clear(&out->user);
    chunk_render(c, numbers, &out->user);
    out->cut = c->shown < c->text.len;
    render(p, out);
}

/* ---- documents ---- */

/* No text of the usual tokenizers holds more bytes a token over thousands of
 * them; the rest of a long document need not be encoded to be cut off. */
#define DOCUMENT_BYTES_A_TOKEN 64U
#define BYTES_A_TOKEN          3U /* without a tokenizer */

static void document_user(struct prompt *out, struct str text, bool bare)
{
    buf_clear(&out->user);
    buf_add_text(&out->user, bare ? "" : "[doc]\n");
    buf_add_str(&out->user, text);
    buf_add_text(&out->user, bare ? "" : "\n[/doc]");
}

/* The bytes that the first `tokens` tokens of text stand for. */
static size_t bytes_of_tokens(struct prompter *p, struct str text, size_t tokens)
{
    p->ids.len = 0;
    tokenizer_encode(p->tokenizer, p->scratch, text, TOKENIZER_PLAIN_SPECIAL, &p->ids);
    size_t bytes = 0;
    for (size_t i = 0; i < p->ids.len && i < tokens; i++) {
        bytes += tokenizer_token_bytes(p->tokenizer, p->ids.ptr[i]).len;
    }
    return bytes;
}

void prompter_document(struct prompter *p, struct str text, bool bare, uint32_t tokens_max,
                       struct prompt *out)
{
    size_t bytes_a_token = p->tokenizer ? DOCUMENT_BYTES_A_TOKEN : BYTES_A_TOKEN;
    struct str shown = utf8_cut(text, (size_t)tokens_max * bytes_a_token);
    document_user(out, shown, bare);
    render(p, out);
    while (out->tokens.len > tokens_max && shown.len > 0) {
        /* Where its tokens are counted alone, a text is cut a few bytes off; so
         * count again until it fits. */
        document_user(out, (struct str){"", 0}, bare);
        struct str whole = shown;
        render(p, out);
        size_t around = out->tokens.len;
        size_t room = tokens_max > around ? tokens_max - around : 0;
        size_t bytes = bytes_of_tokens(p, whole, room);
        shown = utf8_cut(whole, bytes < whole.len ? bytes : whole.len - 1);
        document_user(out, shown, bare);
        render(p, out);
    }
    out->cut = shown.len < text.len;
}
