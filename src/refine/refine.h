/* refine.h -- the stage `refine`: each document gets its own program. */
#ifndef WINNOW_REFINE_REFINE_H
#define WINNOW_REFINE_REFINE_H

#include "run/stage.h"

extern const struct stage_kind REFINE_STAGE;

#endif /* WINNOW_REFINE_REFINE_H */
