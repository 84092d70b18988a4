#ifndef WINNOW_REFINE_REFINE_H
#define WINNOW_REFINE_REFINE_H

#include "run/stage.h"

extern const struct stage_kind REFINE_STAGE;

#endif /* WINNOW_REFINE_REFINE_H */
