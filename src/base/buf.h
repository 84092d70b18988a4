/* buf.h -- bytes that grow.
 *
 * All-zero is an empty buffer.  Views into a buffer (buf_str) hold until the
 * next call that adds to it.  Sizes are bounded by the caller (a reader refuses
 * lines past its limit before they reach a buffer), so growth does not fail.
 */
#ifndef WINNOW_BASE_BUF_H
#define WINNOW_BASE_BUF_H

#include "base/str.h"

struct buf {
    char *ptr;
    size_t len, cap;
};

void buf_release(struct buf *b);

static inline void buf_clear(struct buf *b)
{
    b->len = 0;
}

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->ptr, b->len};
}

/* Room for extra more bytes behind len; returns where they go.  The caller
 * writes there and adds to len itself. */
char *buf_reserve(struct buf *b, size_t extra);

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_str(struct buf *b, struct str s);
void buf_add_text(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);
__attribute__((format(printf, 2, 3))) void buf_addf(struct buf *b, const char *fmt, ...);

/* The text with a NUL behind it (not counted in len). */
const char *buf_cstr(struct buf *b);

#endif /* WINNOW_BASE_BUF_H */
