#include "option/model_options.h"

const char *const SMALL_MODEL_COMPUTE[] = {"f32", "bf16", NULL};
const char *const SCORING_COMPUTE[] = {"f32", "bf16", "int8", NULL};
const char *const SMALL_MODEL_OPTIMIZER[] = {"adamw", "muon", NULL};
