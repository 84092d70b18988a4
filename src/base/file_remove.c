/* file_remove.c -- whole trees go, but never through a mount.
 *
 * What is mounted inside a folder belongs to somebody else, though it looks like a part of
 * it.  So a tree is looked through before the first file of it goes.  Folders mounted from
 * the same file system (mount --bind) have its device number: the kernel tells them by
 * statx(), and where it cannot (before Linux 5.8), other devices are known still. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether something is mounted at path; above is the device of the folder that it is in. */
static bool is_mount(const char *path, const struct stat *here, dev_t above)
{
    struct statx x;
    if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &x) == 0 &&
        (x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)) {
        return (x.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    }
    return here->st_dev != above;
}

static winnow_status refuse(const char *path, struct winnow_error *err)
{
    return error_set(err, WINNOW_E_USAGE,
                     "something is mounted at %s, where results would be removed; unmount it, or "
                     "name another folder, and make the call again: nothing was removed",
                     path);
}

winnow_status file_refuse_mount(const char *path, struct winnow_error *err)
{
    struct stat here, above;
    struct buf parent = {0};
    const char *slash = strrchr(path, '/');
    buf_add(&parent, path, slash ? (size_t)(slash - path) : 0);
    buf_add_text(&parent, slash ? "/." : ".");
    bool mounted = lstat(path, &here) == 0 && stat(buf_cstr(&parent), &above) == 0 &&
                   is_mount(path, &here, above.st_dev);
    buf_release(&parent);
    return mounted ? refuse(path, err) : WINNOW_OK;
}

winnow_status file_refuse_mounts(const char *folder, struct winnow_error *err)
{
    struct buf root = {0};
    buf_add_text(&root, folder);
    (void)buf_cstr(&root);
    char *const roots[] = {root.ptr, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    winnow_status st = walk ? WINNOW_OK : error_errno(err, "cannot look through", folder);
    FTSENT *e = NULL;
    while (st == WINNOW_OK && (e = fts_read(walk)) != NULL) { /* what is not there has no mounts */
        bool seen = e->fts_info != FTS_DP && e->fts_info != FTS_NS && e->fts_info != FTS_ERR;
        if (e->fts_level > 0 && seen &&
            is_mount(e->fts_path, e->fts_statp, e->fts_parent->fts_dev)) {
            st = refuse(e->fts_path, err);
        }
    }
    if (walk) {
        (void)fts_close(walk);
    }
    buf_release(&root);
    return st;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

winnow_status file_remove_tree(const char *path, struct winnow_error *err)
{
    TRY(file_refuse_mount(path, err));
    TRY(file_refuse_mounts(path, err));
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's nftw keeps no static state */
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT) {
        return error_errno(err, "cannot remove", path);
    }
    return WINNOW_OK;
}

static int remove_temporary(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    return type == FTW_F && str_ends(str_of(path), STR_LIT(".tmp")) ? unlink(path) : 0;
}

winnow_status file_remove_temporaries(const char *folder, struct winnow_error *err)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's nftw keeps no static state */
    if (nftw(folder, remove_temporary, 16, FTW_PHYS) != 0 && errno != ENOENT) {
        return error_errno(err, "cannot clear", folder);
    }
    return WINNOW_OK;
}
