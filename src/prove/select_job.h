/* select_job.h -- the selection of one seed: what a stage would do over a corpus, done by
 * the same selector over the pool that the seed draws. */
#ifndef WINNOW_PROVE_SELECT_JOB_H
#define WINNOW_PROVE_SELECT_JOB_H

#include "prove/experiment.h"

struct selection {
    size_t reference_end; /* on the pool set's line: the reference's documents end here */
    size_t pool_end;      /* and the pool here */
    uint64_t u, v;        /* the draws of the last document of each */
    double *scores;       /* of the documents between; NaN: none */
    uint16_t *chosen;     /* of each the arms that it is chosen for, a bit each */
    float *weights;       /* of each, where an arm uses them; NULL: none does */
    double reference_flops, scoring_flops, loss;
    uint64_t reference_tokens, scored_tokens;
};
void selection_release(struct selection *s);

/* folder is where checkpoints go; env reports progress. */
winnow_status select_job_run(const struct experiment *x, uint64_t seed, const char *folder,
                             const struct winnow_env *env, struct selection *out,
                             struct winnow_error *err);

/* The selection as a file, and back. */
winnow_status selection_write(const struct selection *s, const char *path,
                              struct winnow_error *err);
winnow_status selection_read(const char *path, struct selection *out, struct winnow_error *err);

/* The documents of arm `arm` under a seed, in training order.  s is NULL where
 * no arm is a band.  Fails where there are too few for the budget. */
winnow_status seed_arm_draw(const struct experiment *x, uint64_t seed, const struct selection *s,
                            uint32_t arm, struct arm_draw *out, struct winnow_error *err);

/* Fewest tokens that a pool must have. */
uint64_t pool_tokens_needed(const struct experiment *x);

#endif /* WINNOW_PROVE_SELECT_JOB_H */
