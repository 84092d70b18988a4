/* folder_internal.h -- the run folder itself: whose it is, and what of it holds. */
#ifndef WINNOW_RUN_FOLDER_INTERNAL_H
#define WINNOW_RUN_FOLDER_INTERNAL_H

#include "run/run_internal.h"

/* Makes the folder (refusing one with foreign content) and takes its lock, or
 * says who has it. */
winnow_status folder_lock(struct run *r, struct winnow_error *err);
void folder_unlock(struct run *r);

/* Finds the input of the first stage, spools a pipe where stages need it more
 * than once, and computes r->input_key; writes input.json. */
winnow_status folder_input(struct run *r, struct winnow_error *err);

/* Compares what is there with what is to be: removes what does not hold any
 * more, saying so, and marks stages that are complete. */
winnow_status folder_compare(struct run *r, struct winnow_error *err);

/* The key of everything: r's stages and endings. */
void folder_key(const struct run *r, char out[33]);

/* From the key before ending i (first: the last stage's) to that of ending i. */
void folder_next_key(const struct run *r, size_t i, char key[33]);

/* Takes away what says that the run is finished, and writes recipe.yaml. */
winnow_status folder_begin(struct run *r, struct winnow_error *err);

/* Estimates from a sample, and says so by env->log. */
winnow_status folder_dry_run(struct run *r, struct winnow_error *err);

/* A new empty folder under --temporary. */
winnow_status run_temporary_folder(struct run *r, const char **out, struct winnow_error *err);

/* documents/ of the last stage as documents/ of the run. */
winnow_status folder_link_documents(struct run *r, struct winnow_error *err);

/* The recipe as it was understood. */
winnow_status folder_write_recipe(struct run *r, struct winnow_error *err);

/* timings.json, with what earlier processes left of stages done before. */
winnow_status folder_write_timings(struct run *r, struct winnow_error *err);

#endif /* WINNOW_RUN_FOLDER_INTERNAL_H */
