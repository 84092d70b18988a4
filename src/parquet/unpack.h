/* unpack.h -- the bytes of a Parquet page out of their compression, and into it. */
#ifndef WINNOW_PARQUET_UNPACK_H
#define WINNOW_PARQUET_UNPACK_H

#include "base/buf.h"
#include "base/error.h"
#include "parquet/layout.h"

/* Exactly len bytes to `to`; WINNOW_E_FORMAT: a clause ("the zstd data are corrupt"). */
winnow_status parquet_unpack(int codec, struct str packed, char *to, size_t len,
                             struct winnow_error *err);

#endif /* WINNOW_PARQUET_UNPACK_H */
