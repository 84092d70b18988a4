/* schedule.h -- the jobs of a proof, side by side, one thread each.
 *
 * A seed has one selection job (where an arm is a band) and one job an arm that
 * waits for it.  Jobs are taken in order of seeds, so that after an interruption
 * the first seeds are whole.  A job's result is a file under jobs/; a job whose
 * file is there is not run again.
 */
#ifndef WINNOW_PROVE_SCHEDULE_H
#define WINNOW_PROVE_SCHEDULE_H

#include "base/json_write.h"
#include "prove/arm_job.h"

/* Everything that was found out; results[seed index][arm], lives in keep. */
struct outcome {
    uint32_t seeds; /* whole ones, from the first */
    uint64_t *seed_values;
    struct arm_result **results;
    struct selection *selections; /* scores left out; NULL without bands */
    uint32_t jobs_done, jobs_found;
    struct arena keep;
};
void outcome_release(struct outcome *o);

/* seed_done is called after each seed that makes the run of whole seeds longer,
 * by one thread at a time. */
struct schedule_hooks {
    void *ctx;
    winnow_status (*seed_done)(void *ctx, const struct outcome *o, struct winnow_error *err);
};

winnow_status schedule_run(const struct experiment *x, const char *folder,
                           const struct schedule_hooks *hooks, struct outcome *out,
                           struct winnow_error *err);

/* Seconds that jobs took, in all processes that worked on the folder, as members
 * of the JSON array that w has open. */
winnow_status schedule_timings(const struct experiment *x, const char *folder,
                               struct json_writer *w, struct winnow_error *err);

#endif /* WINNOW_PROVE_SCHEDULE_H */
