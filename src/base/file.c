/* file.c -- files and folders, with one sentence for each thing that goes wrong.
 *
 * A final name appears by write, fsync, rename, fsync of the folder, in that order:
 *
 *     NAME.winnow.tmp ──fsync──► rename ──► NAME, then fsync of its folder
 *
 * so after a power cut NAME holds the old bytes or the new ones.  Names are looked
 * at before (find_target): a link's end is replaced, not the link, and what is no
 * regular file is written to, since renaming over /dev/null would destroy it. */
#include "base/file.h"

#include "base/mem.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP    ((size_t)1 << 16)
#define PIECE_STEP   ((size_t)1 << 20)
#define RESERVE_MOST ((off_t)64 << 20) /* on the word of a file's size alone */

static winnow_status open_read(const char *path, int *fd, struct stat *st, struct winnow_error *err)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) {
        return error_errno(err, "cannot open", path);
    }
    if (fstat(*fd, st) != 0) {
        winnow_status status = error_errno(err, "cannot stat", path);
        (void)close(*fd);
        return status;
    }
    if (S_ISDIR(st->st_mode)) {
        (void)close(*fd);
        return error_set(err, WINNOW_E_IO, "cannot read %s: it is a folder", path);
    }
    return WINNOW_OK;
}

winnow_status file_read(const char *path, size_t bytes_max, struct buf *out,
                        struct winnow_error *err)
{
    int fd = -1;
    struct stat st;
    TRY(open_read(path, &fd, &st, err));
    winnow_status status = WINNOW_OK;
    size_t start = out->len;
    if (st.st_size > 0 && st.st_size < RESERVE_MOST) {
        (void)buf_reserve(out, (size_t)st.st_size + READ_STEP); /* growing would copy */
    }
    for (;;) {
        char *at = buf_reserve(out, READ_STEP);
        ssize_t n = read(fd, at, READ_STEP);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            status = error_errno(err, "cannot read", path);
            break;
        }
        if (n == 0) {
            break;
        }
        out->len += (size_t)n;
        if (out->len - start > bytes_max) {
            status = error_set(err, WINNOW_E_LIMIT, "%s is larger than %zu bytes", path, bytes_max);
            break;
        }
    }
    (void)close(fd);
    return status;
}

winnow_status file_map_open(const char *path, struct file_map *out, struct winnow_error *err)
{
    int fd = -1;
    struct stat st;
    *out = (struct file_map){{NULL, 0}};
    if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode)) { /* opening it would wait for a writer */
        return error_set(err, WINNOW_E_IO, "%s is a pipe where a file is needed", path);
    }
    TRY(open_read(path, &fd, &st, err));
    winnow_status status = WINNOW_OK;
    if (st.st_size > 0) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            status = error_errno(err, "cannot map", path);
        } else {
            out->bytes = (struct str){p, (size_t)st.st_size};
        }
    }
    (void)close(fd);
    return status;
}

void file_map_close(struct file_map *m)
{
    if (m->bytes.ptr) {
        union { /* munmap takes what mmap gave, without const */
            const char *from;
            void *to;
        } p = {m->bytes.ptr};
        (void)munmap(p.to, m->bytes.len);
    }
    *m = (struct file_map){{NULL, 0}};
}

void file_map_forget(struct str bytes)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)bytes.ptr + page - 1) / page * page;
    uintptr_t to = ((uintptr_t)bytes.ptr + bytes.len) / page * page;
    if (from < to) {
        union { /* as in file_map_close() */
            const char *from;
            void *to;
        } p = {bytes.ptr + (from - (uintptr_t)bytes.ptr)};
        (void)madvise(p.to, to - from, MADV_DONTNEED);
    }
}

winnow_status file_write_fd(int fd, struct str bytes, const char *path, struct winnow_error *err)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return error_errno(err, "cannot write", path);
        }
        bytes.ptr += n;
        bytes.len -= (size_t)n;
    }
    return WINNOW_OK;
}

static winnow_status sync_path(const char *path, int flags, struct winnow_error *err)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        return error_errno(err, "cannot open", path);
    }
    winnow_status st = WINNOW_OK;
    if (fsync(fd) != 0 && errno != EINVAL) { /* EINVAL: a file system without it */
        st = error_errno(err, "cannot sync", path);
    }
    (void)close(fd);
    return st;
}

/* What stands at a path that is to be written. */
struct target {
    bool special;     /* no regular file: write to it */
    struct buf where; /* what to replace; a link's end */
};

