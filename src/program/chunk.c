/* chunk.c -- greedy packing of lines.
 *
 * One pass over the document; each line is encoded once, with its number in
 * front, since that is how the refiner will read it. */
#include "program/chunk.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/utf8.h"

struct chunker {
    struct chunk_options options;
    const struct tokenizer *tokenizer;
    struct tokenizer_scratch *scratch;
    struct u32_list ids;
    struct buf line;
};

#define BYTES_A_TOKEN 3U /* without a tokenizer */

/* No token of the usual vocabularies is longer than 128 bytes; a line past this
 * many a token is too long without counting, and so a line of 64 MB costs
 * nothing. */
#define TOKEN_BYTES_MAX 128U

void chunk_list_release(struct chunk_list *l)
{
    mem_free(l->items);
    *l = (struct chunk_list){0};
}

static struct chunk *add_chunk(struct chunk_list *l)
{
    GROW(l->items, l->count, l->cap, 16);
    struct chunk *c = &l->items[l->count++];
    *c = (struct chunk){0};
    return c;
}

struct chunker *chunker_new(const struct tokenizer *t, const struct chunk_options *options)
{
    struct chunker *c = mem_zalloc(sizeof *c);
    c->options = *options;
    c->tokenizer = t;
    c->scratch = t ? tokenizer_scratch_new(t) : NULL;
    return c;
}

void chunker_free(struct chunker *c)
{
    if (!c) {
        return;
    }
    tokenizer_scratch_free(c->scratch);
    u32_list_release(&c->ids);
    buf_release(&c->line);
    mem_free(c);
}

static void render_line(size_t number, enum line_numbers numbers, struct str line, struct buf *out)
{
    if (numbers == LINE_NUMBERS_LID) {
        buf_addf(out, "<lid:%zu>", number + 1);
    } else {
        buf_addf(out, "[%03zu]", number);
    }
    buf_add_str(out, line);
}

/* Tokens of a line with its number, without its newline; the ids stay in c. */
static uint64_t count_line(struct chunker *c, size_t number, struct str line)
{
    buf_clear(&c->line);
    render_line(number, c->options.numbers, line, &c->line);
    if (!c->tokenizer) {
        return (c->line.len + BYTES_A_TOKEN - 1) / BYTES_A_TOKEN;
    }
    c->ids.len = 0;
    tokenizer_encode(c->tokenizer, c->scratch, buf_str(&c->line), TOKENIZER_PLAIN_SPECIAL, &c->ids);
    return c->ids.len;
}

static bool surely_too_long(const struct chunker *c, struct str line)
{
    return line.len / TOKEN_BYTES_MAX > c->options.tokens;
}

/* The longest prefix, in steps of a sixteenth, that fits the budget. */
static size_t fitting_prefix(struct chunker *c, size_t number, struct str line)
{
    size_t len = utf8_cut(line, (size_t)c->options.tokens * TOKEN_BYTES_MAX).len;
    while (len > 0) {
        uint64_t tokens = count_line(c, number, str_sub(line, 0, len)) + 1;
        if (tokens <= c->options.tokens) {
            break;
        }
        /* Towards the budget at the rate seen, always getting shorter. */
        size_t aim = (size_t)((double)len * (double)c->options.tokens / (double)tokens);
        size_t most = len - (len + 15) / 16;
        len = utf8_cut(line, aim < most ? aim : most).len;
    }
    return len;
}

static void add_long_line(struct chunker *c, size_t number, struct str line, struct chunk_list *out)
{
    struct chunk *k = add_chunk(out);
    k->first = k->last = number;
    k->text = line;
    k->too_long = true;
    k->shown = line.len;
    switch (c->options.long_lines) {
    case LONG_LINES_SKIP:
        k->skipped = true;
        break;
    case LONG_LINES_TRUNCATE:
        k->shown = fitting_prefix(c, number, line);
        break;
    case LONG_LINES_SEND:
        break;
    }
    k->tokens = k->skipped ? 0 : count_line(c, number, str_sub(line, 0, k->shown)) + 1;
}

/* Adds the line to the open chunk or, where it does not fit, starts one. */
static void add_line(struct chunk_list *out, bool *open, size_t number, struct str line,
                     uint64_t cost, uint64_t budget)
{
    struct chunk *k = *open ? &out->items[out->count - 1] : NULL;
    if (!k || k->tokens + cost > budget) {
        k = add_chunk(out);
        k->first = number;
        k->text = (struct str){line.ptr, 0};
        *open = true;
    }
    k->last = number;
    k->text.len = (size_t)(line.ptr + line.len - k->text.ptr);
    k->shown = k->text.len;
    k->tokens += cost;
}

void chunker_cut(struct chunker *c, struct str text, struct chunk_list *out)
{
    out->count = 0;
    bool open = false;
    struct str rest = {text.ptr ? text.ptr : "", text.len};
    size_t count = str_count_lines(rest);
    for (size_t number = 0; number < count; number++) {
        const char *newline = number + 1 < count ? memchr(rest.ptr, '\n', rest.len) : NULL;
        struct str line = str_sub(rest, 0, newline ? (size_t)(newline - rest.ptr) : rest.len);
        bool sure = surely_too_long(c, line);
        uint64_t cost = sure ? UINT64_MAX : count_line(c, number, line) + 1;
        if (cost > c->options.tokens) {
            add_long_line(c, number, line, out);
            open = false;
        } else {
            add_line(out, &open, number, line, cost, c->options.tokens);
        }
        rest = str_sub(rest, newline ? line.len + 1 : line.len, rest.len);
    }
}

void chunk_render(const struct chunk *c, enum line_numbers numbers, struct buf *out)
{
    buf_add_text(out, "[doc]\n");
    struct str rest = str_sub(c->text, 0, c->shown);
    for (size_t number = c->first; number <= c->last; number++) {
        const char *newline = rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;
        size_t len = newline ? (size_t)(newline - rest.ptr) : rest.len;
        render_line(number, numbers, str_sub(rest, 0, len), out);
        buf_add_char(out, '\n');
        rest = str_sub(rest, newline ? len + 1 : len, rest.len);
    }
    buf_add_text(out, "[/doc]");
}
