/* quality.h -- the stage `quality`: what a classifier of texts makes of each document. */
#ifndef WINNOW_QUALITY_QUALITY_H
#define WINNOW_QUALITY_QUALITY_H

#include "run/stage.h"

extern const struct stage_kind QUALITY_STAGE;

#endif /* WINNOW_QUALITY_QUALITY_H */
