#ifndef WINNOW_OPTION_TRAIN_OPTIONS_H
#define WINNOW_OPTION_TRAIN_OPTIONS_H

#include "winnow/train.h"

#include "option/option.h"

extern const struct option_table TRAIN_TABLE;

#endif /* WINNOW_OPTION_TRAIN_OPTIONS_H */
