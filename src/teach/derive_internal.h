/* derive_internal.h -- what the files of derive share. */
#ifndef WINNOW_TEACH_DERIVE_INTERNAL_H
#define WINNOW_TEACH_DERIVE_INTERNAL_H

#include "base/map.h"
#include "teach/align.h"
#include "teach/derive.h"

/* One text being laid beside another, line by line: a view of each line. */
struct derive_text {
    struct str *lines;
    size_t count;
};

winnow_status derive_split(struct str text, struct arena *keep, struct derive_text *out,
                           struct winnow_error *err);

/* A list of edits that grows; by line, then by place. */
struct derive_edits {
    struct derived_edit *items;
    size_t count, cap;
};
void derive_edit_add(struct derive_edits *e, uint32_t line, size_t from, size_t to);

/* Adds the edits that make `clean` out of the raw line; false where deletions
 * cannot (nothing is added then).  Cuts lie between pieces where they can. */
winnow_status derive_line(struct str raw, struct str clean, uint32_t number, bool spaces,
                          struct derive_edits *edits, bool *done, struct winnow_error *err);

/* Pieces from..to of a line go, with the white space before them (at the line's
 * start, behind them). */
void derive_cut(struct str line, uint32_t number, size_t from, size_t to,
                struct derive_edits *edits);

#endif /* WINNOW_TEACH_DERIVE_INTERNAL_H */
