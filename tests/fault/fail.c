/* fail.c -- a system that fails: loaded before libc (LD_PRELOAD), it lets the n-th
 * call of one kind fail once.
 *
 *     WINNOW_FAIL_KIND=write WINNOW_FAIL_AT=12 LD_PRELOAD=libfail.so winnow run r.yaml
 *     WINNOW_FAIL_COUNT=counts LD_PRELOAD=libfail.so winnow run r.yaml   how many there are
 *
 * Only calls about files below WINNOW_FAIL_UNDER count, so that the program's own
 * libraries and its terminal are left alone.  `short` gives half of what a read or a
 * write was asked for, `intr` fails with EINTR.  Kinds `flock` and `linkat` fail each
 * time: file systems without them.  What failed is said in the file that
 * WINNOW_FAIL_SAYS names. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind {
    OPEN,
    READ,
    WRITE,
    STAT,
    READDIR,
    RENAME,
    LINK,
    UNLINK,
    FSYNC,
    MMAP,
    MALLOC,
    MKDIR,
    TRUNCATE,
    SEEK,
    CLOSE,
    SHORT,
    INTR,
    FLOCK,
    LINKAT,
    KINDS
};

static const char *const NAMES[KINDS] = {
    "open",   "read",  "write",    "stat", "readdir", "rename", "link", "unlink", "fsync", "mmap",
    "malloc", "mkdir", "truncate", "seek", "close",   "short",  "intr", "flock",  "linkat"};

static struct {
    atomic_ulong count[KINDS];
    unsigned long at;
    int kind;         /* -1: none */
    bool ready, dies; /* WINNOW_FAIL_DIES: kill -9 before the call instead */
    char under[PATH_MAX];
    size_t under_len;
    const char *says;
} f = {.kind = -1};

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* A function pointer from dlsym's data pointer. */
#define REAL(name, type)        \
    static union {              \
        void *data;             \
        __typeof__(type) call;  \
    } next;                     \
    if (!next.data) {           \
        next.data = real(name); \
    }

static void write_counts(void)
{
    const char *path = getenv("WINNOW_FAIL_COUNT");
    f.kind = -1;
    FILE *out = path ? fopen(path, "w") : NULL;
    for (int i = 0; out && i < KINDS; i++) {
        (void)fprintf(out, "%s %lu\n", NAMES[i], atomic_load(&f.count[i]));
    }
    if (out) {
        (void)fclose(out);
    }
}

__attribute__((constructor)) static void start(void)
{
    const char *kind = getenv("WINNOW_FAIL_KIND"), *at = getenv("WINNOW_FAIL_AT");
    const char *under = getenv("WINNOW_FAIL_UNDER");
    f.at = at ? strtoul(at, NULL, 10) : 0;
    f.says = getenv("WINNOW_FAIL_SAYS");
    f.dies = getenv("WINNOW_FAIL_DIES") != NULL;
    if (under && realpath(under, f.under)) {
        f.under_len = strlen(f.under);
    }
    for (int i = 0; kind && i < KINDS; i++) {
        f.kind = strcmp(kind, NAMES[i]) == 0 ? i : f.kind;
    }
    if (getenv("WINNOW_FAIL_COUNT")) {
        (void)atexit(write_counts);
    }
    f.ready = true;
}

static bool under_path(const char *path)
{
    if (path[0] != '/') { /* the tests run in the folder */
        char cwd[PATH_MAX];
        return getcwd(cwd, sizeof cwd) && strncmp(cwd, f.under, f.under_len) == 0;
    }
    return strncmp(path, f.under, f.under_len) == 0;
}

static bool under_fd(int fd)
{
    char link[64], path[PATH_MAX];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) {
        return false;
    }
    path[n] = '\0';
    return under_path(path) && path[0] == '/';
}

