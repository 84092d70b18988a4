/* units.c -- see units.h. */
#include "dedup/units.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_blank(struct str line)
{
    return str_trim(line).len == 0;
}

/* A line with its \n, if it has one; rest is not empty. */
static struct str whole_line(struct str rest)
{
    const char *end = memchr(rest.ptr, '\n', rest.len);
    return str_sub(rest, 0, end ? (size_t)(end - rest.ptr) + 1 : rest.len);
}

static struct str without_end(struct str line)
{
    bool ends = line.len > 0 && line.ptr[line.len - 1] == '\n';
    return str_sub(line, 0, line.len - ends);
}

bool units_next(struct str *rest, bool paragraphs, struct unit *out)
{
    if (rest->len == 0) {
        return false;
    }
    struct str left = *rest, line = whole_line(left);
    if (!paragraphs) {
        *out = (struct unit){without_end(line), line};
        *rest = str_sub(left, line.len, left.len);
        return true;
    }
    size_t text = 0, piece = 0;
    for (; !is_blank(line); line = whole_line(str_sub(left, piece, left.len))) {
        text = piece + without_end(line).len;
        piece += line.len;
        if (piece == left.len) {
            break;
        }
    }
    while (piece < left.len) {
        line = whole_line(str_sub(left, piece, left.len));
        if (!is_blank(line)) {
            break;
        }
        piece += line.len;
    }
    *out = (struct unit){str_sub(left, 0, text), str_sub(left, 0, piece)};
    *rest = str_sub(left, piece, left.len);
    return true;
}

uint32_t units_words(struct str text, uint32_t most)
{
    uint32_t words = 0;
    bool in_word = false;
    for (size_t i = 0; i < text.len && words < most; i++) {
        bool space = is_space(text.ptr[i]);
        words += !space && !in_word;
        in_word = !space;
    }
    return words;
}

void units_without(struct str text, bool paragraphs, const uint64_t *indices, size_t count,
                   struct buf *out)
{
    struct str rest = text;
    struct unit u;
    size_t next = 0;
    bool last_went = false;
    for (uint64_t i = 0; units_next(&rest, paragraphs, &u); i++) {
        last_went = next < count && indices[next] == i;
        if (last_went) {
            next++;
        } else {
            buf_add_str(out, u.piece);
        }
    }
    if (last_went && !str_ends(text, STR_LIT("\n"))) {
        while (out->len > 0 && out->ptr[out->len - 1] == '\n') {
            out->len--;
        }
    }
}
