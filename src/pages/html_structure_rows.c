/* html_structure_rows.c -- rows of a page's lines, elements and kinds, once it is read.
 *
 * Names of classes are cut into words here, and once a kind: a page has far more elements
 * than kinds of them. */
#include "base/hash.h"
#include "base/utf8.h"
#include "pages/html_structure.h"
#include "pages/html_structure_internal.h"

/* Where words are written, one blank between two. */
struct word_out {
    char *at, *start;
};

static char word_kind(unsigned char c)
{
    if (c >= 'a' && c <= 'z') {
        return 'a';
    }
    if (c >= 'A' && c <= 'Z') {
        return 'A';
    }
    if (c >= '0' && c <= '9') {
        return '0';
    }
    return c >= 0x80 ? 'x' : 0;
}

/* Words of names in camelCase, kebab-case and snake_case: "postBody-12" is "post body 0". */
static void add_words(struct word_out *o, struct str s)
{
    char before = 0;
    for (size_t i = 0; i < s.len; i++) {
        char kind = word_kind((unsigned char)s.ptr[i]);
        bool follows = kind == before || (before == 'A' && kind != '0') ||
                       (before == 'a' && kind == 'x') || (before == 'x' && kind == 'a');
        if (kind == 'A' && before == 'A' && i + 1 < s.len &&
            word_kind((unsigned char)s.ptr[i + 1]) == 'a') {
            follows = false; /* of "HTMLText" the T belongs to what comes */
        }
        if (kind != 0 && !follows && o->at > o->start) {
            *o->at++ = ' ';
        }
        if (kind != 0 && !(kind == '0' && follows)) {
            *o->at++ = kind == 'A' ? (char)(s.ptr[i] | 0x20) : kind == '0' ? '0' : s.ptr[i];
        }
        before = kind;
    }
}

static struct str whole_letters(struct str s)
{
    return str_sub(s, 0, utf8_valid_until(s));
}

static struct str make_words(const struct raw_node *n, struct arena *keep)
{
    struct str names = whole_letters(n->class_names), id = whole_letters(n->id);
    if (names.len + id.len == 0) {
        return STR_LIT("");
    }
    struct word_out o;
    o.start = o.at = arena_alloc(keep, 2 * (names.len + id.len) + 4, 1);
    add_words(&o, names);
    if (id.len > 0) {
        if (o.at > o.start) {
            *o.at++ = ' ';
        }
        *o.at++ = '#';
        add_words(&o, id);
    }
    return (struct str){o.start, (size_t)(o.at - o.start)};
}

/* The name in lower case, what is odd in one as '_'; of a role the first word. */
static struct str make_name(struct str s, bool role, struct arena *keep)
{
    size_t n = s.len < STRUCTURE_TAG_BYTES ? s.len : STRUCTURE_TAG_BYTES;
    char *out = arena_alloc(keep, n + 1, 1);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        char kind = word_kind(c);
        if (role && kind == 0 && c != '-') {
            n = i;
            break;
        }
        bool plain = (kind != 0 && kind != 'x') || c == '-' || c == ':';
        out[i] = kind == 'A' ? (char)(c | 0x20) : plain ? (char)c : '_';
    }
    return (struct str){out, n};
}

static bool same_kind(const struct raw_node *a, const struct raw_node *b)
{
    return str_eq(a->name, b->name) && str_eq(a->class_names, b->class_names) &&
           str_eq(a->id, b->id) && str_eq(a->role, b->role);
}

static uint64_t hash_kind(const struct raw_node *n)
{
    uint64_t h = hash64(n->name, 0);
    h = n->class_names.len > 0 ? hash64(n->class_names, h) : h;
    h = n->id.len > 0 ? hash64(n->id, ~h) : h;
    return n->role.len > 0 ? hash64(n->role, h + 1) : h;
}