static void say(enum kind k, const char *what)
{
    REAL("open", int (*)(const char *, int, ...))
    int fd = f.says ? next.call(f.says, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (fd >= 0) {
        char line[PATH_MAX + 64];
        int n = snprintf(line, sizeof line, "%s %lu: %s\n", NAMES[k], f.at, what);
        REAL("write", ssize_t(*)(int, const void *, size_t))
        (void)!next.call(fd, line, (size_t)n);
        (void)close(fd);
    }
}

static bool hit(enum kind k)
{
    if (!f.ready) {
        return false;
    }
    unsigned long n = atomic_fetch_add(&f.count[k], 1) + 1;
    bool now = f.kind == (int)k && (n == f.at || k == FLOCK || k == LINKAT);
    if (now && f.dies) {
        (void)raise(SIGKILL);
    }
    return now;
}

static bool path_hit(enum kind k, const char *path, int reason)
{
    if (!f.ready || !under_path(path) || !hit(k)) {
        return false;
    }
    say(k, path);
    errno = reason;
    return true;
}

static bool fd_hit(enum kind k, int fd, int reason)
{
    char name[64];
    if (!f.ready || !under_fd(fd) || !hit(k)) {
        return false;
    }
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    char path[PATH_MAX];
    ssize_t n = readlink(name, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    say(k, path);
    errno = reason;
    return true;
}

/* ---- files ---- */

static int open_mode(int flags, va_list ap)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, int) : 0;
}

