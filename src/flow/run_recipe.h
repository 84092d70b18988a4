/* run_recipe.h -- a recipe that is no file. */
#ifndef WINNOW_FLOW_RUN_RECIPE_H
#define WINNOW_FLOW_RUN_RECIPE_H

#include "winnow/run.h"

#include "base/str.h"

/* winnow_run() of a text; sentences call it "recipe". */
winnow_status run_recipe_text(struct str text, const struct winnow_run_options *opt,
                              const struct winnow_env *env, struct winnow_run_result *out,
                              struct winnow_error *err);

#endif /* WINNOW_FLOW_RUN_RECIPE_H */
