/* synth_near.h -- near-copies among what was written, by the pieces of `dedup --method minhash`.
 *
 * Every answer that may stay gets a signature of 28 bands of 4 numbers (at a Jaccard index of
 * .5 five of six pairs share a band, at .8 all but one in a million); candidates are compared by
 * their 5-word shingles, exactly.  Of each group that hangs together the first stays.
 */
#ifndef WINNOW_SYNTH_SYNTH_NEAR_H
#define WINNOW_SYNTH_SYNTH_NEAR_H

#include "dedup/minhash.h"
#include "dedup/near_sets.h"
#include "dedup/signatures.h"

/* All-zero is empty. */
struct synth_near {
    const char *folder;
    struct buf records, names; /* paths */
    struct minhash hash;
    const struct near_alphabet *alphabet;
    struct signatures_writer writer;
    struct near_sets *sets;
    double threshold;
    bool open;
};

/* folder is the stage's state/; answers: how many there may be. */
winnow_status synth_near_open(struct synth_near *n, const char *folder,
                              const struct near_alphabet *alphabet, double threshold,
                              uint64_t answers, struct winnow_error *err);
void synth_near_release(struct synth_near *n);

uint64_t synth_near_memory(uint64_t answers);

/* A signature's numbers, and where the thread works. */
#define SYNTH_BANDS   28U
#define SYNTH_ROWS    4U
#define SYNTH_NUMBERS (SYNTH_BANDS * SYNTH_ROWS)
struct synth_near_scratch {
    struct minhash_scratch hash;
    struct buf set;
};
void synth_near_scratch_release(struct synth_near_scratch *s);
struct synth_sign {
    uint64_t words; /* 0: takes no part */
    uint32_t numbers[SYNTH_NUMBERS];
};

/* On any thread. */
winnow_status synth_near_sign(struct synth_near *n, struct synth_near_scratch *s, uint64_t answer,
                              struct str text, struct synth_sign *out, struct winnow_error *err);

/* In order, of every answer. */
winnow_status synth_near_add(struct synth_near *n, uint64_t answer, const struct synth_sign *sign,
                             struct winnow_error *err);

/* When all are there: calls each with every answer that goes, and the one that stays. */
winnow_status synth_near_find(struct synth_near *n, const struct winnow_env *env,
                              void (*each)(void *ctx, uint64_t answer, uint64_t kept,
                                           double similarity),
                              void *ctx, struct winnow_error *err);

#endif /* WINNOW_SYNTH_SYNTH_NEAR_H */
