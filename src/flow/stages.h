/* stages.h -- every stage there is, and how one of them is run alone. */
#ifndef WINNOW_FLOW_STAGES_H
#define WINNOW_FLOW_STAGES_H

#include "run/driver.h"

/* In the order in which data meets them; ends with NULL. */
extern const struct stage_kind *const STAGE_KINDS[];

/* The stage of that name, or NULL. */
const struct stage_kind *stage_kind_find(struct str name);

/* A run of one stage: `winnow rules corpus/ -o runs/x`.  options are of the
 * stage's table. */
winnow_status flow_stage(const char *command, const void *options,
                         const struct winnow_corpus_options *corpus, struct winnow_list paths,
                         const struct winnow_env *env, struct winnow_run_result *out,
                         struct winnow_error *err);

#endif /* WINNOW_FLOW_STAGES_H */
