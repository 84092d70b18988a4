/* rules_stage.h -- the stage `rules`: the field's filters. */
#ifndef WINNOW_RULES_RULES_STAGE_H
#define WINNOW_RULES_RULES_STAGE_H

#include "run/stage.h"

extern const struct stage_kind RULES_STAGE;

#endif /* WINNOW_RULES_RULES_STAGE_H */
