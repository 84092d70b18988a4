/* diversify.h -- the stage `diversify`: documents in clusters, and fewer that say the same. */
#ifndef WINNOW_GROUPS_DIVERSIFY_H
#define WINNOW_GROUPS_DIVERSIFY_H

#include "run/stage.h"

#define DIVERSIFY_COMMAND   "diversify"
#define DIVERSIFY_ATTRIBUTE "diversify"       /* the attribute folder */
#define DIVERSIFY_CLUSTER   "winnow__cluster" /* of a document, in it */

extern const struct stage_kind DIVERSIFY_STAGE;

#endif /* WINNOW_GROUPS_DIVERSIFY_H */
