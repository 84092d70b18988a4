/* line_verdicts.h -- what is thought of each line, as a program: shared by all refiners that
 * judge lines, the line model's and a language model's (refine/writer_verdicts.h). */
#ifndef WINNOW_PROGRAM_LINE_VERDICTS_H
#define WINNOW_PROGRAM_LINE_VERDICTS_H

#include "base/buf.h"

/* Appends the program of lines first .. first + count - 1, in the dialect "winnow":
 * remove_lines() for each run of lines whose probability to be text is below keep_above,
 * keep_chunk() where there is none.  A line that is not judged (NaN) is removed unless the
 * nearest judged line on each side is kept.  scores become 1 (kept) or 0. */
void line_verdicts_program(float *scores, size_t count, double keep_above, size_t first,
                           struct buf *out);

#endif /* WINNOW_PROGRAM_LINE_VERDICTS_H */
