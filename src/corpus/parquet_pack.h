/* parquet_pack.h -- a file of JSON lines, rewritten as Parquet. */
#ifndef WINNOW_CORPUS_PARQUET_PACK_H
#define WINNOW_CORPUS_PARQUET_PACK_H

#include "base/error.h"
#include "storage/storage.h"

/* A Parquet file whose columns another has: a file, or the object that path is the address of. */
struct parquet_like {
    const char *path;
    const struct storage_object *remote;
};

/* Writes the lines of a file, packed or not, to another that it creates.  like: what gives
 * columns, types and metadata, or NULL; one that cannot be read counts as none.
 * Memory: some 50 MB and what the longest line needs. */
winnow_status parquet_pack(const char *lines, const char *to, const struct parquet_like *like,
                           struct winnow_error *err);

/* Whether both are Parquet files with the same columns. */
bool parquet_same_columns(const struct parquet_like *a, const struct parquet_like *b);

#endif /* WINNOW_CORPUS_PARQUET_PACK_H */
