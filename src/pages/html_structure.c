/* html_structure.c -- a stack of open elements, and runs of text.
 *
 * Tags push and pop; of the standard's rules for tags that are left out those are
 * kept that decide where lines stand: a block ends an open <p>, an item, term,
 * cell or row the one before it, an end tag nothing outside of its table cell.  An end
 * tag of words with a block open within (</b> in <b><div></b>) closes nothing, but ends
 * the link or the bold.
 *
 * An element becomes a node when the first line begins in it: most elements of a page hold
 * none.  Text is noted as runs {bytes, link, bold, hidden}; once the page is read, lines and runs
 * are walked side by side (html_structure_rows.c).  White space may still be taken off the text
 * behind a run, so runs begin and end at visible characters, which stay where they are. */
#include "pages/html_structure.h"

#include "base/mem.h"
#include "pages/html_structure_internal.h"

#include <strings.h>

#define CLASS_BYTES 200U /* of the attribute are read */
#define ID_BYTES    100U
#define STYLE_BYTES 400U
#define RUNS_MAX    (2U * STRUCTURE_LINES_MAX)

struct html_structure *html_structure_new(void)
{
    return mem_zalloc(sizeof(struct html_structure));
}

void html_structure_free(struct html_structure *s)
{
    if (s) {
        mem_free(s->nodes);
        mem_free(s->runs);
        mem_free(s);
    }
}

static uint32_t add_node(struct html_structure *s, const struct open_element *e, uint32_t parent)
{
    if (s->node_count == s->node_cap) {
        size_t cap = s->node_cap == 0 ? 256 : 2 * s->node_cap;
        s->nodes = mem_realloc(s->nodes, s->node_cap * sizeof *s->nodes, cap * sizeof *s->nodes);
        s->node_cap = cap;
    }
    const struct html_attributes *a = &e->attributes;
    s->nodes[s->node_count] =
        (struct raw_node){e->name, a->class_names, a->id, a->role, parent, e->index};
    return (uint32_t)s->node_count++;
}

void html_structure_start(struct html_structure *s, size_t start)
{
    s->depth = s->too_deep = 0;
    s->links = s->bolds = s->hiddens = 0;
    s->node_count = s->run_count = 0;
    s->full = false;
    s->start = start;
    s->stack[0] = (struct open_element){.name = STR_LIT("html")};
    s->stack[0].node = add_node(s, &s->stack[0], 0);
}

/* ---- attributes ---- */

static bool is_name(struct str a, const char *b)
{
    return a.len == strlen(b) && strncasecmp(a.ptr, b, a.len) == 0;
}

/* Most attributes (href, src, data-...) say nothing of a page's parts: their first letter and
 * length tell. */
static bool may_say_something(struct str name)
{
    switch (name.ptr[0] | 0x20) {
    case 'a':
        return name.len == strlen("aria-hidden");
    case 'c':
    case 's':
        return name.len == strlen("class"); /* as "style" */
    case 'h':
        return name.len == strlen("hidden");
    case 'i':
        return name.len == strlen("id");
    case 'r':
        return name.len == strlen("role");
    default:
        return false;
    }
}

void html_attributes_take(struct html_attributes *a, struct str name, struct str value)
{
    if (!may_say_something(name)) {
        return;
    }
    const struct {
        const char *name;
        struct str *to;
        size_t most;
    } kept[] = {{"class", &a->class_names, CLASS_BYTES},
                {"id", &a->id, ID_BYTES},
                {"role", &a->role, STRUCTURE_TAG_BYTES},
                {"style", &a->style, STYLE_BYTES}};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (is_name(name, kept[i].name)) {
            bool first = !kept[i].to->ptr;
            *kept[i].to =
                first ? str_sub(value, 0, value.len < kept[i].most ? value.len : kept[i].most)
                      : *kept[i].to;
            return;
        }
    }
    a->hidden = a->hidden || is_name(name, "hidden") ||
                (is_name(name, "aria-hidden") && is_name(value, "true"));
}

/* s[at..] behind white space starts with word, in any case. */
static bool continues_with(struct str s, size_t at, const char *word)
{
    while (at < s.len && (s.ptr[at] == ' ' || s.ptr[at] == '\n' || s.ptr[at] == '\t')) {
        at++;
    }
    size_t n = strlen(word);
    return s.len - at >= n && strncasecmp(s.ptr + at, word, n) == 0;
}