static winnow_status find_link_end(const char *path, struct target *t, struct winnow_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return errno == ENOENT ? error_set(err, WINNOW_E_IO,
                                           "%s is a link to nothing; name the file that is to be "
                                           "written",
                                           path)
                               : error_errno(err, "cannot write", path);
    }
    if (!S_ISREG(st.st_mode)) {
        t->special = true;
        return WINNOW_OK;
    }
    char *end = realpath(path, NULL);
    if (!end) {
        return error_errno(err, "cannot write", path);
    }
    buf_clear(&t->where);
    buf_add_text(&t->where, end);
    (void)buf_cstr(&t->where);
    free(end); /* realpath's own memory */
    return WINNOW_OK;
}

static winnow_status find_target(const char *path, struct target *t, struct winnow_error *err)
{
    struct stat st;
    *t = (struct target){0};
    buf_add_text(&t->where, path);
    (void)buf_cstr(&t->where);
    if (lstat(path, &st) != 0) {
        return WINNOW_OK; /* new; or the reason shows when it is created */
    }
    if (file_is_dir(path)) {
        return error_set(err, WINNOW_E_IO, "cannot write %s: it is a folder", path);
    }
    /* /dev/stdout and /dev/fd/3 may lead to regular files that somebody has open. */
    if (str_starts(str_of(path), STR_LIT("/dev/")) || str_starts(str_of(path), STR_LIT("/proc/"))) {
        t->special = true;
        return WINNOW_OK;
    }
    t->special = !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode);
    return S_ISLNK(st.st_mode) ? find_link_end(path, t, err) : WINNOW_OK;
}

/* Opened with these flags beside those of writing; cannot: the words for where that fails. */
static winnow_status write_as(const char *path, int flags, const char *cannot,
                              const struct str *parts, size_t count, struct winnow_error *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0666);
    if (fd < 0) {
        return error_errno(err, cannot, path);
    }
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < count && st == WINNOW_OK; i++) {
        st = file_write_fd(fd, parts[i], path, err);
    }
    if (close(fd) != 0 && st == WINNOW_OK) {
        st = error_errno(err, "cannot close", path);
    }
    return st;
}

/* Gives take() a file piece by piece, in bounded memory. */
static winnow_status each_piece(const char *path,
                                winnow_status (*take)(void *ctx, struct str piece,
                                                      struct winnow_error *err),
                                void *ctx, struct winnow_error *err)
{
    int fd = -1;
    struct stat st;
    TRY(open_read(path, &fd, &st, err));
    char *piece = mem_alloc(PIECE_STEP);
    winnow_status status = WINNOW_OK;
    while (status == WINNOW_OK) {
        ssize_t n = read(fd, piece, PIECE_STEP);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            status = n < 0 ? error_errno(err, "cannot read", path) : WINNOW_OK;
            break;
        }
        status = take(ctx, (struct str){piece, (size_t)n}, err);
    }
    mem_free(piece);
    (void)close(fd);
    return status;
}

struct copy {
    int fd;
    const char *to;
};

static winnow_status write_piece(void *ctx, struct str piece, struct winnow_error *err)
{
    const struct copy *c = ctx;
    return file_write_fd(c->fd, piece, c->to, err);
}

static winnow_status copy_to(const char *from, const char *to, int flags, struct winnow_error *err)
{
    int fd = open(to, flags | O_CLOEXEC, 0666);
    if (fd < 0) {
        return error_errno(err, "cannot open", to);
    }
    struct copy copy = {fd, to};
    winnow_status st = each_piece(from, write_piece, &copy, err);
    if (close(fd) != 0 && st == WINNOW_OK) {
        st = error_errno(err, "cannot close", to);
    }
    return st;
}

/* Renames, and makes it last. */
static winnow_status replace(const char *temporary, const char *path, struct winnow_error *err)
{
    TRY(sync_path(temporary, O_RDONLY, err));
    if (rename(temporary, path) != 0) {
        return error_errno(err, "cannot rename to", path);
    }
    struct buf dir = {0};
    const char *base = file_base(path);
    buf_add(&dir, path, (size_t)(base - path));
    if (dir.len == 0) {
        buf_add_text(&dir, ".");
    }
    winnow_status st = sync_path(buf_cstr(&dir), O_RDONLY | O_DIRECTORY, err);
    buf_release(&dir);
    return st;
}

