/* json_file.h -- a file that is one JSON text. */
#ifndef WINNOW_BASE_JSON_FILE_H
#define WINNOW_BASE_JSON_FILE_H

#include "base/json.h"

/* Reads and parses it; root holds as after json_parse().  Refuses files over bytes_max
 * with WINNOW_E_LIMIT.  Sentences name the path. */
winnow_status json_read_file(const char *path, size_t bytes_max, struct json_parser *p,
                             struct json_value *root, struct winnow_error *err);

#endif /* WINNOW_BASE_JSON_FILE_H */
