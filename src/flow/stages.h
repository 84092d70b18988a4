/* stages.h -- every stage there is, and how one of them is run alone. */
#ifndef WINNOW_FLOW_STAGES_H
#define WINNOW_FLOW_STAGES_H

#include "run/driver.h"

/* In the order in which data meets them; ends with NULL. */
#define STAGE_KINDS_MAX 62
extern const struct stage_kind *const STAGE_KINDS[];

/* The stage of that name, or NULL. */
const struct stage_kind *stage_kind_find(struct str name);

/* What comes behind the last stage of a recipe, by the name of its section. */
struct ending_kind {
    const struct option_table *table; /* table->command is the section: "prove" */
    winnow_status (*run)(struct run *r, const void *options, const char *key,
                         struct winnow_error *err);
    winnow_status (*check)(struct run *r, const void *options,
                           struct winnow_error *err); /* before the stages; may be NULL */
    void (*estimate)(const void *options, const struct stage_plan *plan,
                     struct stage_estimate *out); /* may be NULL */
    const char *product; /* the file that is there when it is done; NULL: not in every run */
    bool always;         /* also where the recipe does not name it */
    bool uses_kernels;   /* its results depend on the kernel table */
};

/* In the order in which they run; ends with NULL. */
#define ENDING_KINDS_MAX 8
extern const struct ending_kind *const ENDING_KINDS[];

/* A run of one stage: `winnow rules corpus/ -o runs/x`.  options are of the
 * stage's table. */
winnow_status flow_stage(const char *command, const void *options,
                         const struct winnow_corpus_options *corpus, struct winnow_list paths,
                         const struct winnow_env *env, struct winnow_run_result *out,
                         struct winnow_error *err);

#endif /* WINNOW_FLOW_STAGES_H */
