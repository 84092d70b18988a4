#ifndef WINNOW_OPTION_COUNT_OPTIONS_H
#define WINNOW_OPTION_COUNT_OPTIONS_H

#include "winnow/count.h"

#include "option/option.h"

extern const struct option_table COUNT_TABLE;

#endif /* WINNOW_OPTION_COUNT_OPTIONS_H */
