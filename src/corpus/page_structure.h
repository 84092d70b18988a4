/* page_structure.h -- what a page's HTML says of each line of its text.
 *
 * A line knows the node it begins in: an element that lines begin in.  Nodes come before what
 * is in them, so a parent's number is smaller; node 0 is the page.  docs/formats/structure.md
 * states the JSON form, which is the member "structure" of a document.
 *
 * Sums over a node's lines are not written, since they follow from the lines; structure_sum()
 * makes them.  All of it is valid only for the text that it was made with.
 */
#ifndef WINNOW_CORPUS_PAGE_STRUCTURE_H
#define WINNOW_CORPUS_PAGE_STRUCTURE_H

#include "base/arena.h"
#include "corpus/document.h"

#define STRUCTURE_KEY       "structure"
#define STRUCTURE_NONE      UINT32_MAX /* of a line: no element is known */
#define STRUCTURE_LINES_MAX 262144U
#define STRUCTURE_NODES_MAX 65536U
#define STRUCTURE_DEPTH_MAX 256U /* of a node; the page is at 0 */
#define STRUCTURE_LONG      80U  /* characters of a long line */

/* Counts are of code points. */
struct structure_line {
    uint32_t start, end; /* in the text */
    uint32_t node;       /* the innermost element in which the line begins, or STRUCTURE_NONE */
    uint32_t link, bold; /* characters within <a>, within <b> or <strong> */
    bool hidden;         /* begins where an attribute hides what is in the element */
    bool main;           /* in the page's main part, where extract was told what that is */
    bool is_long;        /* a sum: running text, no list of links */
};

/* What elements of a page are called: many share one. */
struct structure_kind {
    struct str tag;   /* lower case */
    struct str words; /* of class, then behind '#' of id: lower case, any digits "0" */
    struct str role;  /* the attribute's first word, lower case; mostly empty */
};

struct structure_node {
    uint32_t parent; /* of node 0: 0 */
    uint32_t kind;
    uint32_t index; /* place among its parent's elements */
    /* sums */
    uint32_t text, link; /* characters of the lines that begin in it, within <a> of them */
    uint32_t lines;
    uint32_t long_text; /* characters of long lines */
    uint32_t same;      /* nodes of its tag and class in its parent, itself included */
};

struct page_structure {
    struct structure_line *lines;
    struct structure_node *nodes;
    struct structure_kind *kinds;
    size_t line_count, node_count, kind_count;
};

/* Whether a line of so many characters is long: running text, no list of links. */
bool structure_is_long(struct str line, uint32_t chars, uint32_t link);

/* The words of the class alone. */
struct str structure_class(const struct structure_kind *k);

/* Fills text, link, lines, long_text and same of all nodes from the lines and their
 * text.  scratch holds what it needs meanwhile. */
void structure_sum(struct page_structure *s, struct str text, struct arena *scratch);

/* Appends the JSON object; text is the one that s is of (structure_json.c). */
void structure_write(const struct page_structure *s, struct str text, struct arena *scratch,
                     struct buf *out);

/* Reads the object, without sums; everything lives in keep, strings hold as long as value does.
 * False where it is none, says what cannot be or is of another text; *reason is then a
 * sentence's end.  An object that does not say of which text it is must have its lines. */
bool structure_read(struct json_value value, struct str text, struct arena *keep,
                    struct page_structure *out, const char **reason);

/* Appends the lines of text that are in the main part, and keeps only their rows, which are
 * then those of what was appended.  False where there is none. */
bool structure_cut_to_main(struct page_structure *s, struct str text, struct buf *out);

enum structure_state {
    STRUCTURE_ABSENT,
    STRUCTURE_STALE, /* it is not of this text, or not well formed */
    STRUCTURE_READ
};

/* A document's, with its sums; out lives in keep and as long as the document is not read over. */
enum structure_state structure_of_document(const struct document *d, struct arena *keep,
                                           struct page_structure *out);

#endif /* WINNOW_CORPUS_PAGE_STRUCTURE_H */
