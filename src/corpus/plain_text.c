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

/* Where in a text with comments one is. */
struct comments {
    bool wanted; /* comments are dropped: there may still be a whole one */
    bool inside;
};

/* Appends what can be seen of a line; rest is what comes behind it.  True if a
 * comment took part of it. */
static bool add_outside_comments(struct buf *text, struct str line, struct str rest,
                                 struct comments *c)
{
    bool had = c->inside;
    const char *end = rest.ptr + rest.len;
    while (c->wanted || c->inside) {
        size_t mark = str_find(line, c->inside ? STR_LIT("-->") : STR_LIT("<!--"));
        if (!c->inside && mark != SIZE_MAX) { /* one without an end is text */
            struct str behind = {line.ptr + mark, (size_t)(end - line.ptr) - mark};
            c->wanted = str_find(behind, STR_LIT("-->")) != SIZE_MAX;
            mark = c->wanted ? mark : SIZE_MAX;
        }
        had = had || mark != SIZE_MAX;
        if (!c->inside) {
            add_visible(text, str_sub(line, 0, mark == SIZE_MAX ? line.len : mark));
        }
        if (mark == SIZE_MAX) {
            return had;
        }
        line = str_sub(line, mark + (c->inside ? 3 : 4), line.len);
        c->inside = !c->inside;
    }
    add_visible(text, line);
    return had;
}

static void trim_end(struct buf *text, size_t start)
{
    while (text->len > start &&
           (text->ptr[text->len - 1] == ' ' || text->ptr[text->len - 1] == '\t')) {
        text->len--;
    }
}

/* Lines of s behind what text holds already. */
static void add_lines(struct str s, struct buf *text, bool comments)
{
    size_t start = text->len;
    size_t blank = 0;
    struct comments c = {.wanted = comments};
    while (s.len > 0) {
        struct str line = next_line(&s);
        size_t before = text->len;
        buf_add(text, "\n\n", before == start ? 0 : (blank > 0 ? 2 : 1));
        size_t line_start = text->len;
        bool had_comment = add_outside_comments(text, line, s, &c);
        trim_end(text, line_start);
        if (text->len > line_start) {
            blank = 0;
        } else {
            text->len = before;
            blank += had_comment ? 0 : 1;
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
