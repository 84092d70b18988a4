/* env.c -- what a library call says to its surroundings, and asks of them.
 *
 * All of it goes through struct winnow_env: the library itself prints nothing and
 * has no global.  Hooks that are NULL are silent. */
#include "base/env.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

void env_log(const struct winnow_env *env, enum winnow_level level, const char *fmt, ...)
{
    if (!env->log) {
        return;
    }
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    env->log(env->user, level, text);
}

void env_progress(const struct winnow_env *env, const char *stage, const char *unit, uint64_t done,
                  uint64_t total)
{
    if (env->progress) {
        struct winnow_progress p = {stage, unit, done, total, (double)NAN, 0};
        env->progress(env->user, &p);
    }
}

winnow_status env_need_write(const struct winnow_env *env, struct winnow_error *err)
{
    if (!env->write) {
        return error_set(err, WINNOW_E_USAGE,
                         "the output is - and nobody takes it: set winnow_env.write, or name a "
                         "folder or file");
    }
    return WINNOW_OK;
}

winnow_status env_write(const struct winnow_env *env, struct str bytes, struct winnow_error *err)
{
    TRY(env_need_write(env, err));
    int code = bytes.len > 0 ? env->write(env->user, bytes.ptr, bytes.len) : 0;
    if (code != 0) {
        errno = code;
        return error_errno(err, "cannot write", "standard output");
    }
    return WINNOW_OK;
}

winnow_status env_check(const struct winnow_env *env, struct winnow_error *err)
{
    if (env->cancel && *env->cancel) {
        return error_set(err, WINNOW_E_CANCELLED, "interrupted");
    }
    return WINNOW_OK;
}

winnow_status memory_need(uint64_t limit, const char *command, uint64_t bytes, const char *remedy,
                          struct winnow_error *err)
{
    const uint64_t mib = (uint64_t)1 << 20;
    if (limit == 0 || bytes <= limit) {
        return WINNOW_OK;
    }
    return error_set(err, WINNOW_E_LIMIT,
                     "%s needs --memory %" PRIu64 "M at least; --memory is %" PRIu64
                     "M.  Give more, or %s",
                     command, (bytes + mib - 1) / mib, limit / mib, remedy);
}

double env_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
