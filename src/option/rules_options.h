#ifndef WINNOW_OPTION_RULES_OPTIONS_H
#define WINNOW_OPTION_RULES_OPTIONS_H

#include "winnow/rules.h"

#include "option/option.h"

extern const struct option_table RULES_TABLE;

#endif /* WINNOW_OPTION_RULES_OPTIONS_H */
