/* retry_after.h -- what a Retry-After header asks for. */
#ifndef WINNOW_BASE_RETRY_AFTER_H
#define WINNOW_BASE_RETRY_AFTER_H

#include "base/str.h"

/* Seconds, at the time now (since 1970): "120", or a date as HTTP writes them.  Negative
 * where it is neither. */
double retry_after_seconds(struct str value, double now);

#endif /* WINNOW_BASE_RETRY_AFTER_H */
