#ifndef WINNOW_FLOW_EXTRACT_H
#define WINNOW_FLOW_EXTRACT_H

#include "run/stage.h"

extern const struct stage_kind EXTRACT_STAGE;

#endif /* WINNOW_FLOW_EXTRACT_H */
