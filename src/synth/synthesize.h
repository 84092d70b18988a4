/* synthesize.h -- the stage `synthesize` for the registry; its files say the rest. */
#ifndef WINNOW_SYNTH_SYNTHESIZE_H
#define WINNOW_SYNTH_SYNTHESIZE_H

#include "run/stage.h"

extern const struct stage_kind SYNTHESIZE_STAGE;

#endif /* WINNOW_SYNTH_SYNTHESIZE_H */
