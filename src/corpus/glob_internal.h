/* glob_internal.h -- does a path fit a pattern? */
#ifndef WINNOW_CORPUS_GLOB_INTERNAL_H
#define WINNOW_CORPUS_GLOB_INTERNAL_H

#include <stdbool.h>

/* Component by component: *, ?, [a-z], [!a-z] within one, ** for any number of
 * whole ones. */
bool glob_match(const char *pattern, const char *path);

/* Whether the pattern may fit a path within the folder; a dot in front of a name is there a
 * character like others, so that what a walk passes over can be told. */
bool glob_leads_into(const char *pattern, const char *folder);

#endif /* WINNOW_CORPUS_GLOB_INTERNAL_H */
