#ifndef WINNOW_OPTION_PROVE_OPTIONS_H
#define WINNOW_OPTION_PROVE_OPTIONS_H

#include "winnow/prove.h"

#include "option/option.h"

extern const struct option_table PROVE_TABLE;

#endif /* WINNOW_OPTION_PROVE_OPTIONS_H */
