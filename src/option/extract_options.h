#ifndef WINNOW_OPTION_EXTRACT_OPTIONS_H
#define WINNOW_OPTION_EXTRACT_OPTIONS_H

#include "winnow/extract.h"

#include "option/option.h"

extern const struct option_table EXTRACT_TABLE;

#endif /* WINNOW_OPTION_EXTRACT_OPTIONS_H */
