/* leak_cut.h -- a text without the passages that were found, as GPT-3's authors cut theirs:
 * with a margin, short pieces gone, and no text in too many pieces. */
#ifndef WINNOW_LEAK_LEAK_CUT_H
#define WINNOW_LEAK_LEAK_CUT_H

#include "leak/leak_judge.h"

enum leak_cut_outcome { LEAK_CUT_KEPT, LEAK_CUT_TOO_LITTLE, LEAK_CUT_TOO_MANY };

/* Adds what is left of text to out, pieces with an empty line between them, and the ranges
 * that went, in code points, to ranges ("[3,400],[812,1400]"; the first of very many).  s is
 * what judged the text. */
enum leak_cut_outcome leak_cut(const struct winnow_decontaminate_options *opt,
                               const struct leak_scratch *s, struct str text, struct buf *out,
                               struct buf *ranges);

#endif /* WINNOW_LEAK_LEAK_CUT_H */
