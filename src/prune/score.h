/* score.h -- the stage `score`: the NLL of each document, as attribute. */
#ifndef WINNOW_PRUNE_SCORE_H
#define WINNOW_PRUNE_SCORE_H

#include "run/stage.h"

extern const struct stage_kind SCORE_STAGE;

#endif /* WINNOW_PRUNE_SCORE_H */
