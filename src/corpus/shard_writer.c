/* shard_writer.c -- compression in whole frames, one a flush.
 *
 * What is added waits in memory until the flush and is then compressed in one
 * call.  A streaming compressor would save that buffer, but its output may
 * depend on how its input was cut, and then a resumed run would differ from an
 * uninterrupted one.  A frame is also flushed by itself at FRAME_MAX bytes,
 * which again depends on the bytes alone.  What makes whole frames by itself, as
 * the blocks of a run do, is compressed where it lies.
 */
#define ZLIB_CONST /* deflate() reads its input only */
#include "corpus/shard_writer.h"

#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/packing.h"
#include "corpus/parquet_pack.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define FRAME_MAX ((size_t)16 << 20)
#define KEPT_MAX  ((size_t)8 << 20) /* of buffers, between frames */

struct shard_writer {
    char *path, *temporary; /* temporary NULL: env takes the bytes */
    const struct winnow_env *env;
    int fd, level; /* fd -1: none */
    enum packing packing;
    bool parquet;
    char *like;
    const struct storage_object *like_remote;
    uint64_t offset; /* bytes in the file */
    struct buf pending, packed;
    ZSTD_CCtx *zst;
};

static void writer_free(struct shard_writer *w)
{
    if (w->fd >= 0) {
        (void)close(w->fd);
    }
    (void)ZSTD_freeCCtx(w->zst);
    buf_release(&w->pending);
    buf_release(&w->packed);
    mem_free(w->path);
    mem_free(w->temporary);
    mem_free(w->like);
    mem_free(w);
}

static winnow_status open_file(struct shard_writer *w, uint64_t resume_at, struct winnow_error *err)
{
    const char *base = file_base(w->path);
    if (base != w->path) {
        struct buf dir = {0};
        buf_add(&dir, w->path, (size_t)(base - w->path));
        winnow_status st = file_make_dirs(buf_cstr(&dir), err);
        buf_release(&dir);
        TRY(st);
    }
    struct buf tmp = {0};
    buf_addf(&tmp, "%s" FILE_TMP, w->path);
    w->temporary = mem_strdup(buf_cstr(&tmp));
    buf_release(&tmp);
    int flags = O_WRONLY | O_CLOEXEC | (resume_at > 0 ? 0 : O_CREAT | O_TRUNC);
    w->fd = open(w->temporary, flags, 0666);
    if (w->fd < 0) {
        return error_errno(err, resume_at > 0 ? "cannot open" : "cannot create", w->temporary);
    }
    struct stat st;
    if (resume_at > 0 && (fstat(w->fd, &st) != 0 || (uint64_t)st.st_size < resume_at)) {
        return error_set(err, WINNOW_E_INTERNAL,
                         "%s is shorter than the %" PRIu64 " bytes that its checkpoint names",
                         w->temporary, resume_at);
    }
    if (resume_at > 0 &&
        (ftruncate(w->fd, (off_t)resume_at) != 0 || lseek(w->fd, (off_t)resume_at, SEEK_SET) < 0)) {
        return error_errno(err, "cannot go on with", w->temporary);
    }
    w->offset = resume_at;
    return WINNOW_OK;
}

winnow_status shard_writer_open(struct shard_writer **out, const char *path,
                                const struct shard_writer_options *opt, struct winnow_error *err)
{
    *out = NULL;
    struct shard_writer *w = mem_zalloc(sizeof *w);
    w->path = mem_strdup(path);
    w->level = opt->level;
    w->fd = -1;
    w->env = opt->env;
    struct str name = str_of(path);
    winnow_status st = WINNOW_OK;
    w->parquet = packing_is_parquet(name);
    w->like = opt->like ? mem_strdup(opt->like) : NULL;
    w->like_remote = opt->like_remote;
    w->packing = w->parquet ? PACKING_ZST : packing_of_name(name);
    if (w->packing == PACKING_GZ) {
        w->level = opt->level ? opt->level : 6;
    } else if (w->packing == PACKING_ZST) {
        w->zst = ZSTD_createCCtx();
        if (!w->zst ||
            ZSTD_isError(ZSTD_CCtx_setParameter(w->zst, ZSTD_c_compressionLevel,
                                                opt->level ? opt->level : 3)) ||
            ZSTD_isError(ZSTD_CCtx_setParameter(w->zst, ZSTD_c_checksumFlag, 1))) {
            st = error_set(err, WINNOW_E_NOMEM, "no memory to compress %s", path);
        }
    }
    if (st == WINNOW_OK && !str_is(name, "-")) {
        st = open_file(w, opt->resume_at, err);
    }
    if (st != WINNOW_OK) {
        writer_free(w);
        return st;
    }
    *out = w;
    return WINNOW_OK;
}

static winnow_status pack_zst(struct shard_writer *w, struct str bytes, struct winnow_error *err)
{
    size_t room = ZSTD_compressBound(bytes.len);
    buf_clear(&w->packed);
    size_t n = ZSTD_compress2(w->zst, buf_reserve(&w->packed, room), room, bytes.ptr, bytes.len);
    if (ZSTD_isError(n)) {
        return error_set(err, WINNOW_E_NOMEM, "cannot compress %s: %s", w->path,
                         ZSTD_getErrorName(n));
    }
    w->packed.len = n;
    return WINNOW_OK;
}

