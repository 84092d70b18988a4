#include "base/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static winnow_status write_part(int fd, struct hash_stream *hash, struct str part, const char *path,
                                struct winnow_error *err)
{
    hash_stream_add(hash, part);
    return file_write_fd(fd, part, path, err);
}

static winnow_status write_all(int fd, const char *kind, const struct str *parts, size_t count,
                               const char *path, struct winnow_error *err)
{
    struct hash_stream *hash = hash_stream_new();
    winnow_status st = write_part(fd, hash, state_part(kind, STATE_KIND_BYTES), path, err);
    for (size_t i = 0; i < count && st == WINNOW_OK; i++) {
        st = write_part(fd, hash, parts[i], path, err);
    }
    struct hash128 end = hash_stream_value(hash);
    hash_stream_free(hash);
    return st == WINNOW_OK ? file_write_fd(fd, state_part(&end, sizeof end), path, err) : st;
}

winnow_status state_file_write(const char *path, const char *kind, const struct str *parts,
                               size_t count, struct winnow_error *err)
{
    struct buf temporary = {0};
    buf_addf(&temporary, "%s.tmp", path);
    const char *name = buf_cstr(&temporary);
    winnow_status st;
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        st = error_errno(err, "writing", name);
    } else {
        st = write_all(fd, kind, parts, count, name, err);
        if (close(fd) != 0 && st == WINNOW_OK) {
            st = error_errno(err, "writing", name);
        }
        if (st == WINNOW_OK) {
            st = file_commit(name, path, err);
        }
        if (st != WINNOW_OK) {
            (void)unlink(name);
        }
    }
    buf_release(&temporary);
    return st;
}

static winnow_status check(struct str bytes, const char *kind, struct winnow_error *err)
{
    if (bytes.len < STATE_KIND_BYTES || memcmp(bytes.ptr, kind, STATE_KIND_BYTES) != 0) {
        return error_set(err, WINNOW_E_FORMAT, "not the state of such a computation (%.8s)", kind);
    }
    struct hash128 end = {0};
    size_t whole = bytes.len < STATE_KIND_BYTES + sizeof end ? 0 : bytes.len - sizeof end;
    if (whole > 0) {
        memcpy(&end, bytes.ptr + whole, sizeof end);
    }
    struct hash128 hash = hash128(str_sub(bytes, 0, whole));
    if (whole == 0 || end.low != hash.low || end.high != hash.high) {
        return error_set(err, WINNOW_E_FORMAT, "damaged (its hash does not fit)");
    }
    return WINNOW_OK;
}

winnow_status state_file_open(const char *path, const char *kind, struct state_file *out,
                              struct winnow_error *err)
{
    TRY(file_map_open(path, &out->map, err));
    winnow_status st = check(out->map.bytes, kind, err);
    if (st != WINNOW_OK) {
        state_file_close(out);
        return error_wrap(err, st, "%s", path);
    }
    out->left =
        str_sub(out->map.bytes, STATE_KIND_BYTES, out->map.bytes.len - sizeof(struct hash128));
    return WINNOW_OK;
}

void state_file_close(struct state_file *f)
{
    file_map_close(&f->map);
    f->left = (struct str){NULL, 0};
}

bool state_file_take(struct state_file *f, void *dst, size_t bytes)
{
    if (f->left.len < bytes) {
        return false;
    }
    memcpy(dst, f->left.ptr, bytes);
    f->left = str_sub(f->left, bytes, f->left.len);
    return true;
}
