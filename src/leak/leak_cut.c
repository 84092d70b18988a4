/* leak_cut.c -- see leak_cut.h. */
#include "leak/leak_cut.h"

#include "base/utf8.h"

#include <inttypes.h>

#define RANGES_MAX 100U
#define WORD_MAX   64U /* bytes that a cut grows by so as not to end within a word */

struct cutter {
    const struct winnow_decontaminate_options *opt;
    struct str text;
    struct buf *out, *ranges;
    size_t pieces, kept, ranges_told;
    size_t told_at, told_chars; /* code points up to a byte, as far as they were counted */
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t back(struct str text, size_t at, uint32_t chars)
{
    for (uint32_t i = 0; i < chars && at > 0; i++) {
        at = utf8_start(text, at - 1);
    }
    size_t least = at > WORD_MAX ? at - WORD_MAX : 0;
    for (size_t i = at; i > least || i == 0; i--) {
        if (i == 0 || is_space(text.ptr[i - 1])) {
            return i;
        }
    }
    return at;
}

static size_t forth(struct str text, size_t at, uint32_t chars)
{
    for (uint32_t i = 0; i < chars && at < text.len; i++) {
        at++;
        while (at < text.len && utf8_continues(text.ptr[at])) {
            at++;
        }
    }
    for (size_t i = at; i < at + WORD_MAX && i <= text.len; i++) {
        if (i == text.len || is_space(text.ptr[i])) {
            return i;
        }
    }
    return at;
}

static size_t chars_until(struct cutter *c, size_t at)
{
    c->told_chars += utf8_count(str_sub(c->text, c->told_at, at));
    c->told_at = at;
    return c->told_chars;
}

static void tell_range(struct cutter *c, size_t from, size_t to)
{
    if (c->ranges_told++ < RANGES_MAX) {
        size_t first = chars_until(c, from);
        buf_addf(c->ranges, "%s[%zu,%zu]", c->ranges_told > 1 ? "," : "", first,
                 chars_until(c, to));
    }
}

static void add_piece(struct cutter *c, size_t from, size_t to)
{
    struct str piece = str_trim(str_sub(c->text, from, to));
    if (piece.len == 0) {
        return;
    }
    c->pieces++;
    if (utf8_count(piece) >= c->opt->left_min) {
        buf_add_text(c->out, c->kept > 0 ? "\n\n" : "");
        buf_add_str(c->out, piece);
        c->kept++;
    }
}

enum leak_cut_outcome leak_cut(const struct winnow_decontaminate_options *opt,
                               const struct leak_scratch *s, struct str text, struct buf *out,
                               struct buf *ranges)
{
    struct cutter c = {.opt = opt, .text = text, .out = out, .ranges = ranges};
    size_t done = 0;
    for (size_t i = 0; i < s->span_count;) {
        size_t from = back(text, s->words.items[s->spans[i].first].start, opt->margin), to;
        do { /* margins that meet are one cut */
            to = forth(text, s->words.items[s->spans[i].end - 1].end, opt->margin);
            i++;
        } while (i < s->span_count &&
                 back(text, s->words.items[s->spans[i].first].start, opt->margin) <= to);
        from = from > done ? from : done;
        add_piece(&c, done, from);
        tell_range(&c, from, to);
        done = to;
    }
    add_piece(&c, done, text.len);
    if (c.pieces > opt->pieces_max) {
        return LEAK_CUT_TOO_MANY;
    }
    return c.kept == 0 ? LEAK_CUT_TOO_LITTLE : LEAK_CUT_KEPT;
}
