/* group_names.h -- what a cluster is about, by the words that set it apart.
 *
 * Of each cluster some documents are drawn, and the beginnings of their texts; a word counts once
 * a document.  Words are ranked by the log-odds of being in a document of the cluster against
 * being in one of the others, in units of its standard error, and stand as they do where the
 * corpus first has them. */
#ifndef WINNOW_GROUPS_GROUP_NAMES_H
#define WINNOW_GROUPS_GROUP_NAMES_H

#include "run/stage.h"

#define GROUP_NAMES 6U /* words a cluster */

/* Of a document: its cluster, where it is one of those drawn; else SIZE_MAX.  By ordinal. */
struct group_drawn {
    size_t (*cluster_of)(const void *ctx, uint64_t ordinal);
    const void *ctx;
    size_t k;
};

/* names[cluster * GROUP_NAMES + i], "" where there are fewer; in keep. */
winnow_status group_names_find(struct stage *s, const struct group_drawn *drawn, const char **names,
                               struct arena *keep, struct winnow_error *err);

#define GROUP_NAMES_MEMORY ((uint64_t)32 << 20)

#endif /* WINNOW_GROUPS_GROUP_NAMES_H */
