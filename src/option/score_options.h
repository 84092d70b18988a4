#ifndef WINNOW_OPTION_SCORE_OPTIONS_H
#define WINNOW_OPTION_SCORE_OPTIONS_H

#include "winnow/score.h"

#include "option/option.h"

extern const struct option_table SCORE_TABLE;

#endif /* WINNOW_OPTION_SCORE_OPTIONS_H */
