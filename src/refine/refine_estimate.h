/* refine_estimate.h -- what refining with a language model would take, for --dry-run. */
#ifndef WINNOW_REFINE_REFINE_ESTIMATE_H
#define WINNOW_REFINE_REFINE_ESTIMATE_H

#include "winnow/refine.h"

#include "run/stage.h"

/* Requests and tokens from the options and the plan's text; seconds from a trial of a
 * few seconds with the model itself, 0 where a server has it.  What cannot be found
 * out is said in out->note. */
void refine_estimate_words(const struct winnow_refine_options *opt, const struct stage_plan *plan,
                           struct stage_estimate *out);

#endif /* WINNOW_REFINE_REFINE_ESTIMATE_H */
