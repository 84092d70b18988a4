/* report_ending.h -- the report as the end of every run. */
#ifndef WINNOW_FLOW_REPORT_ENDING_H
#define WINNOW_FLOW_REPORT_ENDING_H

#include "flow/stages.h"

extern const struct ending_kind REPORT_ENDING;

#endif /* WINNOW_FLOW_REPORT_ENDING_H */
