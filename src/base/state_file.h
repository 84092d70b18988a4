/* state_file.h -- the state of a computation in one file, to go on from.
 *
 *     8 bytes    what kind of state
 *     parts      one behind the other, as they lie in memory
 *     16 bytes   XXH3-128 of everything before, low word first
 *
 * What is read is what was written, bit for bit, or it is refused.  Files are for
 * machines of one byte order; docs/formats/checkpoint.md lists the kinds. */
#ifndef WINNOW_BASE_STATE_FILE_H
#define WINNOW_BASE_STATE_FILE_H

#include "base/file.h"

#define STATE_KIND_BYTES 8U

static inline struct str state_part(const void *p, size_t bytes)
{
    return (struct str){p, bytes};
}

/* Whole or not at all.  kind: STATE_KIND_BYTES characters. */
winnow_status state_file_write(const char *path, const char *kind, const struct str *parts,
                               size_t count, struct winnow_error *err);

struct state_file {
    struct file_map map;
    struct str left; /* of the parts, from where they have been taken */
};

/* WINNOW_E_FORMAT: a file of another kind, or not as it was written. */
winnow_status state_file_open(const char *path, const char *kind, struct state_file *out,
                              struct winnow_error *err);
void state_file_close(struct state_file *f);

/* The next bytes into dst; false, and nothing taken, where fewer are left. */
bool state_file_take(struct state_file *f, void *dst, size_t bytes);

#endif /* WINNOW_BASE_STATE_FILE_H */
