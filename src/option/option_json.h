/* option_json.h -- option tables and options as JSON: what other languages stand on.
 *
 * A table as JSON says all that help says; an object of options is read by the same
 * table, so that a caller gets the command line's checks and sentences. */
#ifndef WINNOW_OPTION_OPTION_JSON_H
#define WINNOW_OPTION_OPTION_JSON_H

#include "option/option.h"

/* Sets options from an object's members: {"rate": 0.3, "memory": "8G", "sets": ["c4"]}.
 * A name is looked for in each of the n sets in turn and may be written with "_" for
 * "-"; null leaves the default.  A text means what it means on the command line, but is
 * one item of a list.  An empty text is no options. */
winnow_status option_read_json(const struct option_set *sets, size_t n, struct str json,
                               struct arena *keep, struct winnow_error *err);

/* The rows as one array: name, kind, default, bounds, choices, help. */
void option_rows_json(const struct option_table *table, struct json_writer *w);

#endif /* WINNOW_OPTION_OPTION_JSON_H */
