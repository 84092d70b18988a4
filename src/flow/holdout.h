#ifndef WINNOW_FLOW_HOLDOUT_H
#define WINNOW_FLOW_HOLDOUT_H

#include "run/stage.h"

extern const struct stage_kind HOLDOUT_STAGE;

#endif /* WINNOW_FLOW_HOLDOUT_H */
