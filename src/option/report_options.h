/* report_options.h -- the options of `winnow report`. */
#ifndef WINNOW_OPTION_REPORT_OPTIONS_H
#define WINNOW_OPTION_REPORT_OPTIONS_H

#include "winnow/report.h"

#include "option/option.h"

extern const struct option_table REPORT_TABLE; /* over struct winnow_report_options */

#endif /* WINNOW_OPTION_REPORT_OPTIONS_H */
