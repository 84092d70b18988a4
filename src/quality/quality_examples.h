/* quality_examples.h -- good and bad documents as numbers of words, read once.
 *
 * Words are numbered as they are met; which of them get a row of their own is known when all
 * have been counted.  Documents that are held out are neither counted nor trained on.
 */
#ifndef WINNOW_QUALITY_QUALITY_EXAMPLES_H
#define WINNOW_QUALITY_QUALITY_EXAMPLES_H

#include "base/map.h"
#include "quality/fasttext.h"

struct quality_example {
    uint64_t from;  /* into words */
    uint32_t count; /* of words */
    uint32_t source;
    bool good, held;
    uint64_t print; /* of its text */
};

struct quality_word {
    uint32_t hash;
    uint32_t row; /* FASTTEXT_NO_ROW: too rare */
    uint64_t count;
};
#define FASTTEXT_NO_ROW UINT32_MAX

struct quality_examples {
    struct quality_example *items;
    size_t count, cap;
    uint32_t *words; /* of all examples, one behind the other */
    size_t word_count, word_cap;
    struct map texts; /* of words, in the order in which they were met */
    struct quality_word *known;
    size_t known_cap;
    struct map sources;
    struct fasttext_entry *entries; /* words with rows, by row, then two labels */
    uint32_t row_count;
    uint64_t tokens, bytes; /* of what is trained on, held out or not */
};
void quality_examples_release(struct quality_examples *e);

void quality_examples_add(struct quality_examples *e, struct str text, struct str source, bool good,
                          bool held);

/* Gives rows to words seen at least count_min times, most frequent first, and names labels
 * behind them, the good one first. */
void quality_examples_index(struct quality_examples *e, uint64_t count_min, struct str good,
                            struct str bad);

/* The rows of an example: what fasttext_rows() gives for its text under the model made of
 * these.  hashes is scratch. */
void quality_examples_rows(const struct quality_examples *e, const struct quality_example *item,
                           const struct fasttext_args *args, struct fasttext_ids *hashes,
                           struct fasttext_ids *out);

/* Different texts that are good and bad at once. */
uint64_t quality_examples_both(const struct quality_examples *e);

uint64_t quality_examples_bytes(const struct quality_examples *e);

/* Of all that is in them, for checkpoints. */
uint64_t quality_examples_hash(const struct quality_examples *e);

#endif /* WINNOW_QUALITY_QUALITY_EXAMPLES_H */
