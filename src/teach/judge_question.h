/* judge_question.h -- which of two pages is better: the question, and its answer read.
 *
 * The answer is read strictly: its last line has the form asked for, or it is none. */
#ifndef WINNOW_TEACH_JUDGE_QUESTION_H
#define WINNOW_TEACH_JUDGE_QUESTION_H

#include "base/buf.h"

/* Appends the user's message; of each page up to bytes_max are shown. */
void judge_ask(struct str first, struct str second, size_t bytes_max, struct buf *out);

enum judge_says { JUDGE_FIRST, JUDGE_SECOND, JUDGE_SAME, JUDGE_UNREAD };
enum judge_says judge_read(struct str answer);

#endif /* WINNOW_TEACH_JUDGE_QUESTION_H */
