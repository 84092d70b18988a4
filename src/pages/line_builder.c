/* line_builder.c -- white space becomes a gap, the gap becomes what it was worth.
 *
 * Gaps are ordered: space < cell < line.  Inside <pre> spaces count and are written
 * at once, but for blank lines at its head.  The fast path copies runs of bytes that
 * are visible whatever stands around them; only the others are decoded. */
#include "pages/line_builder.h"

#include "base/utf8.h"

void line_builder_gap(struct line_builder *b, enum line_gap gap)
{
    if (gap > b->gap) {
        b->gap = gap;
    }
}

void line_builder_end(struct line_builder *b)
{
    while (b->out->len > b->start) {
        char c = b->out->ptr[b->out->len - 1];
        if (c != ' ' && c != '\n' && c != '\t') {
            break;
        }
        b->out->len--;
    }
}

/* A visible character is about to come. */
static void close_gap(struct line_builder *b)
{
    enum line_gap gap = b->gap;
    b->gap = GAP_NONE;
    if (gap == GAP_NONE || b->out->len == b->start) {
        return;
    }
    if (gap == GAP_LINE) {
        line_builder_end(b);
        if (b->out->len > b->start) {
            buf_add_char(b->out, '\n');
        }
    } else if (b->out->ptr[b->out->len - 1] != '\n') {
        buf_add_text(b->out, gap == GAP_CELL ? " | " : " ");
    }
}

enum letter { LETTER_VISIBLE, LETTER_SPACE, LETTER_NEWLINE, LETTER_NONE };

static enum letter classify(uint32_t c)
{
    if (c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029) {
        return LETTER_NEWLINE;
    }
    if (c == ' ' || c == '\t' || c == '\f' || c == 0xA0 || c == 0x1680 ||
        (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F || c == 0x3000) {
        return LETTER_SPACE;
    }
    bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    return control || c == 0xAD || c == 0x200B || c == 0x2060 || c == 0xFEFF ? LETTER_NONE
                                                                             : LETTER_VISIBLE;
}

/* Whether a byte is not visible whatever stands around it: an ASCII space or control, or the
 * first of a character that classify() knows.  A table, since every byte of a text is asked. */
static const bool NOT_PLAIN[256] = {
    1,         1,          1,          1,          1,          1,          1,          1, 1,
    1,         1,          1,          1,          1,          1,          1, /* 0..15 */
    1,         1,          1,          1,          1,          1,          1,          1, 1,
    1,         1,          1,          1,          1,          1,          1, /* 16..31 */
    [' '] = 1, [0x7F] = 1, [0xC2] = 1, [0xE1] = 1, [0xE2] = 1, [0xE3] = 1, [0xEF] = 1,
};

static void add_space(struct line_builder *b, enum letter kind, char c)
{
    if (!b->pre) {
        line_builder_gap(b, GAP_SPACE);
    } else if (kind == LETTER_NEWLINE) {
        if (b->gap != GAP_LINE) { /* blank lines at the head of <pre> go */
            while (b->out->len > b->start &&
                   (b->out->ptr[b->out->len - 1] == ' ' || b->out->ptr[b->out->len - 1] == '\t')) {
                b->out->len--;
            }
            buf_add_char(b->out, '\n');
        }
    } else {
        close_gap(b);
        buf_add_char(b->out, c == '\t' ? '\t' : ' ');
    }
}

void line_builder_add(struct line_builder *b, struct str text)
{
    size_t at = 0;
    while (at < text.len) {
        size_t end = at;
        while (end < text.len && !NOT_PLAIN[(unsigned char)text.ptr[end]]) {
            end++;
        }
        if (end == at) {
            uint32_t code = 0;
            if (text.ptr[at] == '\r' && at + 1 < text.len && text.ptr[at + 1] == '\n') {
                at++; /* CRLF is one newline */
            }
            size_t n = utf8_decode(text, at, &code);
            enum letter kind = n == 0 ? LETTER_NONE : classify(code);
            end = at + (n == 0 ? 1 : n);
            if (kind == LETTER_SPACE || kind == LETTER_NEWLINE) {
                add_space(b, kind, text.ptr[at]);
            }
            if (kind != LETTER_VISIBLE) {
                at = end;
                continue;
            }
        }
        close_gap(b);
        buf_add(b->out, text.ptr + at, end - at);
        at = end;
    }
}
