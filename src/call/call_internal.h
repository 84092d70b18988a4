/* call_internal.h -- what the calls for one text share. */
#ifndef WINNOW_CALL_CALL_INTERNAL_H
#define WINNOW_CALL_CALL_INTERNAL_H

#include "winnow/common.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "option/option.h"

#include <pthread.h>

/* Hands a buffer's bytes over; the buffer is empty behind it. */
struct winnow_bytes bytes_take(struct buf *b);

/* Working memory that goes from call to call: any number of threads take one, or make
 * one where none lies there, and give it back.  All-zero but for spares_init(). */
#define SPARES 64
struct spares {
    pthread_mutex_t lock;
    void *items[SPARES];
    size_t count;
};
void spares_init(struct spares *s);

/* NULL where none lies there. */
void *spares_take(struct spares *s);

/* False where there are enough: it stays the caller's. */
bool spares_give(struct spares *s, void *item);

/* Options of a command as JSON over the table's defaults, into values of its size. */
winnow_status call_options(const struct option_table *table, const char *json, void *values,
                           struct arena *keep, struct winnow_error *err);

/* The caller's bytes as a view; NULL is empty. */
static inline struct str call_text(const char *text, size_t len)
{
    return (struct str){len > 0 ? text : "", len};
}

/* As a stage has it: a text that is no UTF-8 is no document. */
static inline winnow_status call_check_text(struct str text, struct winnow_error *err)
{
    size_t valid = utf8_valid_until(text);
    return valid == text.len ? WINNOW_OK
                             : error_set(err, WINNOW_E_FORMAT,
                                         "the text is not UTF-8 from its byte %zu on", valid);
}

#endif /* WINNOW_CALL_CALL_INTERNAL_H */
