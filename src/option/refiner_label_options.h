#ifndef WINNOW_OPTION_REFINER_LABEL_OPTIONS_H
#define WINNOW_OPTION_REFINER_LABEL_OPTIONS_H

#include "winnow/refiner_label.h"

#include "option/option.h"

extern const struct option_table REFINER_LABEL_TABLE;

#endif /* WINNOW_OPTION_REFINER_LABEL_OPTIONS_H */
