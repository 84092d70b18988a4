#ifndef WINNOW_OPTION_PRUNE_OPTIONS_H
#define WINNOW_OPTION_PRUNE_OPTIONS_H

#include "winnow/prune.h"

#include "option/option.h"

extern const char *const CRITERION_NAMES[]; /* of enum winnow_criterion; NULL ends them */

extern const struct option_table PRUNE_TABLE;

#endif /* WINNOW_OPTION_PRUNE_OPTIONS_H */
