/* html_internal.h -- the parts of html.c: references and tag classes. */
#ifndef WINNOW_PAGES_HTML_INTERNAL_H
#define WINNOW_PAGES_HTML_INTERNAL_H

#include "base/str.h"

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
    TAG_BLOCK = 1,    /* a line ends before and behind it */
    TAG_CELL = 2,     /* td, th */
    TAG_PRE = 4,      /* white space counts inside */
    TAG_RAW = 8,      /* holds no tags, and nothing to read */
    TAG_TITLE = 16,   /* holds no tags, is the title */
    TAG_SKIP = 32,    /* gone with everything in it */
    TAG_BREAKOUT = 64 /* ends a drawing that was not closed */
};

/* Classes of a tag name in any case; 0 for those that only mark words. */
unsigned html_tag_class(struct str name);

#endif /* WINNOW_PAGES_HTML_INTERNAL_H */
