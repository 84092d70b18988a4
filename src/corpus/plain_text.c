#include "corpus/plain_text.h"

/* Bytes of the line end at s[at], 0 where there is none: \n, \r\n, \r, form feed,
 * vertical tab, U+0085. */
static size_t line_end(struct str s, size_t at)
{
    char c = s.ptr[at];
    if (c == '\xC2') {
        return at + 1 < s.len && s.ptr[at + 1] == '\x85' ? 2 : 0;
    }
    if (c == '\r' && at + 1 < s.len && s.ptr[at + 1] == '\n') {
        return 2;
    }
    return c >= '\n' && c <= '\r' ? 1 : 0;
}

/* Takes the next line off *rest. */
static struct str next_line(struct str *rest)
{
    size_t end = 0, n = 0;
    while (end < rest->len && (n = line_end(*rest, end)) == 0) {
        end++;
    }
    struct str line = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end + n, rest->len);
    return line;
}

/* Bytes of the control character at s[at], 0 where there is none: C0 but for the
 * tab, DEL, and C1, which is two bytes of UTF-8. */
static size_t control(struct str s, size_t at)
{
    unsigned char c = (unsigned char)s.ptr[at];
    if (c == 0xC2) {
        return at + 1 < s.len && (unsigned char)s.ptr[at + 1] < 0xA0 ? 2 : 0;
    }
    return (c < ' ' && c != '\t') || c == 0x7F ? 1 : 0;
}

static void add_visible(struct buf *text, struct str line)
{
    while (line.len > 0) {
        size_t end = 0, n = 0;
        while (end < line.len && (n = control(line, end)) == 0) {
            end++;
        }
        buf_add(text, line.ptr, end);
        line = str_sub(line, end + n, line.len);
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

/* Whether a line is "key: value", as the first of a YAML mapping is. */
static bool is_member(struct str line)
{
    const char *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
    size_t at = colon ? (size_t)(colon - line.ptr) : 0;
    bool key = at > 0 && line.ptr[0] != ' ' && line.ptr[0] != '\t';
    return key && (at + 1 == line.len || line.ptr[at + 1] == ' ' || line.ptr[at + 1] == '\t');
}

/* Front matter is opened by the very first bytes, "---", with a key right below: a
 * blank line or a sentence there means that the dashes are a thematic break. */
static bool opens_front_matter(struct str *rest)
{
    if (!str_starts(*rest, STR_LIT("---")) || !str_is(str_trim(next_line(rest)), "---")) {
        return false;
    }
    struct str look = *rest, line = next_line(&look);
    while (line.len > 0 && line.ptr[0] == '#') { /* a comment of YAML, or a heading */
        line = next_line(&look);
    }
    return is_member(line);
}

static bool closes_front_matter(struct str line)
{
    return (str_starts(line, STR_LIT("---")) && str_is(str_trim(line), "---")) ||
           (str_starts(line, STR_LIT("...")) && str_is(str_trim(line), "..."));
}

/* Takes YAML front matter off *s, and its title. */
static void take_front_matter(struct str *s, struct buf *title)
{
    struct str rest = *s;
    if (!opens_front_matter(&rest)) {
        return;
    }
    struct str value = {NULL, 0};
    while (rest.len > 0) {
        struct str line = next_line(&rest);
        if (closes_front_matter(line)) {
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
