/* near_file.c -- see near_file.h. */
#include "dedup/near_file.h"

#include "base/file.h"
#include "base/mem.h"

#include <fcntl.h>
#include <unistd.h>

#define TAIL_BYTES ((size_t)1 << 20)

winnow_status near_file_open(struct near_file *f, const char *path, uint64_t keep,
                             struct winnow_error *err)
{
    *f = (struct near_file){.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666),
                            .path = mem_strdup(path),
                            .end = keep};
    if (f->fd < 0) {
        return error_errno(err, "cannot create", path);
    }
    if (ftruncate(f->fd, (off_t)keep) != 0 || lseek(f->fd, (off_t)keep, SEEK_SET) < 0) {
        return error_errno(err, "cannot cut", path);
    }
    return WINNOW_OK;
}

winnow_status near_file_flush(struct near_file *f, struct winnow_error *err)
{
    TRY(file_write_fd(f->fd, buf_str(&f->tail), f->path, err));
    buf_clear(&f->tail);
    return WINNOW_OK;
}

winnow_status near_file_add(struct near_file *f, struct str bytes, struct winnow_error *err)
{
    buf_add_str(&f->tail, bytes);
    f->end += bytes.len;
    return f->tail.len >= TAIL_BYTES ? near_file_flush(f, err) : WINNOW_OK;
}

winnow_status near_file_sync(struct near_file *f, struct winnow_error *err)
{
    TRY(near_file_flush(f, err));
    return fsync(f->fd) == 0 ? WINNOW_OK : error_errno(err, "cannot sync", f->path);
}

void near_file_close(struct near_file *f)
{
    if (f->path && f->fd >= 0) {
        (void)close(f->fd);
    }
    buf_release(&f->tail);
    mem_free(f->path);
    *f = NEAR_FILE_NONE;
}
