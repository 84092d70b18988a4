/* synth_sentences.h -- sentences of a text and words of a sentence, for templates.
 *
 * A sentence ends at . ! or ? before white space and something that can begin one, or with its
 * line; not behind an initial or a common abbreviation.  A word is ASCII letters, digits and
 * whatever lies beyond ASCII, with apostrophes and hyphens inside.  Scripts that write no
 * spaces have no words in this sense, and templates make nothing of them.
 */
#ifndef WINNOW_SYNTH_SYNTH_SENTENCES_H
#define WINNOW_SYNTH_SYNTH_SENTENCES_H

#include "base/str.h"

enum synth_shape { SHAPE_LOWER, SHAPE_CAPITAL, SHAPE_NUMBER, SYNTH_SHAPES };

struct synth_word {
    struct str text;
    uint64_t hash; /* of its lower-case form */
    enum synth_shape shape;
};

/* All-zero is empty; used again for text after text. */
struct synth_sentences {
    struct str *items;
    size_t count, cap;
};
struct synth_words {
    struct synth_word *items;
    size_t count, cap;
};

/* Replace what was there; views into text. */
void synth_sentences_split(struct synth_sentences *s, struct str text);
void synth_words_split(struct synth_words *w, struct str text);

void synth_sentences_release(struct synth_sentences *s);
void synth_words_release(struct synth_words *w);

#endif /* WINNOW_SYNTH_SYNTH_SENTENCES_H */
