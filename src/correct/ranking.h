/* ranking.h -- documents by their influence: the order, how far the first stand out, and the list
 * that people read. */
#ifndef WINNOW_CORRECT_RANKING_H
#define WINNOW_CORRECT_RANKING_H

#include "corpus/document.h"
#include "correct/recall.h"

/* Usual spreads above the median from which on a document stands out. */
#define RANKING_STANDS_OUT 8.0

struct ranking {
    const struct feature_texts *texts; /* borrowed, as is influence */
    const struct influence *influence; /* by row */
    uint32_t *order;                   /* rows that have any, by falling influence */
    size_t count;
    /* The spread is 1.4826 times the median distance from the median: the standard deviation of a
     * bell, whatever lies far out. */
    double median, spread;
    size_t stand_out; /* how many are that far above it */
};

winnow_status ranking_make(const struct feature_texts *texts, const struct influence *influence,
                           struct ranking *out, struct winnow_error *err);
void ranking_release(struct ranking *r);

/* By how many spreads the document of this rank (from 0) lies above the median. */
double ranking_height(const struct ranking *r, size_t rank);

/* The first `listed` as JSON lines into path: rank, id, shard and document there, influence,
 * height, tokens, whether it is unlearned (rank below top), and the passage that has the most
 * influence.  Reads the corpus once more. */
struct ranking_list {
    struct winnow_list paths;
    struct document_keys keys;
    size_t listed, top;
    uint32_t context;
    const struct tokenizer *tokenizer;
    const char *path;
};
winnow_status ranking_write(const struct ranking *r, const struct ranking_list *list,
                            const struct winnow_env *env, struct winnow_error *err);

#endif /* WINNOW_CORRECT_RANKING_H */
