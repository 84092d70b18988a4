/* synth_tasks.h -- from what a model wrote to the text of a document, or why not.
 *
 * A task is rewritten into the one form that synthesize.h shows, from whatever spelling of it
 * came back ("**Question:**", "B)", a chatty line before it); what cannot be read so is no
 * answer.  Bytes come from outside: nothing is trusted, nothing is guessed.
 */
#ifndef WINNOW_SYNTH_SYNTH_TASKS_H
#define WINNOW_SYNTH_SYNTH_TASKS_H

#include "base/buf.h"
#include "synth/synth_prompts.h"

/* How an answer ended. */
enum synth_end { SYNTH_STOPPED, SYNTH_CUT, SYNTH_LOOPED, SYNTH_REFUSED };

#define SYNTH_CHOICES_MAX 8U

/* The parts of a task; views into the answer. */
struct synth_task {
    struct str question; /* of a cloze the sentence, of a summary nothing */
    struct str answer;   /* of a choice the right one's text */
    struct str choices[SYNTH_CHOICES_MAX];
    size_t choice_count, right;
};

/* False where the text is no task of that kind. */
bool synth_task_read(enum synth_kind kind, struct str text, struct synth_task *out);

/* Appends the task in its form. */
void synth_task_write(enum synth_kind kind, const struct synth_task *task, struct buf *out);

/* Appends the written part of a document (without a passage).  NULL, or the rule by which the
 * answer is none: "answer.empty", "answer.cut", "answer.loop", "answer.refused",
 * "answer.excuse", "answer.prompt", "answer.format"; out then holds what there is of it. */
const char *synth_answer_read(const struct synth_prompt *p, enum synth_end end, struct str text,
                              struct buf *out);

#endif /* WINNOW_SYNTH_SYNTH_TASKS_H */
