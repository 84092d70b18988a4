/* mix.h -- the stage `mix`. */
#ifndef WINNOW_MIX_MIX_H
#define WINNOW_MIX_MIX_H

#include "run/stage.h"

extern const struct stage_kind MIX_STAGE;

#endif /* WINNOW_MIX_MIX_H */
