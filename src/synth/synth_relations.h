/* synth_relations.h -- questions that a sentence answers by its form: "Ada was born in London."
 *
 * A row of a table each: the words between subject and answer, and the question about them.
 * English only; a sentence that begins with a pronoun or a conjunction says nothing by itself
 * and is passed over.
 */
#ifndef WINNOW_SYNTH_SYNTH_RELATIONS_H
#define WINNOW_SYNTH_SYNTH_RELATIONS_H

#include "base/buf.h"

#define SYNTH_RELATIONS_MAX 64U

struct synth_fact {
    size_t relation;    /* row of the table, below SYNTH_RELATIONS_MAX */
    struct str subject; /* of the sentence */
    struct str answer;  /* of the sentence, without its full stop */
    size_t answer_words;
    bool when; /* the answer is a time */
};

/* False where the sentence has none of the forms. */
bool synth_relation_find(struct str sentence, struct synth_fact *out);

/* Appends "Where was Ada born?". */
void synth_relation_ask(const struct synth_fact *f, struct buf *out);

#endif /* WINNOW_SYNTH_SYNTH_RELATIONS_H */