/* `display: none` or `visibility: hidden` in a style. */
static bool style_hides(struct str style)
{
    for (size_t at = 0; at < style.len; at++) {
        if (style.ptr[at] != ':') {
            continue;
        }
        size_t end = at;
        while (end > 0 && style.ptr[end - 1] == ' ') {
            end--;
        }
        struct str before = str_sub(style, 0, end);
        bool display = before.len >= 7 && is_name(str_sub(before, end - 7, end), "display");
        bool visible = before.len >= 10 && is_name(str_sub(before, end - 10, end), "visibility");
        if ((display && continues_with(style, at + 1, "none")) ||
            (visible && continues_with(style, at + 1, "hidden"))) {
            return true;
        }
    }
    return false;
}

/* ---- the stack ---- */

static unsigned classes_of(const struct open_element *e)
{
    return e->tag ? e->tag->classes : 0;
}

static void unmark(struct html_structure *s, struct open_element *e)
{
    s->links -= e->link;
    s->bolds -= e->bold;
    e->link = e->bold = false;
}

/* Closes all from the one at `depth` on. */
static void pop_from(struct html_structure *s, size_t depth)
{
    while (s->depth >= depth) {
        struct open_element *e = &s->stack[s->depth--];
        unmark(s, e);
        s->hiddens -= e->hidden;
    }
}

/* The innermost open element of the kind that nothing of `stops` shields; 0: none. */
static size_t find_kind(const struct html_structure *s, enum html_tag_kind kind, unsigned stops)
{
    for (size_t at = s->depth; at > 0; at--) {
        const struct html_tag *tag = s->stack[at].tag;
        if (tag && tag->kind == kind) {
            return at;
        }
        if (tag && (tag->classes & stops)) {
            break;
        }
    }
    return 0;
}

/* A part of a table; cells and rows end at their table. */
static size_t find_table_part(const struct html_structure *s, enum html_tag_kind kind)
{
    for (size_t at = s->depth; at > 0; at--) {
        const struct html_tag *tag = s->stack[at].tag;
        if (tag && tag->kind == kind) {
            return at;
        }
        if (tag && (tag->classes & TAG_SCOPE) && tag->kind == HTML_PLAIN) {
            break;
        }
    }
    return 0;
}

static void close_at(struct html_structure *s, size_t at)
{
    if (at > 0) {
        pop_from(s, at);
    }
}

/* What a start tag closes by itself. */
static void close_implied(struct html_structure *s, const struct html_tag *tag)
{
    switch (tag->kind) {
    case HTML_ITEM:
        close_at(s, find_kind(s, HTML_ITEM, TAG_LIST | TAG_SCOPE));
        break;
    case HTML_TERM:
        close_at(s, find_kind(s, HTML_TERM, TAG_LIST | TAG_SCOPE));
        break;
    case HTML_OPTION:
        if (s->stack[s->depth].tag && s->stack[s->depth].tag->kind == HTML_OPTION) {
            pop_from(s, s->depth);
        }
        return;
    case HTML_CELL:
        close_at(s, find_table_part(s, HTML_CELL));
        return;
    case HTML_ROW:
        close_at(s, find_table_part(s, HTML_ROW));
        return;
    case HTML_ROWS:
        close_at(s, find_table_part(s, HTML_ROWS));
        return;
    default:
        break;
    }
    if ((tag->classes & TAG_BLOCK) && !(tag->classes & TAG_SCOPE)) {
        close_at(s, find_kind(s, HTML_P, TAG_SCOPE));
    }
}

/* The innermost open element of that name; *blocks: whether others than words lie within. */
static size_t find_name(const struct html_structure *s, struct str name, const struct html_tag *tag,
                        bool *blocks)
{
    bool table = tag && ((tag->classes & TAG_SCOPE) || tag->kind >= HTML_CELL);
    *blocks = false;
    for (size_t at = s->depth; at > 0; at--) {
        const struct open_element *e = &s->stack[at];
        if (tag ? e->tag == tag
                : !e->tag && e->name.len == name.len &&
                      strncasecmp(e->name.ptr, name.ptr, name.len) == 0) {
            return at;
        }
        unsigned classes = classes_of(e);
        if ((classes & TAG_SCOPE) && (!table || e->tag->kind == HTML_PLAIN)) {
            break;
        }
        *blocks = *blocks || !(classes & TAG_WORDS);
    }
    return 0;
}

