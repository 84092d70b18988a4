/* batch_choice.h -- which candidates make a batch: greedy by gain, or by chance with odds that rise
 * with it, each pick lowering what is like it.
 *
 * Candidate i promises gain[i] a token.  With S what is picked so far, its gain becomes
 *
 *     gain[i] - penalty * <sketch[i], sum over S of tokens[j] sketch[j]>
 *
 * sketch[i] being that of its mean gradient as the optimizer would step.  greats (Wang et al.
 * 2024): the largest gain is picked.  opus (after Wang et al. 2026, 2602.05400): the pick is drawn
 * with odds exp(z / temperature), z being the gain in standard deviations of those that are left.
 */
#ifndef WINNOW_TRAIN_BATCH_CHOICE_H
#define WINNOW_TRAIN_BATCH_CHOICE_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>

struct choice_of_batch {
    const double *gain;
    const uint32_t *tokens; /* a candidate without any is not picked */
    size_t count;
    const float *sketches; /* [count][width]; NULL: nothing is alike */
    size_t width;
    double penalty;
    uint64_t budget;    /* tokens; picks end with the one that reaches it */
    double temperature; /* of opus; 0: the largest gain */
    struct rng *rng;    /* of opus */
};

/* Numbers of scratch. */
size_t batch_choice_scratch(const struct choice_of_batch *c);

/* Picks in their order into picks[count]; returns how many.  Ties: the first candidate. */
size_t batch_choice(const struct choice_of_batch *c, size_t *picks, double *scratch);

#endif /* WINNOW_TRAIN_BATCH_CHOICE_H */
