/* plain_text.c -- lines of text files, and of Markdown without what nobody sees.
 *
 * Two things of Markdown are invisible: YAML front matter and HTML comments.  Both
 * are easy to take for what they are not: "---" is a thematic break too, and "<!--"
 * in code is text.  So front matter needs a key right below the dashes and must be
 * YAML to its end, and comments are looked for outside of fences and code spans, as
 * CommonMark (0.31, sections 4.5 and 6.1) has them.  A comment without an end is text.
 *
 * Linear in the text: where no closing backticks follow is remembered for the
 * paragraph (`unclosed`), and that no "-->" follows for the rest (`wanted`). */
#include "pages/plain_text.h"

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
    char fence; /* of the code block one is in, or 0 */
    size_t fence_length;
    const char *code_end;      /* what stands before it is a code span */
    const char *paragraph_end; /* up to where `unclosed` is true */
    uint64_t unclosed;         /* lengths of backticks that end nowhere before it, as bits */
};

/* Length of the fence that a line begins with, 0 where with none.  It may be quoted or
 * stand in a list. */
static size_t fence_of(struct str line, char *mark, struct str *behind)
{
    size_t at = 0;
    while (at < line.len && strchr(" \t>", line.ptr[at])) {
        at++;
    }
    if (at + 1 < line.len && strchr("-*+", line.ptr[at]) && line.ptr[at + 1] == ' ') {
        at += 2;
    }
    while (at < line.len && line.ptr[at] == ' ') {
        at++;
    }
    size_t n = at;
    *mark = at < line.len ? line.ptr[at] : '\0';
    while ((*mark == '`' || *mark == '~') && n < line.len && line.ptr[n] == *mark) {
        n++;
    }
    *behind = str_sub(line, n, line.len);
    return n - at >= 3 ? n - at : 0;
}

/* Whether a line is one of a fenced code block, its fences included. */
static bool is_fenced(struct comments *c, struct str line)
{
    char mark;
    struct str behind;
    size_t n = fence_of(line, &mark, &behind);
    if (c->fence) {
        if (n >= c->fence_length && mark == c->fence && str_trim(behind).len == 0) {
            c->fence = '\0';
        }
        return true;
    }
    if (n == 0 || (mark == '`' && behind.len > 0 && memchr(behind.ptr, '`', behind.len))) {
        return false;
    }
    c->fence = mark;
    c->fence_length = n;
    return true;
}

static size_t backticks(const char *at, const char *end)
{
    size_t n = 0;
    while (at + n < end && at[n] == '`') {
        n++;
    }
    return n;
}

/* Where the paragraph ends that `at` is in: at a blank line. */
static const char *find_paragraph_end(const char *at, const char *end)
{
    bool blank = false;
    for (; at < end; at++) {
        if (*at == '\n' && blank) {
            return at;
        }
        blank = *at == '\n' || (blank && (*at == ' ' || *at == '\t' || *at == '\r'));
    }
    return end;
}

/* Behind the code span that n backticks before `at` open; NULL where they open none. */
static const char *find_span_end(struct comments *c, const char *at, size_t n, const char *end)
{
    if (!c->paragraph_end || at > c->paragraph_end) {
        c->paragraph_end = find_paragraph_end(at, end);
        c->unclosed = 0;
    }
    uint64_t bit = (uint64_t)1 << (n < 63 ? n : 63);
    if (c->unclosed & bit) {
        return NULL;
    }
    for (const char *p = at; p < c->paragraph_end; p++) {
        size_t run = backticks(p, c->paragraph_end);
        if (run == n) {
            return p + run;
        }
        p += run > 0 ? run - 1 : 0;
    }
    c->unclosed |= bit;
    return NULL;
}

/* Where in a line outside of comments the next one begins, or SIZE_MAX; what stands in
 * code is none. */
static size_t find_comment(struct comments *c, struct str line, const char *end)
{
    const char *at = line.ptr, *line_end = line.ptr + line.len;
    while (at < line_end) {
        if (at < c->code_end) {
            at = c->code_end;
        } else if (*at == '\\') {
            at += 2;
        } else if (*at == '`') {
            size_t n = backticks(at, line_end);
            const char *behind = find_span_end(c, at + n, n, end);
            at = behind ? behind : at + n;
            c->code_end = behind ? behind : c->code_end;
        } else if (*at == '<' &&
                   str_starts((struct str){at, (size_t)(line_end - at)}, STR_LIT("<!--"))) {
            return (size_t)(at - line.ptr);
        } else {
            at++;
        }
    }
    return SIZE_MAX;
}

/* Appends what can be seen of a line; rest is what comes behind it.  True if a
 * comment took part of it. */
static bool add_outside_comments(struct buf *text, struct str line, struct str rest,
                                 struct comments *c)
{
    bool had = c->inside;
    const char *end = rest.ptr + rest.len;
    if (c->wanted && !c->inside && is_fenced(c, line)) {
        add_visible(text, line);
        return false;
    }
    while (c->wanted || c->inside) {
        size_t mark = c->inside ? str_find(line, STR_LIT("-->")) : find_comment(c, line, end);
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

/* Whether a line is "key: value", as in a YAML mapping: the key a single word, or any
 * in quotation marks. */
static bool is_member(struct str line)
{
    size_t at = 0;
    bool quoted = line.len > 0 && (line.ptr[0] == '"' || line.ptr[0] == '\'');
    if (quoted) {
        const char *end = memchr(line.ptr + 1, line.ptr[0], line.len - 1);
        at = end ? (size_t)(end - line.ptr) + 1 : 0;
    }
    while (!quoted && at < line.len && !strchr(" \t:,;!?()[]{}\"'*`", line.ptr[at])) {
        at++;
    }
    bool key = at > 0 && at < line.len && line.ptr[at] == ':';
    return key && (at + 1 == line.len || line.ptr[at + 1] == ' ' || line.ptr[at + 1] == '\t');
}

/* Whether a line may stand in front matter; behind a blank line a name with a capital is
 * as likely somebody who speaks. */
static bool is_yaml(struct str line, bool behind_blank)
{
    if (str_trim(line).len == 0 || line.ptr[0] == '#') {
        return true;
    }
    bool capital = line.ptr[0] >= 'A' && line.ptr[0] <= 'Z';
    bool goes_on =
        strchr(" \t]}", line.ptr[0]) || str_is(line, "-") || str_starts(line, STR_LIT("- "));
    return goes_on || (is_member(line) && !(capital && behind_blank));
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
    bool blank = false;
    while (rest.len > 0) {
        struct str line = next_line(&rest);
        if (closes_front_matter(line)) {
            add_visible(title, value);
            *s = rest;
            return;
        }
        if (!is_yaml(line, blank)) { /* prose behind a thematic break: all of it is text */
            return;
        }
        blank = str_trim(line).len == 0;
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
