#include "train/weights_file.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define MAGIC "winnowW1"

struct header {
    char magic[8];
    uint64_t count;
    uint64_t low, high; /* hash of the numbers */
};

static struct str bytes_of(const void *p, size_t n)
{
    return (struct str){p, n};
}

winnow_status weights_file_write(const char *path, const float *values, size_t count,
                                 struct winnow_error *err)
{
    struct str numbers = bytes_of(values, count * sizeof *values);
    struct hash128 hash = hash128(numbers);
    struct header h = {.count = count, .low = hash.low, .high = hash.high};
    memcpy(h.magic, MAGIC, sizeof h.magic);
    struct buf temporary = {0};
    buf_addf(&temporary, "%s.tmp", path);
    const char *name = buf_cstr(&temporary);
    winnow_status st;
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        st = error_errno(err, "writing", name);
    } else {
        st = file_write_fd(fd, bytes_of(&h, sizeof h), name, err);
        if (st == WINNOW_OK) {
            st = file_write_fd(fd, numbers, name, err);
        }
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

static winnow_status read_numbers(struct str bytes, float *values, size_t count,
                                  struct winnow_error *err)
{
    struct header h;
    size_t each = count * sizeof *values;
    if (bytes.len != sizeof h + each || memcmp(bytes.ptr, MAGIC, sizeof h.magic) != 0) {
        return error_set(err, WINNOW_E_FORMAT, "not a file of %zu weights", count);
    }
    memcpy(&h, bytes.ptr, sizeof h);
    struct hash128 hash = hash128(str_sub(bytes, sizeof h, bytes.len));
    if (h.count != count || h.low != hash.low || h.high != hash.high) {
        return error_set(err, WINNOW_E_FORMAT, "damaged weights (their hash does not fit)");
    }
    memcpy(values, bytes.ptr + sizeof h, each);
    return WINNOW_OK;
}

winnow_status weights_file_read(const char *path, float *values, size_t count,
                                struct winnow_error *err)
{
    struct file_map map;
    TRY(file_map_open(path, &map, err));
    winnow_status st = read_numbers(map.bytes, values, count, err);
    file_map_close(&map);
    return st == WINNOW_OK ? st : error_wrap(err, st, "%s", path);
}
