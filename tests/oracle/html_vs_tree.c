/* html_vs_tree.c -- the lines of html.c against those of a tree that gumbo built
 * by the HTML standard, over a folder of pages.
 *
 *     html_vs_tree [--write] FILE...
 *
 * prints how many lines agree (as bags, white space aside) and fails below 98 %;
 * --write leaves both beside each page (FILE.ours, FILE.tree).
 */
#include "base/file.h"
#include "base/map.h"
#include "pages/charset.h"
#include "pages/html.h"
#include "pages/html_internal.h"
#include "pages/line_builder.h"

#include <gumbo.h>
#include <stdio.h>

static bool is_hidden(const GumboNode *n)
{
    if (n->v.element.tag_namespace == GUMBO_NAMESPACE_SVG) {
        return true;
    }
    switch (n->v.element.tag) {
    case GUMBO_TAG_SCRIPT:
    case GUMBO_TAG_STYLE:
    case GUMBO_TAG_TITLE:
    case GUMBO_TAG_NOSCRIPT:
    case GUMBO_TAG_TEXTAREA:
    case GUMBO_TAG_IFRAME:
    case GUMBO_TAG_NOEMBED:
    case GUMBO_TAG_NOFRAMES:
    case GUMBO_TAG_TEMPLATE:
        return true;
    default:
        return false;
    }
}

static bool has_children(const GumboNode *n)
{
    return n->type == GUMBO_NODE_ELEMENT || n->type == GUMBO_NODE_DOCUMENT;
}

static const GumboVector *children(const GumboNode *n)
{
    return n->type == GUMBO_NODE_DOCUMENT ? &n->v.document.children : &n->v.element.children;
}

/* What the tag of an element means for lines, on entering and on leaving it. */
static void edge(const GumboNode *n, struct line_builder *b, size_t *pre, bool entering)
{
    if (n->type != GUMBO_NODE_ELEMENT) {
        return;
    }
    struct str name = str_of(gumbo_normalized_tagname(n->v.element.tag));
    const struct html_tag *tag = html_tag_find(name);
    unsigned classes = tag ? tag->classes : 0;
    if (classes & (TAG_BLOCK | TAG_CELL)) {
        line_builder_gap(b, GAP_LINE);
    }
    if (classes & TAG_PRE) {
        *pre = entering ? *pre + 1 : *pre - 1;
        b->pre = *pre > 0;
    }
}

/* Depth first, by way of parents: real pages nest deep. */
static void tree_lines(const GumboNode *root, struct buf *text)
{
    struct line_builder b = {.out = text, .start = text->len};
    const GumboNode *n = root;
    size_t pre = 0;
    bool down = true;
    for (;;) {
        if (down && has_children(n) && !(n->type == GUMBO_NODE_ELEMENT && is_hidden(n))) {
            edge(n, &b, &pre, true);
            if (children(n)->length > 0) {
                n = children(n)->data[0];
                continue;
            }
            edge(n, &b, &pre, false);
        } else if (down && !has_children(n) && n->type != GUMBO_NODE_COMMENT &&
                   n->type != GUMBO_NODE_TEMPLATE) {
            line_builder_add(&b, str_of(n->v.text.text));
        }
        if (n == root) {
            break;
        }
        const GumboNode *parent = n->parent;
        down = n->index_within_parent + 1 < children(parent)->length;
        n = down ? children(parent)->data[n->index_within_parent + 1] : parent;
        if (!down) {
            edge(n, &b, &pre, false);
        }
    }
    line_builder_end(&b);
}

static void add_lines(struct map *bag, struct str text)
{
    struct buf squeezed = {0};
    struct str line;
    while (str_next_line(&text, &line)) {
        buf_clear(&squeezed);
        for (size_t i = 0; i < line.len; i++) {
            if (line.ptr[i] != ' ' && line.ptr[i] != '\t') {
                buf_add_char(&squeezed, line.ptr[i]);
            }
        }
        if (squeezed.len > 0) {
            (*map_put(bag, buf_str(&squeezed), NULL))++;
        }
    }
    buf_release(&squeezed);
}

struct agreement {
    uint64_t ours, tree, both;
};

static void compare(struct str ours, struct str tree, struct agreement *sum)
{
    struct map a = {0}, b = {0};
    add_lines(&a, ours);
    add_lines(&b, tree);
    for (size_t i = 0; i < a.count; i++) {
        const uint64_t *n = map_get(&b, a.entries[i].key);
        uint64_t other = n ? *n : 0;
        sum->ours += a.entries[i].value;
        sum->both += a.entries[i].value < other ? a.entries[i].value : other;
    }
    for (size_t i = 0; i < b.count; i++) {
        sum->tree += b.entries[i].value;
    }
    map_release(&a);
    map_release(&b);
}

static winnow_status write_beside(const char *path, const char *ending, struct str text,
                                  struct winnow_error *err)
{
    struct buf name = {0};
    buf_addf(&name, "%s%s", path, ending);
    winnow_status st = file_write_atomic(buf_cstr(&name), text, err);
    buf_release(&name);
    return st;
}

static winnow_status judge(const char *path, struct charset *charset, bool keep,
                           struct agreement *sum, struct winnow_error *err)
{
    struct buf file = {0}, ours = {0}, tree = {0}, title = {0};
    winnow_status st = file_read(path, (size_t)1 << 30, &file, err);
    if (st == WINNOW_OK) {
        const char *name = NULL;
        struct charset_page page = {buf_str(&file), {NULL, 0}, true};
        struct str utf8;
        (void)charset_to_utf8(charset, &page, &utf8, &name);
        struct html_options opt = {0};
        html_lines(utf8, &opt, &ours, &title);
        GumboOptions how = kGumboDefaultOptions;
        GumboOutput *out = gumbo_parse_with_options(&how, utf8.ptr, utf8.len);
        tree_lines(out->document, &tree);
        gumbo_destroy_output(&how, out);
        compare(buf_str(&ours), buf_str(&tree), sum);
    }
    if (st == WINNOW_OK && keep) {
        st = write_beside(path, ".ours", buf_str(&ours), err);
        st = st == WINNOW_OK ? write_beside(path, ".tree", buf_str(&tree), err) : st;
    }
    buf_release(&file);
    buf_release(&ours);
    buf_release(&tree);
    buf_release(&title);
    return st;
}

int main(int argc, char **argv)
{
    struct winnow_error err;
    struct agreement sum = {0, 0, 0};
    bool keep = argc > 1 && strcmp(argv[1], "--write") == 0;
    struct charset *charset = charset_new();
    for (int i = keep ? 2 : 1; i < argc; i++) {
        if (judge(argv[i], charset, keep, &sum, &err) != WINNOW_OK) {
            (void)fprintf(stderr, "%s\n", err.text);
            return 1;
        }
    }
    charset_free(charset);
    if (sum.ours == 0 || sum.tree == 0) {
        (void)puts("no pages");
        return 1;
    }
    double f1 = 2.0 * (double)sum.both / (double)(sum.ours + sum.tree);
    (void)printf("%d pages: %llu lines here, %llu in the tree, F1 %.4f\n", argc - 1 - keep,
                 (unsigned long long)sum.ours, (unsigned long long)sum.tree, f1);
    return f1 < 0.98;
}
