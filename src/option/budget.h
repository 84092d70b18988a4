/* budget.h -- how many documents are to be chosen, as options say it. */
#ifndef WINNOW_OPTION_BUDGET_H
#define WINNOW_OPTION_BUDGET_H

#include "base/error.h"

/* "5%" or "0.05" are shares, "500" and "2k" numbers.  documents 0: only whether it is one. */
winnow_status budget_read(const char *text, size_t documents, size_t *out,
                          struct winnow_error *err);

#endif /* WINNOW_OPTION_BUDGET_H */