#define OPEN_LIKE(name)                                 \
    int name(const char *path, int flags, ...);         \
    int name(const char *path, int flags, ...)          \
    {                                                   \
        REAL(#name, int (*)(const char *, int, ...))    \
        va_list ap;                                     \
        va_start(ap, flags);                            \
        int mode = open_mode(flags, ap);                \
        va_end(ap);                                     \
        int reason = flags & O_CREAT ? ENOSPC : EMFILE; \
        if (path_hit(OPEN, path, reason)) {             \
            return -1;                                  \
        }                                               \
        return next.call(path, flags, mode);            \
    }
OPEN_LIKE(open)
OPEN_LIKE(open64)

int openat(int dir, const char *path, int flags, ...);
int openat(int dir, const char *path, int flags, ...)
{
    REAL("openat", int (*)(int, const char *, int, ...))
    va_list ap;
    va_start(ap, flags);
    int mode = open_mode(flags, ap);
    va_end(ap);
    bool mine = path[0] == '/' || dir == AT_FDCWD ? under_path(path) : f.ready && under_fd(dir);
    if (f.ready && mine && hit(OPEN)) {
        say(OPEN, path);
        errno = flags & O_CREAT ? ENOSPC : EMFILE;
        return -1;
    }
    return next.call(dir, path, flags, mode);
}

DIR *opendir(const char *path)
{
    REAL("opendir", DIR * (*)(const char *))
    return path_hit(OPEN, path, EACCES) ? NULL : next.call(path);
}

#define READ_LIKE(name, params, args, plain)      \
    ssize_t name params;                          \
    ssize_t name params                           \
    {                                             \
        REAL(#name, ssize_t(*) params)            \
        if (fd_hit(READ, fd, EIO)) {              \
            return -1;                            \
        }                                         \
        if ((plain) && fd_hit(INTR, fd, EINTR)) { \
            return -1;                            \
        }                                         \
        if (n > 1 && fd_hit(SHORT, fd, 0)) {      \
            n /= 2;                               \
        }                                         \
        return next.call args;                    \
    }
READ_LIKE(read, (int fd, void *to, size_t n), (fd, to, n), true)
READ_LIKE(pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at), true)
READ_LIKE(pread64, (int fd, void *to, size_t n, off_t at), (fd, to, n, at), true)

#define WRITE_LIKE(name, params, args)       \
    ssize_t name params;                     \
    ssize_t name params                      \
    {                                        \
        REAL(#name, ssize_t(*) params)       \
        if (fd_hit(WRITE, fd, ENOSPC)) {     \
            return -1;                       \
        }                                    \
        if (fd_hit(INTR, fd, EINTR)) {       \
            return -1;                       \
        }                                    \
        if (n > 1 && fd_hit(SHORT, fd, 0)) { \
            n /= 2;                          \
        }                                    \
        return next.call args;               \
    }
WRITE_LIKE(write, (int fd, const void *from, size_t n), (fd, from, n))
WRITE_LIKE(pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
WRITE_LIKE(pwrite64, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))

int stat(const char *path, struct stat *st)
{
    REAL("stat", int (*)(const char *, struct stat *))
    return path_hit(STAT, path, EACCES) ? -1 : next.call(path, st);
}

int lstat(const char *path, struct stat *st)
{
    REAL("lstat", int (*)(const char *, struct stat *))
    return path_hit(STAT, path, EACCES) ? -1 : next.call(path, st);
}

int fstatat(int dir, const char *restrict path, struct stat *restrict st, int flags)
{
    REAL("fstatat", int (*)(int, const char *, struct stat *, int))
    return path_hit(STAT, path, EACCES) ? -1 : next.call(dir, path, st, flags);
}

int fstat(int fd, struct stat *st)
{
    REAL("fstat", int (*)(int, struct stat *))
    return fd_hit(STAT, fd, EIO) ? -1 : next.call(fd, st);
}

struct dirent *readdir(DIR *dir)
{
    REAL("readdir", struct dirent * (*)(DIR *))
    return fd_hit(READDIR, dirfd(dir), EIO) ? NULL : next.call(dir);
}

int scandir(const char *path, struct dirent ***list, int (*take)(const struct dirent *),
            int (*order)(const struct dirent **, const struct dirent **))
{
    REAL("scandir", int (*)(const char *, struct dirent ***, int (*)(const struct dirent *),
                            int (*)(const struct dirent **, const struct dirent **)))
    return path_hit(READDIR, path, EIO) ? -1 : next.call(path, list, take, order);
}

int rename(const char *from, const char *to)
{
    REAL("rename", int (*)(const char *, const char *))
    return path_hit(RENAME, to, EIO) ? -1 : next.call(from, to);
}

int link(const char *from, const char *to)
{
    REAL("link", int (*)(const char *, const char *))
    if (path_hit(LINK, to, EIO) || path_hit(LINKAT, to, EPERM)) {
        return -1;
    }
    return next.call(from, to);
}

int unlink(const char *path)
{
    REAL("unlink", int (*)(const char *))
    return path_hit(UNLINK, path, EACCES) ? -1 : next.call(path);
}

int remove(const char *path)
{
    REAL("remove", int (*)(const char *))
    return path_hit(UNLINK, path, EACCES) ? -1 : next.call(path);
}

int mkdir(const char *path, mode_t mode)
{
    REAL("mkdir", int (*)(const char *, mode_t))
    return path_hit(MKDIR, path, ENOSPC) ? -1 : next.call(path, mode);
}

int fsync(int fd)
{
    REAL("fsync", int (*)(int))
    return fd_hit(FSYNC, fd, EIO) ? -1 : next.call(fd);
}

int fdatasync(int fd)
{
    REAL("fdatasync", int (*)(int))
    return fd_hit(FSYNC, fd, EIO) ? -1 : next.call(fd);
}

int ftruncate(int fd, off_t size)
{
    REAL("ftruncate", int (*)(int, off_t))
    return fd_hit(TRUNCATE, fd, EIO) ? -1 : next.call(fd, size);
}

off_t lseek(int fd, off_t at, int whence)
{
    REAL("lseek", off_t(*)(int, off_t, int))
    return fd_hit(SEEK, fd, EINVAL) ? -1 : next.call(fd, at, whence);
}

/* The file is closed all the same, as Linux does it. */
int close(int fd)
{
    REAL("close", int (*)(int))
    bool fail = fd_hit(CLOSE, fd, EIO);
    int result = next.call(fd);
    if (fail) {
        errno = EIO;
    }
    return fail ? -1 : result;
}

int flock(int fd, int how)
{
    REAL("flock", int (*)(int, int))
    return fd_hit(FLOCK, fd, ENOLCK) ? -1 : next.call(fd, how);
}

/* ---- memory ---- */

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    REAL("mmap", void *(*)(void *, size_t, int, int, int, off_t))
    bool counts = f.ready && (fd < 0 ? f.kind == MMAP || f.kind < 0 : under_fd(fd));
    if (counts && hit(MMAP)) {
        say(MMAP, fd < 0 ? "anonymous" : "a file");
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return next.call(at, size, protection, flags, fd, offset);
}

/* What base/mem.c calls; libraries' own malloc is theirs. */
void *aligned_alloc(size_t alignment, size_t size)
{
    REAL("aligned_alloc", void *(*)(size_t, size_t))
    if (f.ready && hit(MALLOC)) {
        char text[64];
        (void)snprintf(text, sizeof text, "%zu bytes", size);
        say(MALLOC, text);
        errno = ENOMEM;
        return NULL;
    }
    return next.call(alignment, size);
}
