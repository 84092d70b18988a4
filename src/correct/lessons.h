/* lessons.h -- what each step of a correction is made of: pairs of the passage by which a
 * document taught most and one of a document that taught nothing of it, and neutral text.
 *
 * A step's rows are drawn from the seed and the step's number alone, so that a training that goes
 * on finds the same ones. */
#ifndef WINNOW_CORRECT_LESSONS_H
#define WINNOW_CORRECT_LESSONS_H

#include "correct/ranking.h"
#include "train/unlearn.h"

/* Of the neutral documents, those that only measure. */
#define LESSONS_HELD_OUT 0.1

struct lessons {
    const struct ranking *ranking;
    size_t top; /* the first of the ranking are unlearned; pairs come from its second half */
    const struct feature_texts *neutral;
    size_t *train, *held; /* rows of neutral */
    size_t train_count, held_count;
    uint64_t seed, batch_tokens;
    uint32_t context;
    uint32_t *shuffled;
    struct tune_batch pairs, text;
};

/* WINNOW_E_FORMAT where neutral holds fewer than two documents with anything to predict. */
winnow_status lessons_open(struct lessons *l, const struct ranking *ranking, size_t top,
                           const struct feature_texts *neutral, struct winnow_error *err);
void lessons_release(struct lessons *l);

/* The next of struct unlearn_options, with ctx a struct lessons. */
winnow_status lessons_next(void *lessons, uint64_t step, struct unlearn_batch *out,
                           struct winnow_error *err);

/* Mean loss of rows, a batch at a time. */
winnow_status lessons_loss(struct engine *e, const struct feature_texts *t, const size_t *rows,
                           size_t count, uint32_t context, double *out, struct winnow_error *err);

#endif /* WINNOW_CORRECT_LESSONS_H */