winnow_status file_copy(const char *from, const char *to, struct winnow_error *err)
{
    struct buf tmp = {0};
    buf_addf(&tmp, "%s" FILE_TMP, to);
    winnow_status st = copy_to(from, buf_cstr(&tmp), O_WRONLY | O_CREAT | O_TRUNC, err);
    if (st == WINNOW_OK) {
        st = replace(buf_cstr(&tmp), to, err);
    }
    if (st != WINNOW_OK) {
        (void)unlink(buf_cstr(&tmp));
    }
    buf_release(&tmp);
    return st;
}

/* A file without a name, which goes with the process; /proc has one for it. */
static int open_nameless(const char *folder, struct buf *name)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) { /* a file system without such */
        int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
        buf_clear(name);
        buf_addf(name, "%s/winnow-%ld.tmp", folder, (long)getpid());
        fd = open(buf_cstr(name), flags, 0600);
        (void)(fd >= 0 && unlink(buf_cstr(name)));
    }
    buf_clear(name);
    buf_addf(name, "/proc/self/fd/%d", fd);
    return fd;
}

winnow_status file_open_temporary(const char *path, const char *folder, struct buf *name, int *fd,
                                  struct winnow_error *err)
{
    struct target t;
    *fd = -1;
    winnow_status st = find_target(path, &t, err);
    if (st == WINNOW_OK && t.special) {
        *fd = open_nameless(folder, name);
        st = *fd >= 0 ? WINNOW_OK : error_errno(err, "cannot make a file in", folder);
    } else if (st == WINNOW_OK) {
        buf_clear(name);
        buf_addf(name, "%s" FILE_TMP, path);
        *fd = open(buf_cstr(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        st = *fd >= 0 ? WINNOW_OK : error_errno(err, "cannot create", buf_cstr(name));
    }
    buf_release(&t.where);
    return st;
}

bool file_is_special(const char *path)
{
    struct target t;
    struct winnow_error ignored;
    bool special = find_target(path, &t, &ignored) == WINNOW_OK && t.special;
    buf_release(&t.where);
    return special;
}

winnow_status file_commit(const char *temporary, const char *path, struct winnow_error *err)
{
    struct target t;
    winnow_status st = find_target(path, &t, err);
    const char *where = buf_cstr(&t.where);
    if (st == WINNOW_OK && t.special) {
        st = copy_to(temporary, path, O_WRONLY | O_NOCTTY, err);
        (void)unlink(temporary);
    } else if (st == WINNOW_OK && strcmp(where, path) != 0) { /* perhaps on another disk */
        st = file_copy(temporary, where, err);
        (void)unlink(temporary);
    } else if (st == WINNOW_OK) {
        st = replace(temporary, path, err);
    }
    buf_release(&t.where);
    return st;
}

static winnow_status write_whole(const char *path, const struct str *parts, size_t count,
                                 struct winnow_error *err)
{
    struct buf tmp = {0};
    buf_addf(&tmp, "%s" FILE_TMP, path);
    const char *name = buf_cstr(&tmp);
    winnow_status st = write_as(name, O_CREAT | O_TRUNC, "cannot create", parts, count, err);
    if (st == WINNOW_OK) {
        st = replace(name, path, err);
    }
    if (st != WINNOW_OK) {
        (void)unlink(name);
    }
    buf_release(&tmp);
    return st;
}

winnow_status file_write_parts(const char *path, const struct str *parts, size_t count,
                               struct winnow_error *err)
{
    struct target t;
    winnow_status st = find_target(path, &t, err);
    if (st == WINNOW_OK) {
        st = t.special ? write_as(path, O_NOCTTY, "cannot open", parts, count, err)
                       : write_whole(buf_cstr(&t.where), parts, count, err);
    }
    buf_release(&t.where);
    return st;
}

winnow_status file_write_atomic(const char *path, struct str bytes, struct winnow_error *err)
{
    return file_write_parts(path, &bytes, 1, err);
}

winnow_status file_make_dirs(const char *path, struct winnow_error *err)
{
    struct buf b = {0};
    winnow_status st = WINNOW_OK;
    buf_add_text(&b, path);
    (void)buf_cstr(&b);
    for (size_t i = 1; i <= b.len && st == WINNOW_OK; i++) {
        if (i < b.len && b.ptr[i] != '/') {
            continue;
        }
        char kept = b.ptr[i];
        b.ptr[i] = '\0';
        if (mkdir(b.ptr, 0777) != 0 && !(errno == EEXIST && file_is_dir(b.ptr))) {
            st = error_errno(err, "cannot create folder", b.ptr);
        }
        b.ptr[i] = kept;
    }
    buf_release(&b);
    return st;
}

winnow_status file_list(const char *folder, void (*meet)(void *user, const char *name), void *user,
                        bool *found, struct winnow_error *err)
{
    DIR *dir = opendir(folder);
    *found = dir != NULL;
    if (!dir) {
        return errno == ENOENT || errno == ENOTDIR ? WINNOW_OK
                                                   : error_errno(err, "cannot open", folder);
    }
    const struct dirent *e;
    for (;;) {
        errno = 0;        /* the end and an error look alike */
        e = readdir(dir); /* NOLINT(concurrency-mt-unsafe): the stream is this function's own */
        if (!e) {
            break;
        }
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            meet(user, e->d_name);
        }
    }
    winnow_status st = errno == 0 ? WINNOW_OK : error_errno(err, "cannot list", folder);
    (void)closedir(dir);
    return st;
}

bool file_exists(const char *path)
{
    struct stat st;
    /* What cannot be looked at is there: using it says why it cannot be used. */
    return stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool file_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

winnow_status file_size(const char *path, uint64_t *bytes, struct winnow_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return error_errno(err, "cannot stat", path);
    }
    *bytes = (uint64_t)st.st_size;
    return WINNOW_OK;
}

winnow_status file_read_at(int fd, uint64_t at, char *to, size_t len, const char *shown,
                           struct winnow_error *err)
{
    for (size_t have = 0; have < len;) {
        ssize_t n = pread(fd, to + have, len - have, (off_t)(at + have));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return error_errno(err, "cannot read", shown);
        }
        have += (size_t)n;
    }
    return WINNOW_OK;
}

