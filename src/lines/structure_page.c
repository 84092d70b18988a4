/* structure_page.c -- paths, blocks, containers: what lines of a page share, found once.
 *
 * Paths are numbered by hashes of tags and classes from the page down, so that two lines of one
 * path are known by a number. */
#include "lines/structure_page.h"

#include "base/hash.h"

#include <assert.h>

static bool is_one_of(struct str tag, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_is(tag, names[i])) {
            return true;
        }
    }
    return false;
}

/* As TAG_WORDS of corpus/html_tags.c, which reads pages: here tags come from rows. */
static bool marks_words(struct str tag)
{
    static const char *const NAMES[] = {
        "a",      "abbr",    "acronym", "b",    "bdi", "bdo",  "big",  "cite",  "code", "data",
        "del",    "dfn",     "em",      "font", "i",   "ins",  "kbd",  "label", "mark", "nobr",
        "output", "picture", "q",       "rb",   "rp",  "rt",   "ruby", "s",     "samp", "small",
        "span",   "strike",  "strong",  "sub",  "sup", "time", "tt",   "u",     "var"};
    return is_one_of(tag, NAMES, sizeof NAMES / sizeof NAMES[0]);
}

static uint8_t semantic_of(const struct structure_kind *k)
{
    static const char *const TAGS[SEMANTICS] = {
        "nav",     "header",     "footer", "aside",  "main",    "article",
        "section", "form",       "table",  "ul",     "ol",      "dl",
        "figure",  "blockquote", "pre",    "button", "details", "dialog"};
    static const struct {
        const char *role;
        enum semantic means;
    } ROLES[] = {
        {"navigation", SEMANTIC_NAV},     {"banner", SEMANTIC_HEADER},
        {"contentinfo", SEMANTIC_FOOTER}, {"complementary", SEMANTIC_ASIDE},
        {"main", SEMANTIC_MAIN},          {"article", SEMANTIC_ARTICLE},
        {"dialog", SEMANTIC_DIALOG},      {"button", SEMANTIC_BUTTON},
        {"search", SEMANTIC_FORM},        {"menu", SEMANTIC_NAV},
    };
    for (size_t i = 0; k->role.len > 0 && i < sizeof ROLES / sizeof ROLES[0]; i++) {
        if (str_is(k->role, ROLES[i].role)) {
            return (uint8_t)ROLES[i].means;
        }
    }
    for (unsigned i = 0; i < SEMANTICS; i++) {
        if (str_is(k->tag, TAGS[i])) {
            return (uint8_t)i;
        }
    }
    return SEMANTIC_NONE;
}

/* Numbers for 64-bit hashes, in order of their first. */
struct numbering {
    struct {
        uint64_t hash;
        uint32_t number;
        bool used;
    } * slots;
    size_t size;
    uint32_t count;
};

static struct numbering numbering_new(size_t most, struct arena *keep)
{
    struct numbering n = {.size = 64};
    while (n.size < 2 * most) {
        n.size *= 2;
    }
    n.slots = arena_alloc(keep, n.size, sizeof *n.slots);
    return n;
}

static uint32_t number_of(struct numbering *n, uint64_t hash)
{
    size_t at = hash & (n->size - 1);
    while (n->slots[at].used && n->slots[at].hash != hash) {
        at = (at + 1) & (n->size - 1);
    }
    if (!n->slots[at].used) {
        n->slots[at].used = true;
        n->slots[at].hash = hash;
        n->slots[at].number = n->count++;
    }
    return n->slots[at].number;
}

static uint64_t mix(uint64_t path, uint64_t step)
{
    uint64_t h = (path ^ step) * 0x9E3779B97F4A7C15U;
    return h ^ (h >> 29);
}

/* What is known of a kind, looked up once. */
struct kind_facts {
    uint64_t tag_hash, class_hash;
    uint8_t semantic;
    bool words;
};

static struct kind_facts *judge_kinds(const struct page_structure *s, struct arena *keep)
{
    struct kind_facts *facts = ARENA_NEW(keep, struct kind_facts, s->kind_count + 1);
    for (size_t i = 0; i < s->kind_count; i++) {
        const struct structure_kind *k = &s->kinds[i];
        facts[i].tag_hash = hash64(k->tag, 1);
        facts[i].class_hash = hash64(structure_class(k), facts[i].tag_hash);
        facts[i].semantic = semantic_of(k);
        facts[i].words = marks_words(k->tag);
    }
    return facts;
}

