/* check.h -- cmocka, in the order it wants its includes, and our own asserts. */
#ifndef WINNOW_TESTS_CHECK_H
#define WINNOW_TESTS_CHECK_H

#include "base/error.h"
#include "base/str.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Relative above 1, absolute below. */
#define assert_near(got, want, tol)                                                       \
    do {                                                                                  \
        double got_ = (got), want_ = (want), tol_ = (tol);                                \
        if (!(fabs(got_ - want_) <= tol_ * (1.0 + fabs(want_)))) {                        \
            fail_msg("%s = %.9g, expected %.9g (tolerance %g)", #got, got_, want_, tol_); \
        }                                                                                 \
    } while (0)

#define assert_ok(expr, err)                              \
    do {                                                  \
        if ((expr) != WINNOW_OK) {                        \
            fail_msg("%s failed: %s", #expr, (err).text); \
        }                                                 \
    } while (0)

#define assert_str(got, want)                                                       \
    do {                                                                            \
        struct str got_ = (got), want_ = str_of(want);                              \
        if (!str_eq(got_, want_)) {                                                 \
            fail_msg("%s = '%.*s', expected '%s'", #got, STR_ARG(got_), want_.ptr); \
        }                                                                           \
    } while (0)

#endif /* WINNOW_TESTS_CHECK_H */
