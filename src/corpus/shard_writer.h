/* shard_writer.h -- a shard written so that it can be gone on with.
 *
 * Bytes go to NAME.tmp; commit syncs it and gives it its name.  Each flush ends
 * one zstd frame or gzip member, so the file up to there is complete in itself:
 * a run that was killed opens the same name with the offset that flush gave and
 * writes on, and the bytes come out as if nothing had happened, provided the
 * flushes come at the same places.
 *
 * A Parquet file is made of its lines by the commit: until then NAME.tmp holds them, as
 * frames of zstd, and it stays until shard_writer_forget(), so that a process that is killed
 * before it has noted the commit can go on from an earlier place.
 */
#ifndef WINNOW_CORPUS_SHARD_WRITER_H
#define WINNOW_CORPUS_SHARD_WRITER_H

#include "base/error.h"
#include "base/str.h"

struct shard_writer;

struct shard_writer_options {
    uint64_t resume_at;                       /* bytes of NAME.tmp to keep; 0: start anew */
    int level;                                /* 0: 3 for zstd, 6 for gzip */
    const struct winnow_env *env;             /* whose write takes the bytes of "-" */
    const struct storage_object *like_remote; /* what like is the address of, or NULL */
    const char *like; /* of Parquet: a file whose columns and types it has, or NULL; borrowed */
};
#define SHARD_WRITER_OPTIONS_INIT ((struct shard_writer_options){0})

/* By path's extension: .parquet, .gz, .zst, else plain.  "-" hands plain text to
 * opt->env, where commit only flushes.  Makes the folders above path. */
winnow_status shard_writer_open(struct shard_writer **out, const char *path,
                                const struct shard_writer_options *opt, struct winnow_error *err);

/* Compresses and writes at the latest at the next flush. */
winnow_status shard_writer_add(struct shard_writer *w, struct str bytes, struct winnow_error *err);

/* The same and a flush, without a copy where nothing waits to be flushed. */
winnow_status shard_writer_add_frame(struct shard_writer *w, struct str bytes, uint64_t *offset,
                                     struct winnow_error *err);

/* Ends the frame and hands all to the system; *offset (may be NULL) is the
 * file's length now.  A flush with nothing added since the last writes nothing. */
winnow_status shard_writer_flush(struct shard_writer *w, uint64_t *offset,
                                 struct winnow_error *err);

/* The same, and waits until the bytes are on the disk: what a checkpoint names. */
winnow_status shard_writer_sync(struct shard_writer *w, uint64_t *offset, struct winnow_error *err);

/* Flushes, syncs and renames.  An empty .gz or .zst is still a valid one. */
winnow_status shard_writer_commit(struct shard_writer *w, struct winnow_error *err);

/* Removes what a commit left beside a Parquet file, if it did. */
void shard_writer_forget(const char *path);

/* Ends without the final name; NAME.tmp stays, to be resumed or removed. */
void shard_writer_close(struct shard_writer *w);

#endif /* WINNOW_CORPUS_SHARD_WRITER_H */
