/* select_story.h -- what is told of a choice beside its numbers: how many groups of near-copies
 * and clusters the picks are, what top-k would have taken, a few picks with the documents that are
 * nearest to each.  It decides nothing. */
#ifndef WINNOW_SELECT_SELECT_STORY_H
#define WINNOW_SELECT_SELECT_STORY_H

#include "base/json_write.h"
#include "corpus/document.h"
#include "select/choice.h"

#include <pthread.h>

#define STORY_PICKS      6U
#define STORY_NEIGHBOURS 3U
#define STORY_INSTEAD    6U
#define STORY_DOCUMENTS  (STORY_PICKS * (1U + STORY_NEIGHBOURS) + STORY_INSTEAD)

/* Of a list of picks, the first STORY_SAMPLE of them. */
#define STORY_SAMPLE 500U
struct story_groups {
    size_t picks, groups, clusters;
};

struct story_near {
    uint32_t row;
    double cosine;
};

struct story_pick {
    uint32_t row;
    size_t order;
    double weight, gain;
    struct story_near near[STORY_NEIGHBOURS];
    size_t near_count;
};

/* A document that is shown. */
struct story_document {
    uint32_t row;
    char *id, *text;
};

/* How near the sum of the first picks, by their weights, points to the mean of the target's
 * examples, after each of STORY_POINTS equal shares of the picks. */
#define STORY_POINTS 32U
struct story_course {
    size_t picks[STORY_POINTS];
    double cosine[STORY_POINTS];
    size_t count;
};

/* All-zero tells nothing. */
struct story {
    bool told;
    struct story_groups chosen, top;
    bool has_top;
    struct story_course course, top_course;
    size_t shared;                             /* of the budget, with top-k's */
    struct choice_pick instead[STORY_INSTEAD]; /* that top-k takes first and this did not */
    size_t instead_count;
    struct story_pick picks[STORY_PICKS];
    size_t pick_count;
    struct story_document documents[STORY_DOCUMENTS];
    size_t document_count;
    pthread_mutex_t *lock; /* of the documents, the caller's */
};

/* p is the problem that c solves. */
winnow_status story_find(const struct choice_problem *p, const struct choice *c, struct story *out,
                         struct winnow_error *err);
void story_release(struct story *s);

/* Keeps what is shown of the row's document, if it is shown; from any thread. */
void story_meet(struct story *s, uint32_t row, const struct document *d);

/* Members of the object that w has open. */
void story_write(const struct story *s, const struct choice *c, struct json_writer *w);

#endif /* WINNOW_SELECT_SELECT_STORY_H */
