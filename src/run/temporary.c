/* temporary.c -- folders under --temporary, and those that killed processes left.
 *
 * A process holds a lock on its folder itself (not on a file in it) before it puts
 * anything there; the lock goes with the process, however that ends.  So a folder
 * of our name that holds something and can be locked is nobody's, and the next call
 * removes it. */
#include "base/env.h"
#include "base/file.h"
#include "run/folder_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PREFIX        "winnow-"
#define PATTERN       PREFIX "XXXXXX"
#define YOUNG_SECONDS 60 /* between being made and being locked */

/* Whether fd, a folder of our name, is left behind. */
static bool is_left(int fd, const char *path)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_uid != geteuid() || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return false;
    }
    struct buf lock = {0};
    int inner = open(file_join(&lock, path, ".lock"), O_RDWR | O_CLOEXEC);
    buf_release(&lock);
    if (inner < 0) { /* made, and not locked yet? */
        return st.st_nlink > 2 || time(NULL) - st.st_mtime > YOUNG_SECONDS;
    }
    bool left = flock(inner, LOCK_EX | LOCK_NB) == 0;
    (void)close(inner);
    return left;
}

static void sweep_one(const struct run *r, const char *name)
{
    struct buf path = {0};
    struct winnow_error ignored; /* not ours to complain about */
    const char *folder = file_join(&path, r->corpus->temporary, name);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && is_left(fd, folder) && file_remove_tree(folder, &ignored) == WINNOW_OK) {
        env_log(r->env, WINNOW_LOG_DEBUG, "removed %s, which a killed process left", folder);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    buf_release(&path);
}

static void sweep(const struct run *r)
{
    DIR *dir = opendir(r->corpus->temporary);
    const struct dirent *e;
    while (dir && (e = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe): own stream */
        if (strlen(e->d_name) == sizeof PATTERN - 1 &&
            strncmp(e->d_name, PREFIX, sizeof PREFIX - 1) == 0) {
            sweep_one(r, e->d_name);
        }
    }
    if (dir) {
        (void)closedir(dir);
    }
}

winnow_status run_temporary_folder(struct run *r, const char **out, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    sweep(r);
    (void)file_join(&path, r->corpus->temporary, PATTERN);
    if (mkdtemp(path.ptr)) {
        *out = arena_strndup(&r->keep, path.ptr, path.len);
        r->temporary_lock = open(path.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (r->temporary_lock >= 0) { /* without locks it may stay behind after a kill */
            (void)flock(r->temporary_lock, LOCK_EX | LOCK_NB);
        }
    } else {
        st = error_errno(err, "cannot make a folder in", r->corpus->temporary);
    }
    buf_release(&path);
    return st;
}
