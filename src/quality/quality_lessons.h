/* quality_lessons.h -- what one example of a training says, and what it moves.
 *
 * There are three kinds:
 *
 *     a text        that is good or bad                loss = -ln p(its label)
 *     a mixture     of two texts of one label, made    the same at (1 - mix) h(a) + mix h(b)
 *                   so that a rare label is not rare   (SMOTE, Chawla et al. 2002)
 *     a judgement   a is better than b, with           loss = -y ln p - (1 - y) ln(1 - p),
 *                   probability y                      p = 1 / (1 + exp(r(b) - r(a)))
 *
 * where r is the difference of the labels' logits: a Bradley-Terry model whose worth of a
 * text is the quality model's.  Judgements can be smoothed: after each epoch
 *
 *     y <- (1 - smooth) y + smooth p
 *
 * so that one which the others speak against fades before it is learned by heart (after
 * iterative data smoothing, Zhu, Jordan and Jiao 2401.16335; labels persist).
 */
#ifndef WINNOW_QUALITY_QUALITY_LESSONS_H
#define WINNOW_QUALITY_QUALITY_LESSONS_H

#include "base/pool.h"
#include "quality/quality_examples.h"
#include "quality/quality_net.h"

#define LESSON_ONE UINT32_MAX /* as b: there is no second text */

struct quality_lesson {
    uint32_t a, b; /* examples */
    float mix;     /* a mixture's share of b */
    float weight;  /* of its gradient */
    float target;  /* probability of good, or of a being better */
};

/* What a judgement's model makes of judgements. */
struct quality_epoch {
    double loss, held_loss; /* mean, against the labels as they were given */
    double held_right; /* share of those held out whose better one is rated better; equal: half */
};

struct quality_lessons {
    struct quality_lesson *items;
    size_t count, cap;
    bool judgements;             /* all are */
    double smooth;               /* 0: labels stay */
    float *given;                /* of judgements: the targets as they were */
    struct quality_lesson *held; /* judgements to measure with */
    size_t held_count, held_cap;
    struct quality_epoch *epochs; /* one for each that has ended, filled by the training */
    size_t epoch_count;
};
void quality_lessons_release(struct quality_lessons *l);

void quality_lessons_add(struct quality_lessons *l, struct quality_lesson lesson);
void quality_lessons_hold(struct quality_lessons *l, struct quality_lesson lesson);

/* A lesson of every example that is not held out. */
void quality_lessons_of(const struct quality_examples *e, struct quality_lessons *out);

uint64_t quality_lessons_bytes(const struct quality_lessons *l);
uint64_t quality_lessons_hash(const struct quality_lessons *l);

/* The two texts of a lesson and what they move. */
struct lesson_room {
    struct fasttext_ids ids[2], hashes;
    struct quality_gradient g[2];
    unsigned texts;   /* of the lesson: 1 or 2 */
    unsigned outputs; /* how many of the gradients move the labels' rows */
    double loss;
};
void lesson_room_init(struct lesson_room *r, uint32_t dim);
void lesson_room_release(struct lesson_room *r);

/* Fills the room with loss and gradients. */
void lesson_read(const struct quality_net *net, const struct quality_examples *e,
                 const struct fasttext_args *args, const struct quality_lesson *lesson,
                 bool judgement, struct lesson_room *room);
void lesson_move_rows(struct quality_net *net, const struct lesson_room *room, uint32_t shards,
                      uint32_t shard, float rate);
void lesson_move_output(struct quality_net *net, const struct lesson_room *room, float rate);

/* The end of an epoch: measures, then smooths. */
void quality_lessons_epoch(struct quality_lessons *l, const struct quality_net *net,
                           const struct quality_examples *e, const struct fasttext_args *args,
                           struct pool *pool);

#endif /* WINNOW_QUALITY_QUALITY_LESSONS_H */
