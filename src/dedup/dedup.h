/* dedup.h -- the stage `dedup`: one of each text stays. */
#ifndef WINNOW_DEDUP_DEDUP_H
#define WINNOW_DEDUP_DEDUP_H

#include "run/stage.h"

extern const struct stage_kind DEDUP_STAGE;

#endif /* WINNOW_DEDUP_DEDUP_H */