/* A link within a link ends the first. */
static void end_link(struct html_structure *s, const struct html_tag *tag)
{
    bool blocks = false;
    size_t at = find_name(s, STR_LIT("a"), tag, &blocks);
    if (at > 0 && !blocks) {
        pop_from(s, at);
    } else if (at > 0) {
        unmark(s, &s->stack[at]);
    }
}

/* html, head, body: the first attributes that say something are the page's. */
static void open_root(struct html_structure *s, const struct html_attributes *a)
{
    struct raw_node *root = &s->nodes[0];
    root->class_names = root->class_names.len > 0 ? root->class_names : a->class_names;
    root->id = root->id.len > 0 ? root->id : a->id;
    root->role = root->role.len > 0 ? root->role : a->role;
}

void html_structure_open(struct html_structure *s, struct str name, const struct html_tag *tag,
                         const struct html_attributes *a)
{
    unsigned classes = tag ? tag->classes : 0;
    if (classes & TAG_ROOT) {
        open_root(s, a);
        return;
    }
    if (tag) {
        close_implied(s, tag);
    }
    if (s->links > 0 && (classes & TAG_LINK)) {
        end_link(s, tag);
    }
    uint32_t index = s->stack[s->depth].children++;
    if (classes & TAG_VOID) {
        return;
    }
    if (s->depth == STRUCTURE_DEPTH_MAX || s->too_deep > 0) {
        s->too_deep++;
        return;
    }
    struct open_element *e = &s->stack[++s->depth];
    *e = (struct open_element){.tag = tag,
                               .name = name,
                               .attributes = *a,
                               .node = STRUCTURE_NONE,
                               .index = index,
                               .link = (classes & TAG_LINK) != 0,
                               .bold = (classes & TAG_BOLD) != 0,
                               .hidden = a->hidden || (a->style.len > 0 && style_hides(a->style))};
    s->links += e->link;
    s->bolds += e->bold;
    s->hiddens += e->hidden;
}

void html_structure_close(struct html_structure *s, struct str name, const struct html_tag *tag)
{
    unsigned classes = tag ? tag->classes : 0;
    if (classes & (TAG_ROOT | TAG_VOID)) {
        return;
    }
    if (s->too_deep > 0) {
        s->too_deep--;
        return;
    }
    bool blocks = false;
    size_t at = find_name(s, name, tag, &blocks);
    if (at == 0) {
        return;
    }
    if (blocks && (classes & TAG_WORDS)) {
        unmark(s, &s->stack[at]);
        return;
    }
    pop_from(s, at);
}

/* ---- text ---- */

/* The node of the innermost open element, made where there is none yet. */
static uint32_t node_of(struct html_structure *s)
{
    size_t at = s->depth;
    while (s->stack[at].node == STRUCTURE_NONE) {
        at--;
    }
    for (; at < s->depth && s->node_count < STRUCTURE_NODES_MAX; at++) {
        s->stack[at + 1].node = add_node(s, &s->stack[at + 1], s->stack[at].node);
    }
    return s->stack[at].node;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t';
}

void html_structure_text(struct html_structure *s, const struct buf *out, size_t from)
{
    size_t to = out->len;
    while (from < to && is_blank(out->ptr[from])) {
        from++;
    }
    while (to > from && is_blank(out->ptr[to - 1])) {
        to--;
    }
    if (from == to) {
        return;
    }
    size_t before = from;
    while (before > s->start && (out->ptr[before - 1] == ' ' || out->ptr[before - 1] == '\t')) {
        before--;
    }
    bool begins = before == s->start || out->ptr[before - 1] == '\n';
    struct text_run run = {from, to, STRUCTURE_NONE, s->links > 0, s->bolds > 0, s->hiddens > 0};
    if (begins || memchr(out->ptr + from, '\n', to - from)) {
        run.node = node_of(s);
    } else if (s->run_count > 0) {
        struct text_run *last = &s->runs[s->run_count - 1];
        if (last->link == run.link && last->bold == run.bold && last->hidden == run.hidden) {
            last->to = to;
            return;
        }
    }
    if (s->run_count == RUNS_MAX) {
        s->full = true;
        return;
    }
    if (s->run_count == s->run_cap) {
        size_t cap = s->run_cap == 0 ? 256 : 2 * s->run_cap;
        s->runs = mem_realloc(s->runs, s->run_cap * sizeof *s->runs, cap * sizeof *s->runs);
        s->run_cap = cap;
    }
    s->runs[s->run_count++] = run;
}
