/* prune_groups.h -- what has a band of its own: sources, values of a member, clusters. */
#ifndef WINNOW_PRUNE_PRUNE_GROUPS_H
#define WINNOW_PRUNE_PRUNE_GROUPS_H

#include "winnow/prune.h"

#include "prune/prune_survey.h"

#define PRUNE_BY_CLUSTER "cluster"
#define PRUNE_NO_GROUP   "(none)" /* documents without the member, or in no cluster */

/* What the options say: NULL, "source", "cluster" or a member. */
const char *prune_by(const struct winnow_prune_options *o);

/* After survey_add() of the document, with its lock held, where a member tells groups. */
void prune_group_document(struct survey *s, const char *by, const struct document *d);

/* After all of them: clusters, of the attributes that were given or of a stage before. */
winnow_status prune_group_clusters(struct stage *stage, const struct winnow_prune_options *o,
                                   struct survey *s, struct winnow_error *err);

/* Where none has the member, or all are in no cluster. */
winnow_status prune_groups_check(const struct survey *s, const char *by, struct winnow_error *err);

#endif /* WINNOW_PRUNE_PRUNE_GROUPS_H */
