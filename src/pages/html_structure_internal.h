/* html_structure_internal.h -- what is taken down of a page while it is read. */
#ifndef WINNOW_PAGES_HTML_STRUCTURE_INTERNAL_H
#define WINNOW_PAGES_HTML_STRUCTURE_INTERNAL_H

#include "pages/html_internal.h"
#include "pages/html_structure.h"

#define STRUCTURE_TAG_BYTES 24U /* of the name of a tag or role */

struct open_element {
    const struct html_tag *tag; /* NULL: unknown name */
    struct str name;
    struct html_attributes attributes;
    uint32_t node;     /* STRUCTURE_NONE: none yet */
    uint32_t children; /* elements opened in it */
    uint32_t index;    /* among its parent's */
    bool link, bold, hidden;
};

struct raw_node {
    struct str name, class_names, id, role; /* as in the page */
    uint32_t parent, index;
};

struct text_run {
    size_t from, to; /* bytes of the text */
    uint32_t node;   /* of the element it stands in, where a line begins in it */
    bool link, bold, hidden;
};

struct html_structure {
    struct open_element stack[STRUCTURE_DEPTH_MAX + 1]; /* [0]: the page */
    size_t depth;                                       /* of the innermost */
    size_t too_deep;                                    /* open elements past the bound */
    uint32_t links, bolds, hiddens;                     /* in the stack */
    struct raw_node *nodes;
    size_t node_count, node_cap;
    struct text_run *runs;
    size_t run_count, run_cap;
    bool full;    /* there are more runs than are kept */
    size_t start; /* of the page's text in its buffer */
};

#endif /* WINNOW_PAGES_HTML_STRUCTURE_INTERNAL_H */
