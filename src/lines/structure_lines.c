/* structure_lines.c -- numbers about the element a line begins in and those around it.
 *
 * The walk from a line to the page is bounded by STRUCTURE_DEPTH_MAX.  Lines that begin in one
 * element share all but their links, so the last element's numbers are copied. */
#include "lines/structure_lines.h"

#include <assert.h>
#include <math.h>

#define AROUND   6U /* blocks outwards whose sums are shown */
#define SIBLINGS 3U /* of them, whose place among siblings is */

struct feature_out {
    float *at;
};

static void put(struct feature_out *o, double x)
{
    *o->at++ = (float)x;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static double log_part(double x)
{
    return log1p(x) / 6;
}

static uint32_t chars_of(const struct structure_line *l)
{
    return l->end - l->start;
}

static struct str tag_of(const struct page_elements *p, uint32_t node)
{
    return p->s->kinds[p->s->nodes[node].kind].tag;
}

static void put_tags(struct feature_out *o, const struct page_elements *p, uint32_t owner,
                     uint32_t block)
{
    static const char *const TAGS[] = {"p",  "div", "li",         "a",     "span", "h1",
                                       "h2", "h3",  "h4",         "td",    "th",   "dt",
                                       "dd", "pre", "blockquote", "option"};
    struct str own = tag_of(p, owner), around = tag_of(p, block);
    for (size_t i = 0; i < sizeof TAGS / sizeof TAGS[0]; i++) {
        put(o, str_is(own, TAGS[i]) || str_is(around, TAGS[i]));
    }
}

/* How near the nearest of each kind is: 1 the element itself. */
static void put_semantics(struct feature_out *o, const struct page_elements *p, uint32_t owner)
{
    float near[SEMANTICS] = {0};
    uint32_t node = owner;
    for (unsigned steps = 0;; steps++) {
        const struct element *e = &p->items[node];
        if (e->semantic != SEMANTIC_NONE && near[e->semantic] == 0) {
            near[e->semantic] = 1.0F / (1.0F + (float)steps / 2);
        }
        if (node == 0) {
            break;
        }
        node = e->parent;
    }
    for (size_t i = 0; i < SEMANTICS; i++) {
        put(o, (double)near[i]);
    }
}

/* Blocks outwards: the line's own first; the page stands for what is past it. */
static void put_around(struct feature_out *o, const struct page_elements *p, uint32_t block)
{
    uint32_t node = block, places[SIBLINGS];
    for (unsigned q = 0; q < AROUND; q++) {
        const struct structure_node *n = &p->s->nodes[node];
        put(o, ratio(n->text, p->text));
        put(o, log1p(n->text) / 12);
        put(o, ratio(n->link, n->text));
        put(o, log_part(n->lines));
        put(o, ratio(n->long_text, p->long_text));
        put(o, log_part(ratio(n->text, n->lines)));
        put(o, ratio(n->long_text, n->text));
        if (q < SIBLINGS) {
            places[q] = node;
        }
        node = node > 0 ? p->items[p->items[node].parent].block : 0;
    }
    for (unsigned q = 0; q < SIBLINGS; q++) {
        const struct structure_node *n = &p->s->nodes[places[q]];
        double siblings = p->items[p->items[places[q]].parent].children;
        put(o, ratio(n->index, siblings > n->index ? siblings : n->index + 1.0));
        put(o, log_part(siblings));
        put(o, log_part(n->same));
    }
}

static void put_path(struct feature_out *o, const struct path_sums *s)
{
    put(o, log_part(s->lines));
    put(o, log_part(ratio(s->chars, s->lines)));
    put(o, ratio(s->link, s->chars));
    put(o, ratio(s->long_lines, s->lines));
}

static void put_container(struct feature_out *o, const struct page_elements *p, uint32_t block,
                          uint32_t container)
{
    if (container == STRUCTURE_NONE) {
        put(o, 0);
        put(o, 0);
        put(o, 0);
        return;
    }
    uint32_t join = page_elements_join(p, block, container);
    put(o, join == container);
    put(o, (p->items[container].depth - p->items[join].depth) / 8.0);
    put(o, join == container ? (p->items[block].depth - p->items[join].depth) / 8.0 : 0);
}

static void put_page(struct feature_out *o, const struct page_elements *p)
{
    for (unsigned i = SEMANTIC_NAV; i <= SEMANTIC_ARTICLE; i++) {
        put(o, p->has[i]);
    }
    put(o, ratio(p->s->nodes[0].link, p->text));
    put(o, log_part((double)p->s->line_count));
}

/* The next row on that side that has an element, and what joins the two. */
static void put_neighbour(struct feature_out *o, const struct page_elements *p, size_t line,
                          int step)
{
    const struct structure_line *lines = p->s->lines;
    size_t other = step < 0 ? line - 1 : line + 1; /* of line 0 past the end */
    if (other >= p->s->line_count || lines[other].node == STRUCTURE_NONE) {
        put(o, -1);
        put(o, 0);
        return;
    }
    uint32_t a = p->items[lines[line].node].block, b = p->items[lines[other].node].block;
    uint32_t join = page_elements_join(p, a, b);
    put(o, (p->items[a].depth - p->items[join].depth) / 4.0);
    put(o, p->items[a].path == p->items[b].path);
}

void structure_line_numbers(const struct page_elements *p, size_t line, float *out)
{
    const struct structure_line *l = &p->s->lines[line];
    struct feature_out o = {out};
    uint32_t owner = l->node;
    if (owner == STRUCTURE_NONE) {
        return;
    }
    uint32_t block = p->items[owner].block;
    put(&o, 1);
    put(&o, ratio(l->link, chars_of(l)));
    put(&o, ratio(l->bold, chars_of(l)));
    put(&o, l->hidden);
    put(&o, p->items[block].depth / 16.0);
    put(&o, (p->items[owner].depth - p->items[block].depth) / 4.0);
    put_tags(&o, p, owner, block);
    put_semantics(&o, p, owner);
    put_around(&o, p, block);
    put_path(&o, &p->paths[p->items[block].path]);
    put(&o, ratio(p->paths[p->items[block].path].lines, (double)p->s->line_count));
    put_path(&o, &p->tag_paths[p->items[block].tags]);
    put_container(&o, p, block, p->main);
    put_container(&o, p, block, p->dense);
    put_page(&o, p);
    put_neighbour(&o, p, line, -1);
    put_neighbour(&o, p, line, 1);
    assert(o.at <= out + LINE_STRUCTURE);
}
