#ifndef WINNOW_FLOW_SCORE_H
#define WINNOW_FLOW_SCORE_H

#include "run/stage.h"

extern const struct stage_kind SCORE_STAGE;

#endif /* WINNOW_FLOW_SCORE_H */
