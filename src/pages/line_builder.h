/* line_builder.h -- text that comes in pieces, laid out as lines.
 *
 * White space between visible characters is remembered as a gap and written
 * only when the next visible character comes: so nothing stands at the ends
 * of lines, and of several gaps in a row the strongest counts.
 */
#ifndef WINNOW_PAGES_LINE_BUILDER_H
#define WINNOW_PAGES_LINE_BUILDER_H

#include "base/buf.h"

enum line_gap { GAP_NONE, GAP_SPACE, GAP_CELL, GAP_LINE };

struct line_builder {
    struct buf *out; /* where lines are appended */
    size_t start;    /* length of out when the builder began */
    enum line_gap gap;
    bool pre; /* white space counts */
};

/* UTF-8.  Control characters and what has no width (zero-width space, soft
 * hyphen, byte order mark) are dropped; every kind of space is a space. */
void line_builder_add(struct line_builder *b, struct str text);

void line_builder_gap(struct line_builder *b, enum line_gap gap);

/* Takes white space off the end. */
void line_builder_end(struct line_builder *b);

#endif /* WINNOW_PAGES_LINE_BUILDER_H */
