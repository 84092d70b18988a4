/* belongs.h -- options that only one choice of another option reads.
 *
 * One that was given beside another choice would be passed over in silence, and its user would
 * think that it counted. */
#ifndef WINNOW_OPTION_BELONGS_H
#define WINNOW_OPTION_BELONGS_H

#include "option/option.h"

/* Refuses any of the options (NULL-terminated names, one string literal each) that has another
 * value than its default: "--rows and --bands belong to --method minhash". */
winnow_status option_belong(const struct option_table *table, const void *values,
                            const char *const *names, const char *to, struct winnow_error *err);

#endif /* WINNOW_OPTION_BELONGS_H */
