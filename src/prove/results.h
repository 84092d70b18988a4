/* results.h -- findings as docs/formats/prove.md has them, and in words. */
#ifndef WINNOW_PROVE_RESULTS_H
#define WINNOW_PROVE_RESULTS_H

#include "base/json_write.h"
#include "option/option.h"
#include "prove/measures.h"

/* results.json; table describes the options for the settings block. */
void results_write(const struct findings *f, const struct option_table *table, struct buf *out);

/* A table for the terminal. */
void results_table(const struct findings *f, struct buf *out);

/* Plain sentences, each ended by a line feed, most important first. */
void results_sentences(const struct findings *f, struct buf *out);

/* Ways to train (prove/arm_way.h) as members of results.json, and in words: how blocks went, how
 * many passes over its documents a corpus stands. */
void results_write_ways(const struct findings *f, struct json_writer *w);
void results_way_sentences(const struct findings *f, struct buf *out);

/* Means over seeds of what an arm's models cost, in FLOPs. */
struct arm_cost {
    double training;
    double preparation;        /* of the stages that made its corpus, or the pool it is cut from */
    double reference, scoring; /* of this seed's selection */
    double selection, total;   /* the last three together, and all */
};
struct arm_cost arm_cost(const struct findings *f, uint32_t arm);

/* FLOPs that went into the arm's corpus beyond those that went into the baseline's. */
double arm_preparation(const struct findings *f, uint32_t arm);

/* How many tokens of training make the selection worth its cost; NaN with the
 * reason where none do. */
double break_even(const struct findings *f, uint32_t arm, const char **reason);

/* Steps saved by the learning curve that belongs to the primary measure. */
const struct steps_ratio *primary_ratio(const struct findings *f, uint32_t arm);

/* 1 better, -1 worse, 0 not told apart from the baseline. */
int cell_verdict(const struct findings *f, uint32_t measure, const struct cell *c);

#endif /* WINNOW_PROVE_RESULTS_H */
