/* leaf_text.h -- a column's value as JSON, and back to the same bytes. */
#ifndef WINNOW_PARQUET_LEAF_TEXT_H
#define WINNOW_PARQUET_LEAF_TEXT_H

#include "base/json.h"
#include "parquet/tree.h"

/* Appends the value, which is in its plain form, as JSON. */
void leaf_to_json(const struct parquet_leaf *leaf, struct str value, struct buf *out);

/* Appends a string as JSON; bytes that are no UTF-8 stay, for the reader of lines to refuse. */
void leaf_quote(struct str s, struct buf *out);

/* Appends the plain form without its length; false where the value is none of that column. */
bool leaf_from_json(const struct parquet_leaf *leaf, struct json_value v, struct buf *out);

#endif /* WINNOW_PARQUET_LEAF_TEXT_H */
