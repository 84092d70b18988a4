/* json_copy.h -- a value that was read, written again. */
#ifndef WINNOW_RUN_JSON_COPY_H
#define WINNOW_RUN_JSON_COPY_H

#include "base/json.h"
#include "base/json_write.h"

#define JSON_COPY_DEPTH 32 /* what lies deeper becomes null */

void json_copy(struct json_writer *w, struct json_value v);

#endif /* WINNOW_RUN_JSON_COPY_H */
