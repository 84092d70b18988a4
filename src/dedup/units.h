/* units.h -- a text as paragraphs or lines.
 *
 * A line ends at \n.  A paragraph is lines none of which is blank (ASCII white space only);
 * blank lines separate.  Every byte of a text lies in one piece: the unit, and behind it what
 * separates it from the next.  Blank lines before the first are a piece with an empty unit. */
#ifndef WINNOW_DEDUP_UNITS_H
#define WINNOW_DEDUP_UNITS_H

#include "base/buf.h"

struct unit {
    struct str text;  /* without what separates */
    struct str piece; /* with it */
};

/* Takes the next unit off *rest; false at the end. */
bool units_next(struct str *rest, bool paragraphs, struct unit *out);

/* Runs of other than ASCII white space, counted up to most. */
uint32_t units_words(struct str text, uint32_t most);

/* Writes the text without the units at the given indices (ascending); the newlines at the
 * end stay as many as they were, but for those of units that went. */
void units_without(struct str text, bool paragraphs, const uint64_t *indices, size_t count,
                   struct buf *out);

#endif /* WINNOW_DEDUP_UNITS_H */
