/* glob_internal.h -- does a path fit a pattern? */
#ifndef WINNOW_CORPUS_GLOB_INTERNAL_H
#define WINNOW_CORPUS_GLOB_INTERNAL_H

#include <stdbool.h>

/* Component by component: *, ?, [a-z], [!a-z] within one, ** for any number of
 * whole ones. */
bool glob_match(const char *pattern, const char *path);

#endif /* WINNOW_CORPUS_GLOB_INTERNAL_H */
