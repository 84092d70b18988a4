#ifndef WINNOW_OPTION_REFINER_OPTIONS_H
#define WINNOW_OPTION_REFINER_OPTIONS_H

#include "winnow/refiner.h"

#include "option/option.h"

extern const struct option_table REFINER_EVAL_TABLE, REFINER_TRAIN_TABLE;

#endif /* WINNOW_OPTION_REFINER_OPTIONS_H */