static void place_elements(struct page_elements *p, struct arena *keep)
{
    const struct page_structure *s = p->s;
    const struct kind_facts *facts = judge_kinds(s, keep);
    struct numbering paths = numbering_new(s->node_count, keep);
    struct numbering tags = numbering_new(s->node_count, keep);
    uint64_t *path_hash = ARENA_NEW(keep, uint64_t, s->node_count);
    uint64_t *tags_hash = ARENA_NEW(keep, uint64_t, s->node_count);
    for (size_t i = 0; i < s->node_count; i++) {
        const struct structure_node *n = &s->nodes[i];
        const struct kind_facts *f = &facts[n->kind];
        struct element *e = &p->items[i];
        *e = (struct element){.parent = n->parent,
                              .block = (uint32_t)i,
                              .semantic = f->semantic,
                              .words = f->words && i > 0};
        if (i > 0) {
            struct element *parent = &p->items[n->parent];
            e->depth = (uint16_t)(parent->depth + 1);
            e->block = e->words ? parent->block : (uint32_t)i;
            parent->children++;
        }
        path_hash[i] = mix(i > 0 ? path_hash[n->parent] : 0, f->class_hash);
        tags_hash[i] = mix(i > 0 ? tags_hash[n->parent] : 0, f->tag_hash);
        e->path = number_of(&paths, path_hash[i]);
        e->tags = number_of(&tags, tags_hash[i]);
        if (e->semantic != SEMANTIC_NONE) {
            p->has[e->semantic] = true;
        }
    }
    p->path_count = paths.count;
    p->paths = ARENA_NEW(keep, struct path_sums, paths.count);
    p->tag_paths = ARENA_NEW(keep, struct path_sums, tags.count);
}

static void add_line(struct path_sums *sums, uint32_t chars, uint32_t link, bool is_long)
{
    sums->lines++;
    sums->chars += chars;
    sums->link += link;
    sums->long_lines += is_long;
}

static void sum_paths(struct page_elements *p)
{
    const struct page_structure *s = p->s;
    for (size_t i = 0; i < s->line_count; i++) {
        const struct structure_line *l = &s->lines[i];
        if (l->node == STRUCTURE_NONE || l->end == l->start) {
            continue;
        }
        const struct element *b = &p->items[p->items[l->node].block];
        add_line(&p->paths[b->path], l->end - l->start, l->link, l->is_long);
        add_line(&p->tag_paths[b->tags], l->end - l->start, l->link, l->is_long);
    }
}

#define MAIN_SHARE 0.6 /* of the long text */

static void find_containers(struct page_elements *p)
{
    const struct page_structure *s = p->s;
    double best = -1e18;
    p->main = p->dense = STRUCTURE_NONE;
    for (uint32_t i = 0; i < s->node_count; i++) {
        const struct structure_node *n = &s->nodes[i];
        uint16_t depth = p->items[i].depth;
        if (s->nodes[0].long_text > 0 &&
            (double)n->long_text >= MAIN_SHARE * (double)s->nodes[0].long_text &&
            (p->main == STRUCTURE_NONE || depth > p->items[p->main].depth)) {
            p->main = i;
        }
        double density =
            (double)n->long_text - (double)n->link - 0.3 * ((double)n->text - (double)n->long_text);
        if (density > best || (density == best && depth > p->items[p->dense].depth)) {
            best = density;
            p->dense = i;
        }
    }
}

void page_elements_build(const struct page_structure *s, struct arena *keep,
                         struct page_elements *out)
{
    assert(s->node_count > 0);
    *out = (struct page_elements){.s = s};
    out->items = ARENA_NEW(keep, struct element, s->node_count);
    out->text = s->nodes[0].text + 1;
    out->long_text = s->nodes[0].long_text + 1;
    place_elements(out, keep);
    sum_paths(out);
    find_containers(out);
}

uint32_t page_elements_join(const struct page_elements *p, uint32_t a, uint32_t b)
{
    while (p->items[a].depth > p->items[b].depth) {
        a = p->items[a].parent;
    }
    while (p->items[b].depth > p->items[a].depth) {
        b = p->items[b].parent;
    }
    while (a != b) {
        a = p->items[a].parent;
        b = p->items[b].parent;
    }
    return a;
}
