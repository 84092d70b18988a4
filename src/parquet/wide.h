/* wide.h -- whole numbers of up to 64 bytes, as decimal numbers with a point in them: "12.50". */
#ifndef WINNOW_PARQUET_WIDE_H
#define WINNOW_PARQUET_WIDE_H

#include "base/buf.h"

/* Two's complement; false, and nothing is added, where it is longer or empty. */
bool wide_to_json(struct str bytes, bool little_endian, int scale, struct buf *out);

/* Back to len bytes; 0: as few as hold it.  False where the text is no such number, has
 * another number of digits behind its point, or does not fit. */
bool wide_from_text(struct str text, bool little_endian, int scale, size_t len, struct buf *out);

#endif /* WINNOW_PARQUET_WIDE_H */
