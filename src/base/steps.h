/* steps.h -- the loop of a long computation made of short steps, as trainings are.
 *
 * What lies between two steps is the same for all of them: whoever asked to stop is heard,
 * progress is told, and a checkpoint is left now and then, and before stopping.
 */
#ifndef WINNOW_BASE_STEPS_H
#define WINNOW_BASE_STEPS_H

#include "base/env.h"

struct steps {
    void *of;
    /* One more step, of less than a second where that can be; its loss. */
    winnow_status (*step)(void *of, double *loss, struct winnow_error *err);
    /* Leaves a checkpoint of the steps so far; NULL: none is kept. */
    winnow_status (*save)(void *of, struct winnow_error *err);
    double save_seconds; /* between two checkpoints at least */

    uint64_t from, to;  /* steps that an earlier process did; steps in all */
    const char *stage;  /* name for progress; NULL: silent */
    const char *unit;   /* what progress counts, */
    uint64_t unit_size; /* this many of it a step */
};

/* WINNOW_E_CANCELLED when asked to stop, after a checkpoint; WINNOW_E_INTERNAL where a loss
 * is no number; what step and save return. */
winnow_status steps_run(const struct steps *s, const struct winnow_env *env,
                        struct winnow_error *err);

#endif /* WINNOW_BASE_STEPS_H */
