#ifndef WINNOW_OPTION_REFINE_OPTIONS_H
#define WINNOW_OPTION_REFINE_OPTIONS_H

#include "winnow/refine.h"

#include "option/option.h"

extern const char *const DIALECT_NAMES[]; /* of enum winnow_refine_dialect; NULL ends them */

extern const struct option_table REFINE_TABLE;

#endif /* WINNOW_OPTION_REFINE_OPTIONS_H */
