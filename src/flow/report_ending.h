/* report_ending.h -- the report as the end of every run. */
#ifndef WINNOW_FLOW_REPORT_ENDING_H
#define WINNOW_FLOW_REPORT_ENDING_H

#include "flow/stages.h"

extern const struct ending_kind REPORT_ENDING;

/* Tells what a finished run's proof shows, if it has one, and where its report lies. */
winnow_status report_tell(const char *folder, const struct winnow_env *env,
                          struct winnow_error *err);

#endif /* WINNOW_FLOW_REPORT_ENDING_H */
