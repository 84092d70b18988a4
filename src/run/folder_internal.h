/* folder_internal.h -- the run folder itself: whose it is, and what of it holds. */
#ifndef WINNOW_RUN_FOLDER_INTERNAL_H
#define WINNOW_RUN_FOLDER_INTERNAL_H

#include "run/run_internal.h"

/* Makes the folder (refusing one with foreign content) and takes its lock, or
 * says who has it. */
winnow_status folder_lock(struct run *r, struct winnow_error *err);
void folder_unlock(struct run *r);

/* Finds the input of the first stage, and refuses an output within it or around it.
 * Writes nothing. */
winnow_status folder_find_input(struct run *r, struct winnow_error *err);

/* Spools a pipe where stages need it more than once, and computes r->input_key. */
winnow_status folder_input(struct run *r, struct winnow_error *err);

/* Removes all that stages made. */
winnow_status folder_forget(struct run *r, struct winnow_error *err);

/* input.json: what was read, and what tells whether it is still the same. */
winnow_status folder_write_input(struct run *r, struct winnow_error *err);

/* Compares what is there with what is to be: marks stages that are complete and
 * removes what does not hold any more, saying so; refuses to where it is finished
 * and env->force is not set. */
winnow_status folder_compare(struct run *r, struct winnow_error *err);

/* Stages that are complete, but whose files are gone or cut, count as damaged, where they
 * are needed.  whole.c. */
void whole_stages(struct run *r);

/* Whether documents/ of the run is a folder and has all shards of the last stage, as files
 * of their size; else why says what is wrong.  whole.c. */
bool whole_documents(const struct run *r, struct buf *why);

/* r->prints, with what an earlier call knew, unless it is there. */
void folder_load_prints(struct run *r);

/* The key of everything: r's stages and endings.  After folder_compare(). */
const char *folder_key(const struct run *r);

/* Removes what other calls left: of a run over a pipe nothing can be gone on with. */
winnow_status folder_start_anew(struct run *r, struct winnow_error *err);

/* Warns where a run would be refused for what is in its folder; writes nothing. */
winnow_status folder_foresee(struct run *r, struct winnow_error *err);

/* Takes away what says that the run is finished, and writes recipe.yaml. */
winnow_status folder_begin(struct run *r, struct winnow_error *err);

/* Estimates from a sample, and says so by env->log. */
winnow_status folder_dry_run(struct run *r, struct winnow_error *err);

/* A new empty folder under --temporary. */
winnow_status run_temporary_folder(struct run *r, const char **out, struct winnow_error *err);

/* documents/ of the last stage as documents/ of the run.  A link in that place is replaced,
 * and where it leads is left alone. */
winnow_status folder_link_documents(struct run *r, struct winnow_error *err);

/* The recipe as it was understood. */
winnow_status folder_write_recipe(struct run *r, struct winnow_error *err);

/* timings.json, with what earlier processes left of stages done before. */
winnow_status folder_write_timings(struct run *r, struct winnow_error *err);

#endif /* WINNOW_RUN_FOLDER_INTERNAL_H */
