/* synth_learn.h -- what templates know of the corpus: how rare words are, words and answers
 * that could stand in others' place, and which seeds speak of the same. */
#ifndef WINNOW_SYNTH_SYNTH_LEARN_H
#define WINNOW_SYNTH_SYNTH_LEARN_H

#include "base/pool.h"
#include "synth/synth_relations.h"
#include "synth/synth_seeds.h"
#include "synth/synth_sentences.h"

#include <stdatomic.h>

/* Texts that could stand for each other, in the order of the seeds; as many as fit. */
struct synth_stock {
    struct str *items;
    size_t count, cap;
};
#define SYNTH_STOCK_MAX 8192U

struct synth_topic {
    uint64_t topic; /* a word, and the cluster */
    uint32_t seed;  /* in the order of asking */
};

struct synth_learned {
    size_t seeds;
    struct synth_count {
        _Atomic uint32_t seeds; /* that hold a word */
    } * counts;                 /* by its hash; 1 << SYNTH_COUNT_BITS */
    struct synth_stock words[SYNTH_SHAPES];
    struct synth_stock answers[2 * SYNTH_RELATIONS_MAX]; /* places and things; then times */
    struct synth_topic *topics;                          /* by topic, then seed */
    uint64_t *topic_of;                                  /* a seed's; 0: none */
    struct arena keep;
};
#define SYNTH_COUNT_BITS 20U

winnow_status synth_learn(const struct synth_seeds *seeds, struct pool *pool,
                          const struct winnow_env *env, struct synth_learned *out,
                          struct winnow_error *err);
void synth_learned_release(struct synth_learned *l);
uint64_t synth_learn_memory(uint64_t seeds);

/* ln(seeds / seeds that hold it), with 1 added to both. */
double synth_rarity(const struct synth_learned *l, uint64_t word);

/* Whether a word is worth asking for: of some length, and in no more than a quarter of seeds. */
bool synth_is_telling(const struct synth_learned *l, const struct synth_word *w);

/* Which stock an answer belongs to; SIZE_MAX: it is too long to be chosen. */
size_t synth_stock_of(const struct synth_fact *f);

/* The word that the text is about, or NULL: of those that other seeds have, too, the one with the
 * most rarity times occurrences.
 * Sorts the words by their hashes. */
const struct synth_word *synth_topic_word(const struct synth_learned *l, struct synth_words *words);

#endif /* WINNOW_SYNTH_SYNTH_LEARN_H */
