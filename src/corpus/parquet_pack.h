/* parquet_pack.h -- a file of JSON lines, rewritten as Parquet. */
#ifndef WINNOW_CORPUS_PARQUET_PACK_H
#define WINNOW_CORPUS_PARQUET_PACK_H

#include "base/error.h"

/* Writes the lines of a file, packed or not, to another that it creates.  like: a Parquet file
 * whose columns, types and metadata it has, or NULL; one that cannot be read counts as none.
 * Memory: some 50 MB and what the longest line needs. */
winnow_status parquet_pack(const char *lines, const char *to, const char *like,
                           struct winnow_error *err);

/* Whether both are Parquet files with the same columns. */
bool parquet_same_columns(const char *a, const char *b);

#endif /* WINNOW_CORPUS_PARQUET_PACK_H */
