#ifndef WINNOW_FLOW_RULES_STAGE_H
#define WINNOW_FLOW_RULES_STAGE_H

#include "run/stage.h"

extern const struct stage_kind RULES_STAGE;

#endif /* WINNOW_FLOW_RULES_STAGE_H */
