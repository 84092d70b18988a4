/* common.h -- what every part of libwinnow's interface shares.
 *
 * Everything a program may use is declared under include/winnow/; nothing else
 * is installed.  Conventions that hold for every function there:
 *
 *   - Functions that can fail return winnow_status and take a struct
 *     winnow_error, never NULL, as last argument.  It is written only on
 *     failure, and holds one complete sentence that can be shown to the user.
 *   - Every command can fail with WINNOW_E_USAGE (options, paths or outputs that make no
 *     sense; nothing was done), _FORMAT, _IO, _NOMEM, _LIMIT and _CANCELLED, as the enum below
 *     says; a header names what else a status means there.
 *   - Options structs start from their *_INIT value; a caller sets what it wants to differ.
 *     0 is the default of every enum (but for the optimizer of prove.h and the number format of
 * features.h). The library keeps no pointer to options, paths and env after return, unless a header
 * says so.  What a call makes for the caller is freed by the function named beside it; result
 * structs without one hold nothing.
 *   - Sizes are bytes, times seconds, shares 0 to 1, losses and scores nats a token, texts
 *     UTF-8 ended by NUL, unless their comment says otherwise.
 *   - A function may be called from several threads at once, as long as outputs differ: a
 *     folder that another call is filling is refused.  Callbacks of an env come from any thread
 *     of the call that it was given to, one at a time, and do not call back into it.
 *   - Nothing here prints, exits, reads the environment or keeps global state;
 *     what a function needs from its surroundings comes in struct winnow_env.
 *     Two exceptions end the process: a failed assert (our own mistake) and an
 *     allocation of a size that the code chose itself.
 */
#ifndef WINNOW_COMMON_H
#define WINNOW_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Under C2X and C++17 the *type* carries the duty to look at the result, so that a
 * dropped status is an error wherever it happens.  C11 compilers see nothing. */
#if (defined(__STDC_VERSION__) && __STDC_VERSION__ > 201710L) || \
    (defined(__cplusplus) && __cplusplus >= 201703L)
#define WINNOW_MUST_CHECK [[nodiscard]]
#else
#define WINNOW_MUST_CHECK
#endif

/* What the library exports; everything else is hidden. */
#define WINNOW_API __attribute__((visibility("default")))

/* What stands before the braces of an *_INIT value: a compound literal in C, the struct's
 * name in C++ (whose designators are C++20). */
#ifdef __cplusplus
#define WINNOW_NEW(type) type
#else
#define WINNOW_NEW(type) (struct type)
#endif

typedef enum WINNOW_MUST_CHECK winnow_status {
    WINNOW_OK = 0,
    WINNOW_E_USAGE,     /* the caller asked for something that makes no sense */
    WINNOW_E_FORMAT,    /* input bytes break their format */
    WINNOW_E_IO,        /* the operating system refused; text holds its reason */
    WINNOW_E_NOMEM,     /* a size that came from data or options did not fit */
    WINNOW_E_LIMIT,     /* a stated bound (memory, length, depth) would be passed */
    WINNOW_E_CANCELLED, /* env->cancel was set */
    WINNOW_E_INTERNAL,  /* an invariant of a run does not hold */
} winnow_status;

struct winnow_error {
    char text[512];
};

/* Texts in order; both the array and the texts belong to whoever filled it in. */
struct winnow_list {
    const char *const *items;
    size_t count;
};

/* Bytes that a call made for the caller, with a NUL behind them that len does not count.
 * All-zero is empty and needs no freeing. */
struct winnow_bytes {
    char *ptr;
    size_t len;
};
WINNOW_API void winnow_bytes_free(struct winnow_bytes *b);

enum winnow_level { WINNOW_LOG_DEBUG, WINNOW_LOG_INFO, WINNOW_LOG_WARNING };

/* How far a long piece of work has come. */
struct winnow_progress {
    const char *stage;    /* "score", valid during the call only */
    const char *unit;     /* "documents", "tokens", "bytes" */
    uint64_t done, total; /* total 0: not known */
    double loss;          /* training only; NaN elsewhere */
    uint64_t resumed;     /* of done: by an earlier process, or passed over */
};

struct winnow_ranks;

/* What the library gets from its surroundings.  All-zero is valid: silent, all
 * processors, no memory limit, seed 0. */
struct winnow_env {
    void (*log)(void *user, enum winnow_level level, const char *text);
    void (*progress)(void *user, const struct winnow_progress *p);
    /* Takes what goes to the output "-", in order, one call at a time; 0, or the errno(3)
     * value of what went wrong.  NULL: such calls are refused. */
    int (*write)(void *user, const void *bytes, size_t len);
    /* The value of a variable of the environment that an option names, or NULL. */
    const char *(*variable)(void *user, const char *name);
    void *user;
    uint32_t threads;           /* 0: as many as the machine has */
    uint64_t memory_max;        /* bytes; 0: no limit */
    uint64_t seed;              /* of everything random in the call */
    const char *kernels;        /* NULL: the best this processor has */
    const volatile int *cancel; /* NULL, or non-zero asks to stop soon */
    /* Finished results that are there may be replaced by results of other options or
     * other input.  Without it such a call is refused and names them. */
    bool force;
    /* Processes that do one run together, which the program makes of MPI; NULL: this one alone. */
    struct winnow_ranks *ranks;
};

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_COMMON_H */
