#ifndef WINNOW_FLOW_DEDUP_H
#define WINNOW_FLOW_DEDUP_H

#include "run/stage.h"

extern const struct stage_kind DEDUP_STAGE;

#endif /* WINNOW_FLOW_DEDUP_H */