/* Kinds in the order of their first node; found again by a table of open addressing. */
static void make_nodes(const struct html_structure *s, struct arena *keep,
                       struct page_structure *out)
{
    size_t size = 64;
    while (size < 2 * s->node_count) {
        size *= 2;
    }
    uint32_t *slots = ARENA_NEW(keep, uint32_t, size); /* the first node of a kind, + 1 */
    out->node_count = s->node_count;
    out->nodes = ARENA_NEW(keep, struct structure_node, s->node_count);
    out->kinds = ARENA_NEW(keep, struct structure_kind, s->node_count);
    for (size_t i = 0; i < s->node_count; i++) {
        const struct raw_node *n = &s->nodes[i];
        size_t at = hash_kind(n) & (size - 1);
        while (slots[at] > 0 && !same_kind(&s->nodes[slots[at] - 1], n)) {
            at = (at + 1) & (size - 1);
        }
        out->nodes[i] = (struct structure_node){.parent = n->parent, .index = n->index};
        if (slots[at] > 0) {
            out->nodes[i].kind = out->nodes[slots[at] - 1].kind;
            continue;
        }
        slots[at] = (uint32_t)i + 1;
        out->nodes[i].kind = (uint32_t)out->kind_count;
        out->kinds[out->kind_count++] =
            (struct structure_kind){.tag = make_name(n->name, false, keep),
                                    .words = make_words(n, keep),
                                    .role = make_name(n->role, true, keep)};
    }
}

/* Code points of the part of a run that lies in a line. */
static uint32_t overlap(const struct text_run *run, struct str text, size_t from, size_t to)
{
    from = run->from > from ? run->from : from;
    to = run->to < to ? run->to : to;
    return from < to ? (uint32_t)utf8_count(str_sub(text, from, to)) : 0;
}

/* What the runs from number `run` on say of the line at..end; *node: of the line before, then its
 * own. */
static void add_runs(const struct html_structure *s, size_t run, struct str text, size_t at,
                     size_t end, struct structure_line *l, uint32_t *node)
{
    bool first = true;
    for (size_t k = run; k < s->run_count && s->runs[k].from < end; k++) {
        const struct text_run *r = &s->runs[k];
        if (first) {
            *node = r->node != STRUCTURE_NONE ? r->node : *node;
            l->hidden = r->hidden;
            first = false;
        }
        uint32_t n = r->link || r->bold ? overlap(r, text, at, end) : 0;
        l->link += r->link ? n : 0;
        l->bold += r->bold ? n : 0;
    }
}

static void make_lines(const struct html_structure *s, struct str text, struct page_structure *out)
{
    size_t at = 0, run = 0;
    uint32_t chars = 0, node = 0;
    for (size_t i = 0; i < out->line_count; i++) {
        const char *nl = at < text.len ? memchr(text.ptr + at, '\n', text.len - at) : NULL;
        size_t end = nl ? (size_t)(nl - text.ptr) : text.len;
        struct structure_line *l = &out->lines[i];
        l->start = chars;
        l->end = chars + (uint32_t)utf8_count(str_sub(text, at, end));
        while (run < s->run_count && s->runs[run].to <= at) {
            run++;
        }
        add_runs(s, run, text, at, end, l, &node);
        l->node = node; /* of a blank line in <pre> that of the one before */
        chars = l->end + 1;
        at = end + 1;
    }
}

bool html_structure_end(struct html_structure *s, struct str text, struct arena *keep,
                        struct page_structure *out)
{
    struct str own = str_sub(text, s->start, text.len);
    for (size_t i = 0; i < s->run_count && s->start > 0; i++) {
        s->runs[i].from -= s->start;
        s->runs[i].to -= s->start;
    }
    s->start = 0;
    *out = (struct page_structure){0};
    out->line_count = str_count_lines(own);
    if (s->full || out->line_count > STRUCTURE_LINES_MAX) {
        return false;
    }
    out->lines = ARENA_NEW(keep, struct structure_line, out->line_count);
    make_nodes(s, keep, out);
    make_lines(s, own, out);
    return true;
}

void html_structure_mark_main(const struct html_structure *s,
                              const struct main_selectors *selectors, struct str source,
                              struct arena *scratch, struct page_structure *out)
{
    bool *within = ARENA_NEW(scratch, bool, s->node_count + 1);
    for (size_t i = 0; i < s->node_count; i++) { /* a parent comes first */
        const struct raw_node *n = &s->nodes[i];
        const struct main_element e = {n->name, n->class_names, n->id, n->role};
        within[i] = (i > 0 && within[n->parent]) || main_selectors_name(selectors, source, &e);
    }
    for (size_t i = 0; i < out->line_count; i++) {
        uint32_t node = out->lines[i].node;
        out->lines[i].main = node != STRUCTURE_NONE && within[node];
    }
}
