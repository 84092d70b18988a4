/* html.c -- a tokenizer and a few counters, no tree.
 *
 * What a line is depends on where blocks begin and end, not on how they nest:
 * every tag of a block element, opening or closing, ends the line.  So the
 * page need not become a tree, and what makes trees dangerous (recursion, the
 * quadratic repair of misnested tags, memory many times the page) cannot happen:
 * the page is read once from left to right.
 *
 * Tokens follow the HTML standard (section "Tokenization"): quoted attributes,
 * comments with their odd endings, elements whose content is not markup
 * (script with its escaped forms, style, title, textarea ...), character
 * references.  Of tree construction three rules are kept, because they decide
 * what is read: a <template> or <svg> hides what is in it; a drawing that was
 * never closed is ended by the first tag that cannot stand in one; <noscript> is
 * not shown, as in a browser with scripts, unless the page has next to nothing
 * else: forums that build their pages by script keep the whole text there.
 *
 * Judged against trees built by gumbo and libxml2 on 430 real pages:
 * docs/formats/corpus.md has the figures.
 */
#include "pages/html.h"

#include "pages/html_internal.h"
#include "pages/line_builder.h"

#include <strings.h>

/* Bytes of text below which a page is read again with its <noscript>. */
#define NOSCRIPT_BELOW 256U

struct page {
    struct str s;
    size_t at;
    const struct html_options *opt;
    struct line_builder text, title;
    bool has_title;
    bool title_open; /* a <title> without its end was seen */
    bool saw_noscript, show_noscript;
    unsigned pre;          /* <pre> open */
    struct str skipping;   /* name of the element that hides all, or empty */
    size_t skip_depth;     /* of that name, nested */
    size_t foreign_object; /* <foreignObject> open in a drawing */
};

struct tag_token {
    struct str name;
    const struct html_tag *tag; /* NULL: of an unknown name */
    bool closing, self_closing;
    struct html_attributes *attributes; /* NULL: nobody wants them */
};

static bool is_letter(char c)
{
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\f' || c == '\r';
}

