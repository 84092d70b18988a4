/* unpack.h -- bodies that are packed as a whole: gzip, deflate, zstd, brotli.
 *
 * A coding is a claim: bytes that do not have it come back as NOT_PACKED.
 */
#ifndef WINNOW_PAGES_UNPACK_H
#define WINNOW_PAGES_UNPACK_H

#include "base/buf.h"

enum unpacked { UNPACKED, NOT_PACKED, TOO_LARGE, BROKEN_OFF, CORRUPT };

/* Whether unpack() takes a coding of this name (HTTP's: gzip, x-gzip, deflate, zstd, br). */
bool unpack_knows(struct str coding);

/* Undoes a known coding into out, which is never let grow far past body_max. */
enum unpacked unpack(struct str coding, struct str body, size_t body_max, struct buf *out);

bool unpack_is_gzip(struct str s);
bool unpack_is_zstd(struct str s);

/* Whether the bytes are a text already: no control characters near the start, and
 * UTF-8 or markup. */
bool unpack_looks_like_text(struct str s);

#endif /* WINNOW_PAGES_UNPACK_H */
