/* structure_page.h -- what is derived of a page's elements once, before its lines. */
#ifndef WINNOW_LINES_STRUCTURE_PAGE_H
#define WINNOW_LINES_STRUCTURE_PAGE_H

#include "corpus/page_structure.h"

/* Elements that say what they are for, by tag or role. */
enum semantic {
    SEMANTIC_NAV,
    SEMANTIC_HEADER,
    SEMANTIC_FOOTER,
    SEMANTIC_ASIDE,
    SEMANTIC_MAIN,
    SEMANTIC_ARTICLE,
    SEMANTIC_SECTION,
    SEMANTIC_FORM,
    SEMANTIC_TABLE,
    SEMANTIC_UL,
    SEMANTIC_OL,
    SEMANTIC_DL,
    SEMANTIC_FIGURE,
    SEMANTIC_QUOTE,
    SEMANTIC_PRE,
    SEMANTIC_BUTTON,
    SEMANTIC_DETAILS,
    SEMANTIC_DIALOG,
    SEMANTICS,
    SEMANTIC_NONE = SEMANTICS
};

struct element {
    uint32_t parent; /* of 0: 0 */
    uint32_t block;  /* itself, or the nearest around it that is no words */
    uint32_t path;   /* number of the path of tags and classes down to it */
    uint32_t tags;   /* number of the path of tags alone */
    uint32_t children;
    uint16_t depth;
    uint8_t semantic; /* enum semantic */
    bool words;       /* marks words in a line, as <a> */
};

/* Lines that share a path. */
struct path_sums {
    uint32_t lines, chars, link, long_lines;
};

struct page_elements {
    const struct page_structure *s;
    struct element *items;               /* s->node_count */
    struct path_sums *paths, *tag_paths; /* by number */
    uint32_t path_count;
    uint32_t main;  /* deepest element with most of the long text; STRUCTURE_NONE: no long text */
    uint32_t dense; /* with the most long text less links and a share of the rest */
    bool has[SEMANTICS];
    uint32_t text, long_text; /* of the page, at least 1 */
};

/* s has its sums. */
void page_elements_build(const struct page_structure *s, struct arena *keep,
                         struct page_elements *out);

/* The deepest element around both. */
uint32_t page_elements_join(const struct page_elements *p, uint32_t a, uint32_t b);

#endif /* WINNOW_LINES_STRUCTURE_PAGE_H */
