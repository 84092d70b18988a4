/* diff.h -- what changed between two texts, line by line. */
#ifndef WINNOW_RUN_DIFF_H
#define WINNOW_RUN_DIFF_H

#include "base/buf.h"

/* Appends lines that begin with "- " (only in the first), "+ " (only in the second) and "  "
 * (both; at most two around each change, "..." for the others).  Between large
 * texts that share little, a block of - and one of +. */
void diff_lines(struct str from_text, struct str to_text, struct buf *out);

#endif /* WINNOW_RUN_DIFF_H */
