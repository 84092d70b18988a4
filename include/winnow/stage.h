/* stage.h -- any command from corpus to corpus, by name, with its options as JSON.
 *
 *     const char *const items[] = {"corpus/"};
 *     const struct winnow_list paths = {items, 1};
 *     winnow_stage("rules", "{\"sets\": [\"gopher\"]}", &paths, "runs/clean", &env, &result, &err);
 *
 * One door for every language: what a command takes stands in its option table, which
 * winnow_options_json() gives, and names, bounds and sentences are those of the command
 * line.  The typed functions of the other headers do the same with structs.
 *
 * Each of these may be called from several threads at once, for outputs of their own.
 */
#ifndef WINNOW_STAGE_H
#define WINNOW_STAGE_H

#include "winnow/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Runs `command` ("extract", "holdout", "rules", "refine", "dedup", "score", "prune", ...;
 * or "run", for which the one path is a recipe's file).
 *
 *   options  a JSON object, or NULL: the command's own options, those of every command from
 *            corpus to corpus, and threads, memory, seed and kernels, which stand in for
 *            env's members.  "_" in a name is "-".  {"rate": "30%", "memory": "8G"}
 *   paths    files, folders, patterns; "-" is standard input
 *   output   the run folder; "-": documents go to env->write; NULL: as options or the
 *            recipe say
 *
 * *out is filled in any case.  As with winnow_run() the same call goes on after an
 * interruption.  WINNOW_E_USAGE for a command, name or value that is not there. */
WINNOW_API winnow_status winnow_stage(const char *command, const char *options,
                                      const struct winnow_list *paths, const char *output,
                                      const struct winnow_env *env, struct winnow_run_result *out,
                                      struct winnow_error *err);

/* The same for a recipe that is no file: recipe is its text, YAML or JSON, ended by NUL;
 * options are those of "run". */
WINNOW_API winnow_status winnow_run_text(const char *recipe, const char *options,
                                         const char *output, const struct winnow_env *env,
                                         struct winnow_run_result *out, struct winnow_error *err);

/* The option tables as JSON: an object for a command ("prune", "tokenizer train"), an array
 * of all for NULL.  docs/library.md says what is in it.  *out is the caller's, to be freed by
 * winnow_bytes_free(); empty on failure (WINNOW_E_USAGE: no such command). */
WINNOW_API winnow_status winnow_options_json(const char *command, struct winnow_bytes *out,
                                             struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_STAGE_H */
