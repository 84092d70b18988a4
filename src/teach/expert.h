/* expert.h -- asking a large model what a small one shall learn.
 *
 * Five questions, each a prompt of its own to an instructed model, in our words:
 *
 *     education    how much a document teaches, 0..5          about a document
 *     format       how cleanly it was extracted, 0..5         about a document
 *     navigation   a program that removes menus at the start  about a chunk
 *     links        a program that removes addresses           about a chunk
 *     footer       a program that removes what ends a page    about a chunk
 *
 * A document is kept where education >= 3, or education = 2 and format >= 4; else
 * it is dropped.  The three programs of a chunk are merged into one in dialect
 * winnow, in the spelling that refiners write (derive.h).
 *
 * Answers are read strictly: what is not of the form asked for is no answer, and
 * a call that does not fit the chunk is rejected and counted.
 *
 * Source: Zhou et al. 2409.17115, appendix A.1 (scores, thresholds, three kinds of
 * noise, merging, a bound on what is removed; the bound's value is not stated
 * there).  Unlike there a program may only delete: strings become nothing.
 */
#ifndef WINNOW_TEACH_EXPERT_H
#define WINNOW_TEACH_EXPERT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "program/chunk.h"
#include "program/program.h"
#include "teach/derive.h"

enum expert_question {
    EXPERT_EDUCATION,
    EXPERT_FORMAT,
    EXPERT_NAVIGATION,
    EXPERT_LINKS,
    EXPERT_FOOTER,
    EXPERT_QUESTIONS
};
#define EXPERT_OF_DOCUMENT 2U /* the first questions are about documents */
#define EXPERT_OF_CHUNK    3U /* the others about chunks */

/* "education", ... */
const char *expert_question_name(enum expert_question q);

/* The system message of all questions. */
extern const char *const EXPERT_SYSTEM;

/* Appends the user's message.  A document is shown up to bytes_max, cut between
 * two characters. */
void expert_ask_document(enum expert_question q, struct str text, size_t bytes_max,
                         struct buf *out);
void expert_ask_chunk(enum expert_question q, const struct chunk *c, struct buf *out);

/* The score in an answer.  NULL, or why there is none. */
const char *expert_read_score(enum expert_question q, struct str answer, uint32_t *score);

enum expert_verdict { EXPERT_KEEP, EXPERT_DROP };
enum expert_verdict expert_judge(uint32_t education, uint32_t format);

/* Whether the score of format can change the verdict. */
bool expert_needs_format(uint32_t education);

/* The program in an answer: one block between ``` fences, calls of the prompt
 * only.  NULL, or why there is none. */
const char *expert_read_program(struct str answer, struct arena *keep, struct program *out);

/* What became of the calls that were merged. */
struct expert_merge {
    uint32_t calls, rejected;
    double removed; /* share of the chunk's bytes, newlines apart */
};

/* Merges programs about a chunk of the document that d was started with and
 * appends the result to out. */
void expert_start(struct str text, struct arena *keep, struct derived *d);
void expert_merge(struct derived *d, const struct chunk *c, const struct program *programs,
                  size_t count, struct arena *keep, struct expert_merge *m, struct buf *out);

#endif /* WINNOW_TEACH_EXPERT_H */
