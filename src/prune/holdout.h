/* holdout.h -- the stage `holdout`: sets a share of the documents aside. */
#ifndef WINNOW_PRUNE_HOLDOUT_H
#define WINNOW_PRUNE_HOLDOUT_H

#include "run/stage.h"

extern const struct stage_kind HOLDOUT_STAGE;

#endif /* WINNOW_PRUNE_HOLDOUT_H */
