/* fact_counts.h -- how often what facts are made of stands in a corpus.
 *
 * Counted are sentences (up to . ! ? or a line's end), in which words are runs of letters and
 * digits in lower case, bytes past ASCII among them:
 *
 *     a subject             its words in a row
 *     subject and object    both, wherever and in whatever order
 *     pattern and object    the words between [X] and [Y], then the object's, in a row
 *     a fact                pattern with subject and object, in a row
 *
 * Each counts once a sentence.  Memory is that of the phrases and of the pairs that occur.
 */
#ifndef WINNOW_STUDY_FACT_COUNTS_H
#define WINNOW_STUDY_FACT_COUNTS_H

#include "winnow/study.h"

#include "base/env.h"
#include "study/facts.h"

struct fact_counts {
    const struct facts *facts;
    struct map phrases; /* of words, one blank between them; value: number */
    struct map firsts;  /* first words; value: most words of a phrase that begins so */
    uint64_t *counts;   /* of each phrase */
    struct map pairs;   /* subject's and object's phrase, 8 bytes; value: sentences */
    uint64_t sentences, documents;
};
void fact_counts_init(struct fact_counts *c, const struct facts *facts);
void fact_counts_release(struct fact_counts *c);

/* The sentences of one text. */
void fact_counts_text(struct fact_counts *c, struct str text);

/* What is read, and where what was counted so far is kept.  State is written behind every
 * slice of shards, while all of the input could be read, and gone on with where it is there. */
struct fact_reading {
    const struct winnow_study_options *opt;
    const struct winnow_list *paths;
    const char *state;    /* file; NULL: none */
    uint64_t slice_bytes; /* of shards between two states */
};
#define FACT_SLICE_BYTES ((uint64_t)256 << 20)

winnow_status fact_counts_corpus(struct fact_counts *c, const struct fact_reading *reading,
                                 const struct winnow_env *env, struct winnow_error *err);

uint64_t fact_counts_subject(const struct fact_counts *c, uint32_t subject);
uint64_t fact_counts_pair(const struct fact_counts *c, uint32_t subject, uint32_t object);
uint64_t fact_counts_pattern(const struct fact_counts *c, uint32_t pattern, uint32_t object);
uint64_t fact_counts_fact(const struct fact_counts *c, uint32_t pattern, uint32_t subject,
                          uint32_t object);

#endif /* WINNOW_STUDY_FACT_COUNTS_H */
