/* standard_output.h -- figures that are printed do not go into what they are of. */
#ifndef WINNOW_FLOW_STANDARD_OUTPUT_H
#define WINNOW_FLOW_STANDARD_OUTPUT_H

#include "option/option.h"

/* WINNOW_E_USAGE where standard output was sent into a file that the command reads, as by
 * `winnow count x.jsonl >> x.jsonl`. */
winnow_status standard_output_check(const struct winnow_list *paths, const char *files_from,
                                    const struct option_table *table, const void *options,
                                    struct winnow_error *err);

#endif /* WINNOW_FLOW_STANDARD_OUTPUT_H */