static bool same_name(struct str a, struct str b)
{
    return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static bool is_name(struct str a, const char *b)
{
    return same_name(a, str_of(b));
}

static size_t find_char(struct str s, size_t at, char c)
{
    const char *p = at < s.len ? memchr(s.ptr + at, c, s.len - at) : NULL;
    return p ? (size_t)(p - s.ptr) : s.len;
}

static size_t find_text(struct str s, size_t at, const char *needle)
{
    size_t found = str_find(str_sub(s, at, s.len), str_of(needle));
    return found == SIZE_MAX ? s.len : at + found;
}

/* Text between tags: references resolved. */
static void add_references(struct line_builder *b, struct str s)
{
    size_t at = 0;
    while (at < s.len) {
        size_t amp = find_char(s, at, '&');
        line_builder_add(b, str_sub(s, at, amp));
        if (amp == s.len) {
            break;
        }
        char text[8];
        size_t len = 0;
        size_t n = html_reference(s, amp, text, &len);
        if (len == 1 && text[0] == '\r') { /* no newline, unlike one that stands in the page */
            text[0] = ' ';
        }
        line_builder_add(b, n > 0 ? (struct str){text, len} : (struct str){"&", 1});
        at = amp + (n > 0 ? n : 1);
    }
}

/* Where the next visible character may go: white space at the end may still be taken off. */
static size_t visible_end(const struct page *p)
{
    const struct buf *out = p->text.out;
    size_t end = out->len;
    while (end > p->text.start && is_space(out->ptr[end - 1])) {
        end--;
    }
    return end;
}

static void note_text(struct page *p, size_t from)
{
    if (p->opt->structure) {
        html_structure_text(p->opt->structure, p->text.out, from);
    }
}

/* Text of the page. */
static void add_text(struct page *p, struct str s)
{
    size_t from = p->opt->structure ? visible_end(p) : 0;
    add_references(&p->text, s);
    note_text(p, from);
}

/* Behind the comment that opens at `at` with "<!--". */
static size_t skip_comment(struct str s, size_t at)
{
    at += 4;
    if (at < s.len && s.ptr[at] == '>') {
        return at + 1;
    }
    if (at + 1 < s.len && s.ptr[at] == '-' && s.ptr[at + 1] == '>') {
        return at + 2;
    }
    for (;;) {
        size_t dashes = find_text(s, at, "--");
        if (dashes + 2 >= s.len) {
            return s.len;
        }
        at = dashes + 2;
        if (s.ptr[at] == '>') {
            return at + 1;
        }
        if (s.ptr[at] == '!' && at + 1 < s.len && s.ptr[at + 1] == '>') {
            return at + 2;
        }
        at = dashes + 1; /* of three dashes the last two may be the end */
    }
}

static size_t skip_spaces(struct str s, size_t at)
{
    while (at < s.len && is_space(s.ptr[at])) {
        at++;
    }
    return at;
}

/* Behind the value that starts at `at`, quoted or not. */
static size_t skip_attribute_value(struct str s, size_t at)
{
    if (at < s.len && (s.ptr[at] == '"' || s.ptr[at] == '\'')) {
        at = find_char(s, at + 1, s.ptr[at]);
        return at < s.len ? at + 1 : at;
    }
    while (at < s.len && !is_space(s.ptr[at]) && s.ptr[at] != '>') {
        at++;
    }
    return at;
}

/* A value without its quotes. */
static struct str unquoted(struct str s)
{
    bool quoted = s.len > 0 && (s.ptr[0] == '"' || s.ptr[0] == '\'');
    return quoted ? str_sub(s, 1, s.len > 1 && s.ptr[s.len - 1] == s.ptr[0] ? s.len - 1 : s.len)
                  : s;
}

/* Behind the attribute whose name starts at `at`. */
static size_t read_attribute(struct str s, size_t at, struct html_attributes *out)
{
    size_t start = at;
    at++; /* a name may begin with '=' */
    while (at < s.len && !is_space(s.ptr[at]) && s.ptr[at] != '/' && s.ptr[at] != '>' &&
           s.ptr[at] != '=') {
        at++;
    }
    struct str name = str_sub(s, start, at), value = {"", 0};
    at = skip_spaces(s, at);
    if (at < s.len && s.ptr[at] == '=') {
        size_t from = skip_spaces(s, at + 1);
        at = skip_attribute_value(s, from);
        value = str_sub(s, from, at);
    }
    if (out) {
        html_attributes_take(out, name, unquoted(value));
    }
    return at;
}

/* Reads the tag whose name starts at `at`; returns where it ends, past s.len where
 * the page does first (then it is no tag). */
static size_t read_tag(struct str s, size_t at, struct tag_token *tag)
{
    size_t start = at;
    while (at < s.len && !is_space(s.ptr[at]) && s.ptr[at] != '/' && s.ptr[at] != '>') {
        at++;
    }
    tag->name = str_sub(s, start, at);
    tag->self_closing = false;
    while (at < s.len && s.ptr[at] != '>') {
        if (is_space(s.ptr[at]) || s.ptr[at] == '/') {
            tag->self_closing = s.ptr[at] == '/';
            at++;
        } else {
            tag->self_closing = false;
            at = read_attribute(s, at, tag->attributes);
        }
    }
    return at < s.len ? at + 1 : s.len + 1;
}

/* s[at..] starts with "</" or "<" and that name and then no letter of it. */
static bool opens_with(struct str s, size_t at, const char *bracket, struct str name)
{
    size_t n = strlen(bracket);
    if (s.len - at <= n + name.len || memcmp(s.ptr + at, bracket, n) != 0 ||
        strncasecmp(s.ptr + at + n, name.ptr, name.len) != 0) {
        return false;
    }
    char c = s.ptr[at + n + name.len];
    return is_space(c) || c == '/' || c == '>';
}

/* Where the end tag of an element without markup inside stands, or s.len. */
static size_t find_end_tag(struct str s, size_t at, struct str name)
{
    for (;;) {
        at = find_char(s, at, '<');
        if (at == s.len || opens_with(s, at, "</", name)) {
            return at;
        }
        at++;
    }
}

/* The same for scripts: between "<!--" and "-->" a script element written by the
 * script does not end it. */
static size_t find_script_end(struct str s, size_t at)
{
    static const struct str SCRIPT = {"script", 6};
    bool escaped = false, doubly = false;
    for (; at < s.len; at++) {
        if (!escaped) {
            at = find_char(s, at, '<');
            if (at == s.len || opens_with(s, at, "</", SCRIPT)) {
                return at;
            }
            if (s.len - at >= 4 && memcmp(s.ptr + at, "<!--", 4) == 0) {
                escaped = true;
                at += 1; /* "<!-->" opens and closes */
            }
            continue;
        }
        if (s.ptr[at] == '-' && s.len - at >= 3 && memcmp(s.ptr + at, "-->", 3) == 0) {
            escaped = doubly = false;
        } else if (s.ptr[at] == '<' && opens_with(s, at, "</", SCRIPT)) {
            if (!doubly) {
                return at;
            }
            doubly = false;
        } else if (s.ptr[at] == '<' && opens_with(s, at, "<", SCRIPT)) {
            doubly = true;
        }
    }
    return s.len;
}

/* Passes over the content of an element that holds no markup. */
static void pass_raw(struct page *p, struct str name, unsigned classes)
{
    size_t end;
    if (is_name(name, "script")) {
        end = find_script_end(p->s, p->at);
    } else if (p->title_open && (classes & TAG_TITLE)) {
        return;
    } else {
        end = find_end_tag(p->s, p->at, name);
    }
    if (classes & TAG_TITLE) {
        if (end == p->s.len) { /* never closed: only the tag is dropped, not the page */
            p->title_open = true;
            return;
        }
        if (!p->has_title) {
            add_references(&p->title, str_sub(p->s, p->at, end));
            p->has_title = true;
        }
    }
    p->at = end;
}

/* A tag inside a hidden element: only what may end it counts. */
static void hidden_tag(struct page *p, const struct tag_token *tag, unsigned classes)
{
    bool drawing = is_name(p->skipping, "svg");
    if (same_name(tag->name, p->skipping)) {
        if (tag->closing) {
            p->skip_depth--;
        } else if (!tag->self_closing || !drawing) {
            p->skip_depth++;
        }
    } else if (drawing && is_name(tag->name, "foreignObject") && !tag->self_closing) {
        if (!tag->closing) {
            p->foreign_object++;
        } else if (p->foreign_object > 0) {
            p->foreign_object--;
        }
    } else if (drawing && (classes & TAG_BREAKOUT) && !tag->closing && p->foreign_object == 0) {
        p->skip_depth = 0;
    } else if (!drawing && !tag->closing && (classes & (TAG_RAW | TAG_TITLE))) {
        bool had = p->has_title;
        p->has_title = true;
        pass_raw(p, tag->name, classes);
        p->has_title = had;
    }
    if (p->skip_depth == 0) {
        p->skipping.len = 0;
        p->foreign_object = 0;
    }
}

/* Elements that hold something to read. */
static void note_tag(struct page *p, const struct tag_token *tag, unsigned classes)
{
    struct html_structure *s = p->opt->structure;
    if (!s || (classes & (TAG_RAW | TAG_TITLE | TAG_SKIP))) {
        return;
    }
    if (tag->closing) {
        html_structure_close(s, tag->name, tag->tag);
        return;
    }
    html_structure_open(s, tag->name, tag->tag, tag->attributes);
    if (tag->self_closing && p->opt->xml) {
        html_structure_close(s, tag->name, tag->tag);
    }
}

static void visible_tag(struct page *p, const struct tag_token *tag, unsigned classes)
{
    note_tag(p, tag, classes);
    if (classes & TAG_BLOCK) {
        line_builder_gap(&p->text, GAP_LINE);
    }
    if (classes & TAG_CELL) {
        line_builder_gap(&p->text, p->opt->rows ? GAP_CELL : GAP_LINE);
    }
    if (classes & TAG_PRE) {
        if (!tag->closing) {
            p->pre++;
        } else if (p->pre > 0) {
            p->pre--;
        }
        p->text.pre = p->pre > 0;
    }
    if ((classes & TAG_SKIP) && !tag->closing &&
        !(tag->self_closing && is_name(tag->name, "svg"))) {
        p->skipping = tag->name;
        p->skip_depth = 1;
    }
    if ((classes & (TAG_RAW | TAG_TITLE)) && !tag->closing) {
        pass_raw(p, tag->name, classes);
    }
}

/* A tag, whose name starts at `name`. */
static void take_tag(struct page *p, size_t name, bool closing)
{
    struct html_attributes attributes = {0};
    struct tag_token tag = {.closing = closing};
    tag.attributes = p->opt->structure && !closing ? &attributes : NULL;
    p->at = read_tag(p->s, name, &tag);
    if (p->at > p->s.len) { /* the page ends inside */
        p->at = p->s.len;
        return;
    }
    tag.tag = html_tag_find(tag.name);
    unsigned classes = tag.tag ? tag.tag->classes : 0;
    bool empty = p->opt->xml && tag.self_closing && !closing; /* opened and closed */
    classes &= empty ? (unsigned)(TAG_BLOCK | TAG_CELL | TAG_BREAKOUT) : classes;
    if ((classes & TAG_RAW) && is_name(tag.name, "noscript")) {
        p->saw_noscript = true;
        classes = p->show_noscript ? TAG_BLOCK : classes;
    }
    if (p->skipping.len > 0 && !(empty && same_name(tag.name, p->skipping))) {
        hidden_tag(p, &tag, classes);
    }
    if (p->skipping.len == 0 && !((classes & TAG_SKIP) && closing)) {
        visible_tag(p, &tag, classes);
    }
}

/* What stands at '<': a tag, a comment, something like one, or just a '<'. */
static void markup(struct page *p)
{
    struct str s = p->s;
    size_t at = p->at;
    char next = at + 1 < s.len ? s.ptr[at + 1] : ' ';
    bool closing = next == '/';
    if (next == '!' && s.len - at >= 4 && memcmp(s.ptr + at, "<!--", 4) == 0) {
        p->at = skip_comment(s, at);
        return;
    }
    size_t name = at + (closing ? 2 : 1);
    if (name < s.len && is_letter(s.ptr[name])) {
        take_tag(p, name, closing);
        return;
    }
    if (next == '!' || next == '?' || (closing && name < s.len)) {
        size_t end = find_char(s, at, '>');
        p->at = end < s.len ? end + 1 : s.len;
        return;
    }
    if (p->skipping.len == 0) {
        add_text(p, STR_LIT("<"));
    }
    p->at++;
}

/* Text that a CDATA section of XML holds, which nothing in it ends but "]]>". */
static bool cdata(struct page *p)
{
    static const struct str OPEN = {"<![CDATA[", 9};
    if (!p->opt->xml || !str_starts(str_sub(p->s, p->at, p->s.len), OPEN)) {
        return false;
    }
    size_t from = p->at + OPEN.len, end = find_text(p->s, from, "]]>");
    if (p->skipping.len == 0) {
        size_t start = p->opt->structure ? visible_end(p) : 0;
        line_builder_add(&p->text, str_sub(p->s, from, end));
        note_text(p, start);
    }
    p->at = end < p->s.len ? end + 3 : end;
    return true;
}

static void read_page(struct page *p)
{
    if (p->opt->structure) {
        html_structure_start(p->opt->structure, p->text.start);
    }
    while (p->at < p->s.len) {
        size_t tag = find_char(p->s, p->at, '<');
        if (p->skipping.len == 0) {
            add_text(p, str_sub(p->s, p->at, tag));
        }
        p->at = tag;
        if (tag < p->s.len && !cdata(p)) {
            markup(p);
        }
    }
    line_builder_end(&p->text);
}

void html_lines(struct str html, const struct html_options *opt, struct buf *text,
                struct buf *title)
{
    struct page p = {
        .s = html,
        .opt = opt,
        .text = {.out = text, .start = text->len},
        .title = {.out = title, .start = title->len},
    };
    read_page(&p);
    if (p.saw_noscript && text->len - p.text.start < NOSCRIPT_BELOW) {
        text->len = p.text.start;
        title->len = p.title.start;
        p = (struct page){.s = html,
                          .opt = opt,
                          .text = {.out = text, .start = text->len},
                          .title = {.out = title, .start = title->len},
                          .show_noscript = true};
        read_page(&p);
    }
}
