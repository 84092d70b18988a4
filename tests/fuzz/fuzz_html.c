/* Any bytes as a page: charset found, converted to UTF-8, lines taken; then as
 * Markdown.  What holds: the result is UTF-8, without control characters, blank
 * ends, or more bytes than a reference can add. */
#include "base/utf8.h"
#include "pages/charset.h"
#include "pages/html.h"
#include "pages/plain_text.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct str text, struct str from)
{
    assert(utf8_valid_until(text) == text.len);
    assert(text.len <= 3 * from.len + 8);
    assert(text.len == 0 || (text.ptr[text.len - 1] != '\n' && text.ptr[text.len - 1] != ' '));
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        assert((c >= ' ' || c == '\n' || c == '\t') && c != 0x7F);
    }
}

static bool is_same(const struct page_structure *a, const struct page_structure *b)
{
    bool same = a->line_count == b->line_count && a->node_count == b->node_count;
    for (size_t i = 0; same && i < a->line_count; i++) {
        const struct structure_line *x = &a->lines[i], *y = &b->lines[i];
        same = x->start == y->start && x->end == y->end && x->node == y->node &&
               x->link == y->link && x->bold == y->bold && x->hidden == y->hidden;
    }
    for (size_t i = 0; same && i < a->node_count; i++) {
        const struct structure_node *x = &a->nodes[i], *y = &b->nodes[i];
        same = x->parent == y->parent && x->kind == y->kind && x->index == y->index;
    }
    return same;
}

/* The same lines come out, there is a row for each that spans it, and what is written is read
 * again. */
static void check_structure(struct str utf8, bool rows, struct str lines)
{
    struct html_structure *taken = html_structure_new();
    struct html_options opt = {.rows = rows, .structure = taken};
    struct buf text = {0}, title = {0}, json = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    struct winnow_error err;
    struct page_structure s, again;
    struct arena keep;
    const char *reason = NULL;
    arena_init(&keep, 4096);
    html_lines(utf8, &opt, &text, &title);
    assert(str_eq(buf_str(&text), lines));
    assert(html_structure_end(taken, lines, &keep, &s));
    structure_sum(&s, lines, &keep);
    structure_write(&s, lines, &keep, &json);
    assert(json_parse(parser, buf_str(&json), &root, &err) == WINNOW_OK);
    assert(structure_read(root, lines, &keep, &again, &reason));
    assert(is_same(&s, &again));
    html_structure_free(taken);
    json_parser_free(parser);
    arena_release(&keep);
    buf_release(&text);
    buf_release(&title);
    buf_release(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct charset *charset = charset_new();
    struct buf text = {0}, title = {0};
    struct html_options opt = {.rows = size % 2 == 0};
    struct charset_page page = {{(const char *)data, size}, {NULL, 0}, true};
    const char *name = NULL;
    struct str utf8;
    if (!charset_to_utf8(charset, &page, &utf8, &name)) {
        charset_free(charset);
        return 0;
    }
    assert(utf8_valid_until(utf8) == utf8.len);
    html_lines(utf8, &opt, &text, &title);
    check(buf_str(&text), utf8);
    check_structure(utf8, opt.rows, buf_str(&text));
    buf_clear(&text);
    buf_clear(&title);
    markdown_lines(utf8, &text, &title);
    check(buf_str(&text), utf8);
    buf_release(&text);
    buf_release(&title);
    charset_free(charset);
    return 0;
}