static winnow_status hash_piece(void *ctx, struct str piece, struct winnow_error *err)
{
    (void)err;
    hash_stream_add(ctx, piece);
    return WINNOW_OK;
}

winnow_status file_hash(const char *path, struct hash128 *out, struct winnow_error *err)
{
    struct hash_stream *h = hash_stream_new();
    winnow_status st = each_piece(path, hash_piece, h, err);
    *out = hash_stream_value(h);
    hash_stream_free(h);
    return st;
}

const char *file_join(struct buf *dst, const char *a, const char *b)
{
    assert(!dst->ptr || (a != dst->ptr && b != dst->ptr)); /* it would read what it overwrites */
    buf_clear(dst);
    buf_add_text(dst, a);
    if (dst->len > 0 && dst->ptr[dst->len - 1] != '/') {
        buf_add_char(dst, '/');
    }
    buf_add_text(dst, b);
    return buf_cstr(dst);
}

const char *file_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

winnow_status file_lock_refused(const char *path, struct winnow_error *err)
{
    bool none = errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL;
    if (!none) {
        return error_errno(err, "cannot lock", path);
    }
    return error_set(err, WINNOW_E_IO,
                     "cannot lock %s: the file system there has no locks, and two runs would spoil "
                     "each other's files; name a folder on another one (NFS: mount it with locks)",
                     path);
}

static winnow_status say_locked(int fd, const char *folder, struct winnow_error *err)
{
    char pid[32] = "";
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    pid[n > 0 ? n : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    return error_set(err, WINNOW_E_IO, "%s is in use by process %s; one at a time", folder,
                     pid[0] ? pid : "(unknown)");
}

winnow_status file_lock_folder(const char *folder, int *fd, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    *fd = open(file_join(&path, folder, ".lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*fd < 0) {
        st = error_errno(err, "cannot lock", buf_cstr(&path));
    } else if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            st = say_locked(*fd, folder, err);
        } else {
            st = file_lock_refused(buf_cstr(&path), err);
        }
        (void)close(*fd);
        *fd = -1;
    } else {
        char pid[32];
        int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
        if (ftruncate(*fd, 0) != 0 || pwrite(*fd, pid, (size_t)n, 0) != n) {
            st = error_errno(err, "cannot write", buf_cstr(&path));
            file_unlock(*fd);
            *fd = -1;
        }
    }
    buf_release(&path);
    return st;
}

void file_unlock(int fd)
{
    if (fd >= 0) {
        (void)ftruncate(fd, 0);
        (void)close(fd);
    }
}
