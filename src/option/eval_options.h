#ifndef WINNOW_OPTION_EVAL_OPTIONS_H
#define WINNOW_OPTION_EVAL_OPTIONS_H

#include "winnow/eval.h"

#include "option/option.h"

extern const struct option_table EVAL_TABLE;

#endif /* WINNOW_OPTION_EVAL_OPTIONS_H */
