/* prune.h -- the stage `prune`: keeps a band of scores. */
#ifndef WINNOW_PRUNE_PRUNE_H
#define WINNOW_PRUNE_PRUNE_H

#include "run/stage.h"

extern const struct stage_kind PRUNE_STAGE;

#endif /* WINNOW_PRUNE_PRUNE_H */
