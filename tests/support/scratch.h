/* scratch.h -- a folder of its own for a test that needs files. */
#ifndef WINNOW_TESTS_SCRATCH_H
#define WINNOW_TESTS_SCRATCH_H

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct scratch {
    char dir[64];
    struct buf path;
};

static inline void scratch_open(struct scratch *s)
{
    *s = (struct scratch){.dir = "/tmp/winnow-test-XXXXXX"};
    if (!mkdtemp(s->dir)) {
        perror("mkdtemp");
        abort();
    }
}

static inline void scratch_close(struct scratch *s)
{
    struct winnow_error err;
    (void)file_remove_tree(s->dir, &err);
    buf_release(&s->path);
}

/* DIR/name, valid until the next call. */
static inline const char *scratch_path(struct scratch *s, const char *name)
{
    return file_join(&s->path, s->dir, name);
}

/* Writes a file, making its folders; returns its path like scratch_path(). */
static inline const char *scratch_write(struct scratch *s, const char *name, struct str bytes)
{
    struct winnow_error err;
    const char *path = scratch_path(s, name);
    char dir[512];
    (void)snprintf(dir, sizeof dir, "%.*s", (int)(file_base(path) - path), path);
    if (file_make_dirs(dir, &err) != WINNOW_OK ||
        file_write_atomic(path, bytes, &err) != WINNOW_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        abort();
    }
    return path;
}

#endif /* WINNOW_TESTS_SCRATCH_H */
