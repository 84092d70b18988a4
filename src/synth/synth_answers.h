/* synth_answers.h -- what a model wrote, kept so that nothing is asked for twice.
 *
 * state/answers.jsonl, a line a request in their order; answer_store.h keeps it safe:
 *
 *     {"ordinal":0,"seed":"a","prompt":"school","sampling":1,"end":"stopped","text":"...",
 *      "prompt_tokens":212,"new_tokens":402}
 */
#ifndef WINNOW_SYNTH_SYNTH_ANSWERS_H
#define WINNOW_SYNTH_SYNTH_ANSWERS_H

#include "base/json.h"
#include "remote/answer_store.h"
#include "synth/synth_tasks.h"

struct synth_answer {
    enum synth_end end;
    struct str text, reason; /* reason: of a refusal */
    uint64_t prompt_tokens, new_tokens;
};

struct synth_answers {
    struct answer_store *store;
    uint64_t count;      /* that are there */
    uint64_t new_tokens; /* of these */
};

winnow_status synth_answers_open(const char *path, struct synth_answers *a,
                                 struct winnow_error *err);
void synth_answers_close(struct synth_answers *a);

/* The next one.  seed and prompt are for who reads the file. */
winnow_status synth_answers_add(struct synth_answers *a, struct str seed, const char *prompt,
                                uint64_t sampling, const struct synth_answer *answer,
                                struct winnow_error *err);

/* On any thread, when all are there; views hold until line and parser are used again. */
winnow_status synth_answers_read(const struct synth_answers *a, uint64_t number, struct buf *line,
                                 struct json_parser *parser, struct synth_answer *out,
                                 struct winnow_error *err);

#endif /* WINNOW_SYNTH_SYNTH_ANSWERS_H */
