/* html_internal.h -- the parts of html.c: references and tag classes. */
#ifndef WINNOW_PAGES_HTML_INTERNAL_H
#define WINNOW_PAGES_HTML_INTERNAL_H

#include "base/buf.h"
#include "pages/html_structure.h"

struct html_entity {
    const char *name, *text;
    bool open; /* counts without its semicolon too */
};
extern const struct html_entity HTML_ENTITIES[];
extern const size_t HTML_ENTITY_COUNT;

/* Resolves the character reference whose '&' stands at s[at]: its UTF-8 goes to
 * out, *out_len bytes.  Returns its length in s, 0 where it is only an '&'. */
size_t html_reference(struct str s, size_t at, char out[8], size_t *out_len);

enum html_tag_class {
    TAG_BLOCK = 1,     /* a line ends before and behind it */
    TAG_CELL = 2,      /* td, th */
    TAG_PRE = 4,       /* white space counts inside */
    TAG_RAW = 8,       /* holds no tags, and nothing to read */
    TAG_TITLE = 16,    /* holds no tags, is the title */
    TAG_SKIP = 32,     /* gone with everything in it */
    TAG_BREAKOUT = 64, /* ends a drawing that was not closed */
    /* of the structure only (html_structure.c): */
    TAG_WORDS = 128, /* marks words within a line */
    TAG_VOID = 256,  /* has no content and no end tag */
    TAG_SCOPE = 512, /* what is open above it is not closed from within */
    TAG_ROOT = 1024, /* html, head, body: the page itself */
    TAG_LINK = 2048,
    TAG_BOLD = 4096,
    TAG_LIST = 8192
};

/* Elements whose start or end tag is often left out: the next one of the kind closes the one
 * that is open. */
enum html_tag_kind {
    HTML_PLAIN,
    HTML_P,
    HTML_ITEM,
    HTML_TERM,
    HTML_OPTION,
    HTML_CELL,
    HTML_ROW,
    HTML_ROWS
};

struct html_tag {
    const char *name;
    unsigned classes;
    enum html_tag_kind kind;
};

/* The tag of a name in any case, or NULL. */
const struct html_tag *html_tag_find(struct str name);

/* Attributes of a start tag that say something; views of the page. */
struct html_attributes {
    struct str class_names, id, role, style;
    bool hidden;
};

/* Notes one, if it is of them. */
void html_attributes_take(struct html_attributes *a, struct str name, struct str value);

/* ---- taking down the structure (html_structure.h) ---- */

/* A new page, whose text goes behind `start` bytes of a buffer. */
void html_structure_start(struct html_structure *s, size_t start);

/* A start tag (tag: NULL of an unknown name) and an end tag, both of visible elements. */
void html_structure_open(struct html_structure *s, struct str name, const struct html_tag *tag,
                         const struct html_attributes *a);
void html_structure_close(struct html_structure *s, struct str name, const struct html_tag *tag);

/* Text was added to out from byte `from` on. */
void html_structure_text(struct html_structure *s, const struct buf *out, size_t from);

#endif /* WINNOW_PAGES_HTML_INTERNAL_H */
