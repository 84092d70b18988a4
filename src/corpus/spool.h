/* spool.h -- a pipe becomes a file, for who has to read it more than once.
 *
 * A pipe gives its bytes once; a second reading finds it empty, and nothing says
 * so.  Whoever makes two passes over a corpus spools first. */
#ifndef WINNOW_CORPUS_SPOOL_H
#define WINNOW_CORPUS_SPOOL_H

#include "base/arena.h"
#include "base/env.h"

/* Everything of a pipe ("-": standard input) into the file path: whole or not at all.  One
 * that is empty does not replace what an earlier one left there. */
winnow_status spool_pipe(const char *pipe, const char *path, const struct winnow_env *env,
                         struct winnow_error *err);

/* Whether standard input ends without a byte; waits for the first one of a pipe. */
bool spool_has_nothing(void);

/* The same paths with the pipes among them spooled into folder, which is made
 * where needed ("stdin.jsonl", "stdin-1.jsonl" ...).  out lives in keep. */
winnow_status spool_paths(const struct winnow_list *paths, const char *folder,
                          const struct winnow_env *env, struct arena *keep, struct winnow_list *out,
                          struct winnow_error *err);

/* Removes what spool_paths() made of paths. */
void spool_remove(const struct winnow_list *paths, const struct winnow_list *spooled);

/* The name of the i-th spooled pipe of a folder, "folder/stdin.jsonl". */
const char *spool_name(const char *folder, size_t i, struct arena *keep);

#endif /* WINNOW_CORPUS_SPOOL_H */
