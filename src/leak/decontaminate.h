/* decontaminate.h -- the stage that keeps benchmarks out of a corpus. */
#ifndef WINNOW_LEAK_DECONTAMINATE_H
#define WINNOW_LEAK_DECONTAMINATE_H

#include "run/stage.h"

extern const struct stage_kind DECONTAMINATE_STAGE;

#endif /* WINNOW_LEAK_DECONTAMINATE_H */
