/* env.h -- talking to the surroundings of a library call. */
#ifndef WINNOW_BASE_ENV_H
#define WINNOW_BASE_ENV_H

#include "base/error.h"
#include "base/str.h"

__attribute__((format(printf, 3, 4))) void env_log(const struct winnow_env *env,
                                                   enum winnow_level level, const char *fmt, ...);

void env_progress(const struct winnow_env *env, const char *stage, const char *unit, uint64_t done,
                  uint64_t total);

/* Hands bytes of the output "-" to env->write.  WINNOW_E_USAGE where there is none,
 * WINNOW_E_IO with the reason that it gave. */
winnow_status env_write(const struct winnow_env *env, struct str bytes, struct winnow_error *err);

/* The first of the two before any work is done. */
winnow_status env_need_write(const struct winnow_env *env, struct winnow_error *err);

/* WINNOW_E_CANCELLED when the user asked to stop; call it between pieces of work
 * of less than a second. */
winnow_status env_check(const struct winnow_env *env, struct winnow_error *err);

/* WINNOW_E_LIMIT where a command needs more than its --memory (0: no limit): one
 * sentence with the least that does; remedy is what else helps ("lower --dim"). */
winnow_status memory_need(uint64_t limit, const char *command, uint64_t bytes, const char *remedy,
                          struct winnow_error *err);

/* Seconds of a clock that never jumps; for rates, and for timings.json only. */
double env_seconds(void);

#endif /* WINNOW_BASE_ENV_H */
