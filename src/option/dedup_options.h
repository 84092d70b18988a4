#ifndef WINNOW_OPTION_DEDUP_OPTIONS_H
#define WINNOW_OPTION_DEDUP_OPTIONS_H

#include "winnow/dedup.h"

#include "option/option.h"

extern const struct option_table DEDUP_TABLE;

#endif /* WINNOW_OPTION_DEDUP_OPTIONS_H */
