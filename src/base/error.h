/* error.h -- the one way to fail. */
#ifndef WINNOW_BASE_ERROR_H
#define WINNOW_BASE_ERROR_H

#include "winnow/common.h"

/* Leaves the current function when expr fails, for functions that hold nothing
 * to give back.  The only macro in the code base with a hidden return. */
#define TRY(expr)                    \
    do {                             \
        winnow_status try_ = (expr); \
        if (try_ != WINNOW_OK) {     \
            return try_;             \
        }                            \
    } while (0)

/* error_set(err, status, format, ...) writes the sentence that says what went
 * wrong; error_wrap() puts "context: " before the sentence already there;
 * error_errno(err, what, path) says "what path: reason", the reason being that
 * of errno.  Each has the status as its value (error_errno: WINNOW_E_IO).  They
 * are macros so that the static analyser sees which constant comes back. */
#define error_set(err, status, ...)  (error_write((err), __VA_ARGS__), (status))
#define error_wrap(err, status, ...) (error_prefix((err), __VA_ARGS__), (status))
#define error_errno(err, what, path) (error_write_errno((err), (what), (path)), WINNOW_E_IO)

__attribute__((format(printf, 2, 3))) void error_write(struct winnow_error *err, const char *fmt,
                                                       ...);
__attribute__((format(printf, 2, 3))) void error_prefix(struct winnow_error *err, const char *fmt,
                                                        ...);
void error_write_errno(struct winnow_error *err, const char *what, const char *path);

#endif /* WINNOW_BASE_ERROR_H */
