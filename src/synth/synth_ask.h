/* synth_ask.h -- a model writes: requests out, answers into the store, in their order. */
#ifndef WINNOW_SYNTH_SYNTH_ASK_H
#define WINNOW_SYNTH_SYNTH_ASK_H

#include "run/stage.h"
#include "synth/synth_answers.h"
#include "synth/synth_plan.h"

/* Who writes: {"model", "hash"}, kept in state/writer.json. */
struct synth_model {
    struct buf name, hash; /* hash: of a model here */
};
void synth_model_release(struct synth_model *m);

/* Asks for all that the plan wants and the store does not have; nothing is opened where that is
 * nothing. */
winnow_status synth_ask(struct stage *stage, const struct winnow_synthesize_options *opt,
                        const struct synth_plan *plan, const struct synth_seeds *seeds,
                        struct synth_answers *answers, struct synth_model *model,
                        struct winnow_error *err);

#endif /* WINNOW_SYNTH_SYNTH_ASK_H */
