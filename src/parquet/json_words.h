/* json_words.h -- a JSON value as text again, for columns of strings that hold any value. */
#ifndef WINNOW_PARQUET_JSON_WORDS_H
#define WINNOW_PARQUET_JSON_WORDS_H

#include "base/buf.h"
#include "base/json.h"

/* A string as it is; all else as JSON. */
void json_words(struct json_value v, struct buf *out);

#endif /* WINNOW_PARQUET_JSON_WORDS_H */
