#include "corpus/plain_text.h"

/* Takes the next line off *rest: ends are \n, \r\n, \r, form feed, vertical tab. */
static struct str next_line(struct str *rest)
{
    size_t end = 0;
    while (end < rest->len && !(rest->ptr[end] >= '\n' && rest->ptr[end] <= '\r')) {
        end++;
    }
    struct str line = str_sub(*rest, 0, end);
    if (end + 1 < rest->len && rest->ptr[end] == '\r' && rest->ptr[end + 1] == '\n') {
        end++;
    }
    *rest = str_sub(*rest, end < rest->len ? end + 1 : end, rest->len);
    return line;
}

static bool is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7F;
}

static void add_visible(struct buf *text, struct str line)
{
    while (line.len > 0) {
        size_t n = 0;
        while (n < line.len && !is_control(line.ptr[n])) {
            n++;
        }
        buf_add(text, line.ptr, n);
        line = str_sub(line, n < line.len ? n + 1 : n, line.len);
    }
}

/* Lines of s behind what text holds already; a comment that runs over several
 * lines is dropped where `comments` says so. */
/* NOLINTNEXTLINE(readability-function-cognitive-complexity): one state machine */
static void add_lines(struct str s, struct buf *text, bool comments)
{
    size_t start = text->len;
    size_t blank = 0;
    bool inside = false;
    while (s.len > 0) {
        struct str line = next_line(&s);
        size_t before = text->len;
        size_t gap = before == start ? 0 : (blank > 0 ? 2 : 1);
        buf_add(text, "\n\n", gap);
        size_t line_start = text->len;
        bool had_comment = inside;
        bool in_parts = comments;
        while (in_parts) {
            size_t mark = str_find(line, inside ? STR_LIT("-->") : STR_LIT("<!--"));
            if (!inside && mark != SIZE_MAX) { /* one without an end is text */
                struct str rest = {line.ptr + mark, (size_t)(s.ptr + s.len - line.ptr) - mark};
                comments = str_find(rest, STR_LIT("-->")) != SIZE_MAX;
                mark = comments ? mark : SIZE_MAX;
            }
            had_comment = had_comment || mark != SIZE_MAX;
            if (!inside) {
                add_visible(text, str_sub(line, 0, mark == SIZE_MAX ? line.len : mark));
            }
            if (mark == SIZE_MAX) {
                break;
            }
            line = str_sub(line, mark + (inside ? 3 : 4), line.len);
            inside = !inside;
        }
        if (!in_parts) {
            add_visible(text, line);
        }
        while (text->len > line_start &&
               (text->ptr[text->len - 1] == ' ' || text->ptr[text->len - 1] == '\t')) {
            text->len--;
        }
        if (text->len == line_start) {
            text->len = before;
            blank += had_comment ? 0 : 1;
        } else {
            blank = 0;
        }
    }
}

void plain_text_lines(struct str s, struct buf *text)
{
    add_lines(s, text, false);
}

static bool is_fence(struct str line)
{
    return str_is(str_trim(line), "---");
}

/* Takes YAML front matter off *s, and its title. */
static void take_front_matter(struct str *s, struct buf *title)
{
    struct str rest = *s;
    if (!is_fence(next_line(&rest))) {
        return;
    }
    struct str value = {NULL, 0};
    while (rest.len > 0) {
        struct str line = next_line(&rest);
        if (is_fence(line)) {
            add_visible(title, value);
            *s = rest;
            return;
        }
        if (str_starts(line, STR_LIT("title:"))) {
            value = str_trim(str_sub(line, 6, line.len));
            bool quoted = value.len >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
                          value.ptr[value.len - 1] == value.ptr[0];
            value = quoted ? str_sub(value, 1, value.len - 1) : value;
        }
    }
}

void markdown_lines(struct str s, struct buf *text, struct buf *title)
{
    size_t had = title->len;
    take_front_matter(&s, title);
    size_t start = text->len;
    add_lines(s, text, true);
    struct str rest = str_sub(buf_str(text), start, text->len);
    while (title->len == had && rest.len > 0) {
        struct str line = next_line(&rest);
        if (str_starts(line, STR_LIT("# "))) {
            buf_add_str(title, str_trim(str_sub(line, 2, line.len)));
        }
    }
}
