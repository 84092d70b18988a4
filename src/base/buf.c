/* buf.c -- bytes that grow by half: n bytes added cost fewer than 3 n copied.
 *
 * A NUL stands behind the text only after buf_cstr(), which is what makes adding
 * cheap; len never counts it. */
#include "base/buf.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

void buf_release(struct buf *b)
{
    mem_free(b->ptr);
    *b = (struct buf){0};
}

char *buf_reserve(struct buf *b, size_t extra)
{
    assert(extra <= SIZE_MAX / 4 && b->len <= SIZE_MAX / 4);

    if (b->cap - b->len < extra) {
        size_t cap = b->cap < 64 ? 64 : b->cap + b->cap / 2;
        if (cap < b->len + extra) {
            cap = b->len + extra;
        }
        b->ptr = mem_realloc(b->ptr, b->len, cap);
        b->cap = cap;
    }
    assert(b->len + extra <= b->cap);
    return b->ptr + b->len;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    if (len > 0) {
        memcpy(buf_reserve(b, len), bytes, len);
        b->len += len;
    }
}

void buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.ptr, s.len);
}

void buf_add_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_add_char(struct buf *b, char c)
{
    *buf_reserve(b, 1) = c;
    b->len++;
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    char small[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    size_t len = (size_t)n;
    if (len < sizeof small) {
        buf_add(b, small, len);
        return;
    }
    char *at = buf_reserve(b, len + 1);
    va_start(ap, fmt);
    (void)vsnprintf(at, len + 1, fmt, ap);
    va_end(ap);
    b->len += len;
}

const char *buf_cstr(struct buf *b)
{
    *buf_reserve(b, 1) = '\0';
    return b->ptr;
}
