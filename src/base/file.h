/* file.h -- files and folders, with sentences for what goes wrong.
 *
 * "Whole or not at all": a final name only ever holds complete content.
 * file_write_atomic() writes NAME.winnow.tmp, syncs it, renames it and syncs the
 * folder; file_commit() does the last three steps for a file that was written
 * by other means.
 */
#ifndef WINNOW_BASE_FILE_H
#define WINNOW_BASE_FILE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"

#include <sys/types.h>

/* What a file that is being written is called beside its name.  Nobody else's files are
 * called that, so what a kill left can be written over and removed. */
#define FILE_TMP ".winnow.tmp"

/* The whole content behind what out holds already.  Refuses files over
 * bytes_max with WINNOW_E_LIMIT. */
winnow_status file_read(const char *path, size_t bytes_max, struct buf *out,
                        struct winnow_error *err);

/* A read-only mapping.  bytes.ptr is NULL for an empty file. */
struct file_map {
    struct str bytes;
};
winnow_status file_map_open(const char *path, struct file_map *out, struct winnow_error *err);
void file_map_close(struct file_map *m);

/* The whole pages of bytes, which lie in a mapping, need not stay in this process's
 * memory; reading them later brings them back. */
void file_map_forget(struct str bytes);

winnow_status file_write_atomic(const char *path, struct str bytes, struct winnow_error *err);
/* The same for content that lies in parts. */
winnow_status file_write_parts(const char *path, const struct str *parts, size_t count,
                               struct winnow_error *err);

/* Syncs temporary, renames it to path, syncs the folder.
 *
 * Here as in file_write_atomic() only a regular file is ever replaced: where path is
 * a link to one, its target is, and the link stays; what is no regular file (a
 * device, a pipe) is written to; a folder, and a link to nothing, are refused. */
winnow_status file_commit(const char *temporary, const char *path, struct winnow_error *err);

/* Opens the file that file_commit() is to make path of, and gives its name: beside it,
 * or without a lasting name in folder where path is a device or a pipe, among which
 * nothing is created. */
winnow_status file_open_temporary(const char *path, const char *folder, struct buf *name, int *fd,
                                  struct winnow_error *err);

/* Whether path is there and no file that could be replaced: a device, a pipe. */
bool file_is_special(const char *path);

/* A copy of a file's bytes, whole or not at all, in bounded memory. */
winnow_status file_copy(const char *from, const char *to, struct winnow_error *err);

/* Writes all of bytes to fd, whatever write(2) takes at a time. */
winnow_status file_write_fd(int fd, struct str bytes, const char *path, struct winnow_error *err);

/* The folder with all its parents; existing ones are fine. */
winnow_status file_make_dirs(const char *path, struct winnow_error *err);

/* Removes a file or a whole folder tree; one that does not exist is fine.  One in which
 * something is mounted is refused before anything of it goes. */
winnow_status file_remove_tree(const char *path, struct winnow_error *err);

/* Refuses a place at which something is mounted, or a folder below which that is so, with
 * WINNOW_E_USAGE: for who removes more than one tree and wants to know before the first. */
winnow_status file_refuse_mount(const char *path, struct winnow_error *err);
winnow_status file_refuse_mounts(const char *folder, struct winnow_error *err);

/* Removes the *.tmp files that killed calls left in a folder of ours and below it,
 * where no temporary file is gone on with; one that does not exist is fine. */
winnow_status file_remove_temporaries(const char *folder, struct winnow_error *err);

/* Tells meet() each name in a folder but "." and "..", in no order.  Folders that
 * cannot be read to their end are errors; *found is false where there is none. */
winnow_status file_list(const char *folder, void (*meet)(void *user, const char *name), void *user,
                        bool *found, struct winnow_error *err);

bool file_exists(const char *path);
bool file_is_dir(const char *path);
winnow_status file_size(const char *path, uint64_t *bytes, struct winnow_error *err);

/* `len` bytes at `at` of an open file, all of them; `shown` names it in errors. */
winnow_status file_read_at(int fd, uint64_t at, char *to, size_t len, const char *shown,
                           struct winnow_error *err);
winnow_status file_hash(const char *path, struct hash128 *out, struct winnow_error *err);

/* Takes the lock of folder (folder/.lock), which ends with file_unlock() or the
 * process; refuses one that another process holds. */
winnow_status file_lock_folder(const char *folder, int *fd, struct winnow_error *err);
void file_unlock(int fd); /* -1 is fine */

/* The sentence for a flock() that failed with errno, other than for being held. */
winnow_status file_lock_refused(const char *path, struct winnow_error *err);

/* a/b in dst, cleared first; returns dst's text, valid until dst changes. */
const char *file_join(struct buf *dst, const char *a, const char *b);

/* The part behind the last '/'. */
const char *file_base(const char *path);

#endif /* WINNOW_BASE_FILE_H */
