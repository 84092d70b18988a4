/* names.c -- values of options by name, where more than one table or module has them.
 *
 * Each list is in the order of its enum, so that an index is the value. */
#include "winnow/prune.h"
#include "winnow/refine.h"

#include "option/model_options.h"
#include "option/server_options.h"
#include "option/tables.h"
#include "option/text_options.h"

const char *const CRITERION_NAMES[] = {
    [WINNOW_LOW] = "low", [WINNOW_MEDIUM] = "medium", [WINNOW_HIGH] = "high", NULL};

const char *const DIALECT_NAMES[] = {[WINNOW_DIALECT_WINNOW] = "winnow",
                                     [WINNOW_DIALECT_REFINEX] = "refinex",
                                     [WINNOW_DIALECT_ULTRAX] = "ultrax",
                                     [WINNOW_DIALECT_PROX] = "prox",
                                     NULL};

const char *const LONG_LINE_NAMES[] = {"skip", "send", "truncate", NULL};
const char *const CHAT_NAMES[] = {"plain", "chatml", NULL};
const char *const TEMPLATE_NAMES[] = {"auto", "plain", "llama-2", "chatml", NULL};

const char *const SMALL_MODEL_COMPUTE[] = {"f32", "bf16", NULL};
const char *const SCORING_COMPUTE[] = {"f32", "bf16", "int8", NULL};
const char *const SMALL_MODEL_OPTIMIZER[] = {"adamw", "muon", "sgd", NULL};

const char *const SAMPLER_NAMES[] = {[WINNOW_UNIFORM] = "uniform",
                                     [WINNOW_LFR] = "lfr",
                                     [WINNOW_REWEIGHT] = "reweight",
                                     [WINNOW_OPUS] = "opus",
                                     [WINNOW_GREATS] = "greats",
                                     [WINNOW_RESAMPLE] = "resample",
                                     NULL};
const char *const FOCUS_NAMES[] = {[WINNOW_FOCUS_HARD] = "hard",
                                   [WINNOW_FOCUS_RANDOM] = "random",
                                   [WINNOW_FOCUS_NONE] = "none",
                                   NULL};
const char *const CURVE_NAMES[] = {[WINNOW_LINUPPER] = "linupper",
                                   [WINNOW_QUADRATIC] = "quadratic",
                                   [WINNOW_EXTREMES] = "extremes",
                                   NULL};

const char *const SERVER_KINDS[] = {"auto", "llama.cpp", "vllm", "sglang", "openai", NULL};

const char *const TEXT_ON_BAD[] = {"skip", "stop", NULL};
