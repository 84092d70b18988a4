/* base64.h -- bytes as letters and back (RFC 4648, section 4, with padding). */
#ifndef WINNOW_BASE_BASE64_H
#define WINNOW_BASE_BASE64_H

#include "base/buf.h"

void base64_add(struct buf *out, struct str bytes);

/* Appends the bytes; false where the text is none, out then holding those before. */
bool base64_read(struct str text, struct buf *out);

#endif /* WINNOW_BASE_BASE64_H */
