#ifndef WINNOW_OPTION_RUN_OPTIONS_H
#define WINNOW_OPTION_RUN_OPTIONS_H

#include "winnow/run.h"

#include "option/option.h"

extern const struct option_table RUN_TABLE;
extern const struct option_table VERIFY_TABLE;
extern const struct option_table EXPLAIN_TABLE;

#endif /* WINNOW_OPTION_RUN_OPTIONS_H */
