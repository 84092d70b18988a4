/* spool.c -- copies a pipe into a file beside the output, then gives that name on.
 *
 * Cost: the corpus once on disk while the command runs.  The copy appears
 * under its name only when the pipe has ended, so a kill leaves no half of one. */
#include "corpus/spool.h"

#include "base/buf.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

static winnow_status copy(int from, int to, const char *pipe, const char *path, uint64_t *copied,
                          const struct winnow_env *env, struct winnow_error *err)
{
    struct buf bytes = {0};
    winnow_status st = WINNOW_OK;
    uint64_t total = 0;
    while (st == WINNOW_OK) {
        buf_clear(&bytes);
        ssize_t n = read(from, buf_reserve(&bytes, (size_t)1 << 20), (size_t)1 << 20);
        if (n < 0 && errno == EINTR) {
            st = env_check(env, err);
            continue;
        }
        if (n < 0) {
            st = error_errno(err, "cannot read", pipe);
        }
        if (n <= 0) {
            break;
        }
        st = file_write_fd(to, (struct str){bytes.ptr, (size_t)n}, path, err);
        st = st == WINNOW_OK ? env_check(env, err) : st;
        total += (uint64_t)n;
        env_progress(env, "spool", "bytes", total, 0);
    }
    buf_release(&bytes);
    *copied = total;
    return st;
}

/* A pipe that was forgotten, or whose writer failed, costs nobody what an earlier one gave. */
static winnow_status keep_earlier(const char *pipe, const char *path, struct winnow_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0 || st.st_size == 0) {
        return WINNOW_OK;
    }
    return error_set(err, WINNOW_E_FORMAT,
                     "%s is empty; %s, what an earlier call read, and what was made of it stay as "
                     "they are",
                     pipe, path);
}

winnow_status spool_pipe(const char *pipe, const char *path, const struct winnow_env *env,
                         struct winnow_error *err)
{
    bool standard = strcmp(pipe, "-") == 0;
    int from = standard ? STDIN_FILENO : open(pipe, O_RDONLY | O_CLOEXEC);
    if (from < 0) {
        return error_errno(err, "cannot open", pipe);
    }
    struct buf temporary = {0};
    buf_addf(&temporary, "%s" FILE_TMP, path);
    winnow_status st = WINNOW_OK;
    int to = open(buf_cstr(&temporary), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (to < 0) {
        st = error_errno(err, "cannot open", buf_cstr(&temporary));
    } else {
        const char *name = standard ? "standard input" : pipe;
        uint64_t copied = 0;
        st = copy(from, to, name, buf_cstr(&temporary), &copied, env, err);
        st = st == WINNOW_OK && copied == 0 ? keep_earlier(name, path, err) : st;
        (void)close(to);
    }
    if (!standard) {
        (void)close(from);
    }
    if (st == WINNOW_E_FORMAT) {
        (void)unlink(buf_cstr(&temporary));
    }
    st = st == WINNOW_OK ? file_commit(buf_cstr(&temporary), path, err) : st;
    buf_release(&temporary);
    return st;
}

bool spool_has_nothing(void)
{
    struct stat st, null;
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    if (fstat(STDIN_FILENO, &st) != 0) {
        return false;
    }
    if (S_ISREG(st.st_mode)) {
        return lseek(STDIN_FILENO, 0, SEEK_CUR) >= st.st_size;
    }
    if (S_ISCHR(st.st_mode)) {
        return stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev;
    }
    return poll(&in, 1, -1) == 1 && (in.revents & (POLLIN | POLLHUP)) == POLLHUP;
}

const char *spool_name(const char *folder, size_t i, struct arena *keep)
{
    struct buf path = {0};
    buf_addf(&path, "%s/stdin", folder);
    if (i > 0) {
        buf_addf(&path, "-%zu", i);
    }
    buf_add_text(&path, ".jsonl");
    const char *name = arena_strndup(keep, path.ptr, path.len);
    buf_release(&path);
    return name;
}

winnow_status spool_paths(const struct winnow_list *paths, const char *folder,
                          const struct winnow_env *env, struct arena *keep, struct winnow_list *out,
                          struct winnow_error *err)
{
    const char **items = arena_alloc(keep, paths->count + 1, sizeof *items);
    *out = (struct winnow_list){items, paths->count};
    for (size_t i = 0, pipes = 0; i < paths->count; i++) {
        struct stat st;
        items[i] = paths->items[i];
        bool standard = strcmp(items[i], "-") == 0;
        bool other =
            !standard && stat(items[i], &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
        if (standard || other) {
            items[i] = spool_name(folder, pipes++, keep);
            TRY(file_make_dirs(folder, err));
            TRY(spool_pipe(paths->items[i], items[i], env, err));
        }
    }
    return WINNOW_OK;
}

void spool_remove(const struct winnow_list *paths, const struct winnow_list *spooled)
{
    for (size_t i = 0; i < spooled->count; i++) {
        if (spooled->items[i] != paths->items[i]) {
            (void)unlink(spooled->items[i]);
        }
    }
}
