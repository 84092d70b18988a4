/* program_quote.h -- a string as programs write it. */
#ifndef WINNOW_PROGRAM_PROGRAM_QUOTE_H
#define WINNOW_PROGRAM_PROGRAM_QUOTE_H

#include "base/buf.h"

/* Appends s in double quotes, with the escapes of docs/formats/programs.md. */
void program_add_quoted(struct buf *out, struct str s);

#endif /* WINNOW_PROGRAM_PROGRAM_QUOTE_H */
