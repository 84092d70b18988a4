/* answer_line.h -- an instructed model's answer, without what stands around it. */
#ifndef WINNOW_TEACH_ANSWER_LINE_H
#define WINNOW_TEACH_ANSWER_LINE_H

#include "base/str.h"

#define ANSWER_MARKS "*_# \t" /* what Markdown puts around a line */

/* Takes the marks off both ends: "**Educational score: 3**". */
struct str answer_bare(struct str s, struct str marks);

/* What a reasoning model thinks aloud first is no part of its answer. */
struct str answer_without_thoughts(struct str answer);

/* The last line of the answer without thoughts. */
struct str answer_last_line(struct str answer);

#endif /* WINNOW_TEACH_ANSWER_LINE_H */
