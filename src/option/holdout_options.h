#ifndef WINNOW_OPTION_HOLDOUT_OPTIONS_H
#define WINNOW_OPTION_HOLDOUT_OPTIONS_H

#include "winnow/prune.h"

#include "option/option.h"

extern const struct option_table HOLDOUT_TABLE;

#endif /* WINNOW_OPTION_HOLDOUT_OPTIONS_H */
