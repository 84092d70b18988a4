/* program_quote.c -- a string as the parser of programs reads it back. */
#include "program/program_quote.h"

void program_add_quoted(struct buf *out, struct str s)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        switch (c) {
        case '"':
        case '\\':
            buf_add_char(out, '\\');
            buf_add_char(out, c);
            break;
        case '\t':
            buf_add_text(out, "\\t");
            break;
        case '\r':
            buf_add_text(out, "\\r");
            break;
        case '\n':
            buf_add_text(out, "\\n");
            break;
        default:
            buf_add_char(out, c);
        }
    }
    buf_add_char(out, '"');
}
