/* step.h -- one step of the schedule: what trainer.c and lora.c have in common. */
#ifndef WINNOW_TRAIN_STEP_H
#define WINNOW_TRAIN_STEP_H

#include "math/kernels.h"
#include "train/trainer.h"

/* Added since the last update. */
struct step_sums {
    double nll, flops;
    uint64_t targets, tokens;
};

/* Counts a batch whose targets lost nll. */
void step_sums_add(struct step_sums *s, const struct model_config *c, const struct token_batch *b,
                   double nll);

/* What AdamW does at this step to a gradient of this norm: WINNOW_E_INTERNAL for one that is
 * not finite. */
winnow_status step_plan(const struct trainer_options *o, uint64_t step, double norm,
                        struct adamw_step *out, struct winnow_error *err);

/* The step's result; the sums begin anew. */
struct trainer_result step_end(struct step_sums *s, const struct trainer_options *o, uint64_t step,
                               double norm);

#endif /* WINNOW_TRAIN_STEP_H */
