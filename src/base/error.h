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

/* Writes the sentence that says what went wrong, and returns st. */
__attribute__((format(printf, 3, 4))) winnow_status
error_set(struct winnow_error *err, winnow_status st, const char *fmt, ...);

/* Puts "context: " before the sentence already there, and returns st. */
__attribute__((format(printf, 3, 4))) winnow_status
error_wrap(struct winnow_error *err, winnow_status st, const char *fmt, ...);

/* WINNOW_E_IO with "what path: reason", the reason being that of errno. */
winnow_status error_errno(struct winnow_error *err, const char *what, const char *path);

#endif /* WINNOW_BASE_ERROR_H */
