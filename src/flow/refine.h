#ifndef WINNOW_FLOW_REFINE_H
#define WINNOW_FLOW_REFINE_H

#include "run/stage.h"

extern const struct stage_kind REFINE_STAGE;

#endif /* WINNOW_FLOW_REFINE_H */
