/* state_file.c -- a kind, parts as they lie in memory, a hash of both.
 *
 * The hash is checked over the whole mapped file before any part is given out, so
 * who takes parts need not doubt them, only their number.  Writing goes by
 * file_write_parts(): a checkpoint is the old one or the new one. */
#include "base/state_file.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

static struct hash128 hash_parts(const struct str *parts, size_t count)
{
    struct hash_stream *hash = hash_stream_new();
    for (size_t i = 0; i < count; i++) {
        hash_stream_add(hash, parts[i]);
    }
    struct hash128 value = hash_stream_value(hash);
    hash_stream_free(hash);
    return value;
}

winnow_status state_file_write(const char *path, const char *kind, const struct str *parts,
                               size_t count, struct winnow_error *err)
{
    assert(strlen(kind) == STATE_KIND_BYTES);
    struct str *all = mem_alloc((count + 2) * sizeof *all);
    all[0] = state_part(kind, STATE_KIND_BYTES);
    for (size_t i = 0; i < count; i++) {
        all[1 + i] = parts[i];
    }
    const struct hash128 end = hash_parts(all, count + 1);
    all[count + 1] = state_part(&end, sizeof end);
    winnow_status st = file_write_parts(path, all, count + 2, err);
    mem_free(all);
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
    if (bytes > 0) { /* of nothing dst may be NULL */
        memcpy(dst, f->left.ptr, bytes);
    }
    f->left = str_sub(f->left, bytes, f->left.len);
    return true;
}
