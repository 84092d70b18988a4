/* mask.h -- the stage that puts placeholders where personal data and addresses stand. */
#ifndef WINNOW_MASK_MASK_H
#define WINNOW_MASK_MASK_H

#include "run/stage.h"

extern const struct stage_kind MASK_STAGE;

#endif /* WINNOW_MASK_MASK_H */