static winnow_status pack_gz(struct shard_writer *w, struct str bytes, struct winnow_error *err)
{
    z_stream z = {0};
    if (deflateInit2(&z, w->level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to compress %s", w->path);
    }
    size_t room = deflateBound(&z, bytes.len);
    buf_clear(&w->packed);
    z.next_out = (unsigned char *)buf_reserve(&w->packed, room);
    z.avail_out = (uInt)room;
    z.next_in = (const unsigned char *)bytes.ptr;
    z.avail_in = (uInt)bytes.len;
    int code = deflate(&z, Z_FINISH);
    w->packed.len = room - z.avail_out;
    (void)deflateEnd(&z);
    if (code != Z_STREAM_END) {
        return error_set(err, WINNOW_E_INTERNAL, "cannot compress %s: zlib says %d", w->path, code);
    }
    return WINNOW_OK;
}

/* One frame of bytes, which may be none. */
static winnow_status write_frame(struct shard_writer *w, struct str bytes, struct winnow_error *err)
{
    struct str from = bytes;
    if (w->packing == PACKING_ZST) {
        TRY(pack_zst(w, bytes, err));
        from = buf_str(&w->packed);
    } else if (w->packing == PACKING_GZ) {
        TRY(pack_gz(w, bytes, err));
        from = buf_str(&w->packed);
    }
    TRY(w->temporary ? file_write_fd(w->fd, from, w->temporary, err)
                     : env_write(w->env, from, err));
    w->offset += from.len;
    if (w->packed.cap > KEPT_MAX) {
        buf_release(&w->packed);
    }
    return WINNOW_OK;
}

/* Frames of what is pending, then nothing is. */
static winnow_status write_pending(struct shard_writer *w, struct winnow_error *err)
{
    winnow_status st = write_frame(w, buf_str(&w->pending), err);
    if (w->pending.cap > KEPT_MAX) {
        buf_release(&w->pending);
    }
    buf_clear(&w->pending);
    return st;
}

winnow_status shard_writer_add(struct shard_writer *w, struct str bytes, struct winnow_error *err)
{
    while (bytes.len > 0) {
        if (w->pending.len == 0 && bytes.len >= FRAME_MAX) {
            TRY(write_frame(w, str_sub(bytes, 0, FRAME_MAX), err));
            bytes = str_sub(bytes, FRAME_MAX, bytes.len);
            continue;
        }
        assert(w->pending.len < FRAME_MAX);
        size_t room = FRAME_MAX - w->pending.len;
        size_t n = bytes.len < room ? bytes.len : room;
        buf_add(&w->pending, bytes.ptr, n);
        bytes = str_sub(bytes, n, bytes.len);
        if (w->pending.len == FRAME_MAX) {
            TRY(write_pending(w, err));
        }
    }
    return WINNOW_OK;
}

winnow_status shard_writer_add_frame(struct shard_writer *w, struct str bytes, uint64_t *offset,
                                     struct winnow_error *err)
{
    while (w->pending.len == 0 && bytes.len > 0) {
        struct str frame = str_sub(bytes, 0, bytes.len < FRAME_MAX ? bytes.len : FRAME_MAX);
        TRY(write_frame(w, frame, err));
        bytes = str_sub(bytes, frame.len, bytes.len);
    }
    TRY(shard_writer_add(w, bytes, err));
    return shard_writer_flush(w, offset, err);
}

winnow_status shard_writer_flush(struct shard_writer *w, uint64_t *offset, struct winnow_error *err)
{
    if (w->pending.len > 0) {
        TRY(write_pending(w, err));
    }
    if (offset) {
        *offset = w->offset;
    }
    return WINNOW_OK;
}

winnow_status shard_writer_sync(struct shard_writer *w, uint64_t *offset, struct winnow_error *err)
{
    TRY(shard_writer_flush(w, offset, err));
    if (w->temporary && fdatasync(w->fd) != 0 && errno != EINVAL) {
        return error_errno(err, "cannot sync", w->temporary);
    }
    return WINNOW_OK;
}

/* The lines become columns in a file beside theirs, which gets the name. */
static winnow_status commit_parquet(struct shard_writer *w, struct winnow_error *err)
{
    struct buf made = {0};
    buf_addf(&made, "%s.rows" FILE_TMP, w->path);
    const struct parquet_like like = {w->like, w->like_remote};
    winnow_status st = parquet_pack(w->temporary, buf_cstr(&made), w->like ? &like : NULL, err);
    if (st == WINNOW_OK) {
        st = file_commit(buf_cstr(&made), w->path, err);
    } else {
        (void)unlink(buf_cstr(&made));
    }
    buf_release(&made);
    return st;
}

winnow_status shard_writer_commit(struct shard_writer *w, struct winnow_error *err)
{
    TRY(shard_writer_flush(w, NULL, err));
    if (w->offset == 0 && w->packing != PACKING_PLAIN) {
        TRY(write_frame(w, (struct str){"", 0},
                        err)); /* an empty frame: zero bytes would be a torn file */
    }
    if (!w->temporary) {
        return WINNOW_OK;
    }
    return w->parquet ? commit_parquet(w, err) : file_commit(w->temporary, w->path, err);
}

void shard_writer_forget(const char *path)
{
    struct buf temporary = {0};
    buf_addf(&temporary, "%s" FILE_TMP, path);
    if (packing_is_parquet(str_of(path))) {
        (void)unlink(buf_cstr(&temporary));
    }
    buf_release(&temporary);
}

void shard_writer_close(struct shard_writer *w)
{
    if (w) {
        writer_free(w);
    }
}
