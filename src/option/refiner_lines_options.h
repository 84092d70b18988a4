#ifndef WINNOW_OPTION_REFINER_LINES_OPTIONS_H
#define WINNOW_OPTION_REFINER_LINES_OPTIONS_H

#include "winnow/refiner_lines.h"

#include "option/option.h"

extern const struct option_table REFINER_LINES_TABLE;

#endif /* WINNOW_OPTION_REFINER_LINES_OPTIONS_H */
