/* byte_source.h -- a file's bytes, decompressed as they come.
 *
 * gzip (any number of members) and zstd (any number of frames) are known by their
 * first bytes; all else is plain, unless its name or its bytes say that it is
 * something that cannot be read as it is (.gz without gzip data, bzip2, Parquet,
 * a Git LFS pointer): then nothing is read and byte_source_torn() tells.  A
 * dictionary in a zstd file's first frame, as in .warc.zst, is used.
 */
#ifndef WINNOW_CORPUS_BYTE_SOURCE_H
#define WINNOW_CORPUS_BYTE_SOURCE_H

#include "base/error.h"
#include "base/stamp.h"
#include "base/str.h"
#include "storage/storage.h"

struct byte_source;

/* path "-" reads standard input. */
winnow_status byte_source_open(struct byte_source **out, const char *path,
                               struct winnow_error *err);
/* The same of an object of storage, whose address path then is; of a file where it is NULL. */
winnow_status byte_source_open_object(struct byte_source **out, const char *path,
                                      const struct storage_object *remote,
                                      struct winnow_error *err);
/* The same, and the rows of a Parquet file are given as JSON lines. */
winnow_status byte_source_open_lines(struct byte_source **out, const char *path,
                                     const struct storage_object *remote, struct winnow_error *err);
void byte_source_close(struct byte_source *s);

/* Bytes that the decoder of the first frame keeps of what it gave before: a zstd
 * window of up to 2 GiB; the pages that are read of a Parquet file; little for all else. */
uint64_t byte_source_window(const struct byte_source *s);

/* The same of a file or object that is not read now; 0 for standard input and for what is no
 * regular file or cannot be opened. */
uint64_t byte_source_peek_window(const char *path, const struct storage_object *remote);

/* A frame with a larger window is refused with WINNOW_E_LIMIT (0: none is).  To be
 * called before the first read. */
void byte_source_set_window_max(struct byte_source *s, uint64_t bytes);

/* Up to room bytes to `to`; *got is 0 only at the end.  Compressed data that
 * break off or are corrupt end there too: byte_source_torn() tells. */
winnow_status byte_source_read(struct byte_source *s, char *to, size_t room, size_t *got,
                               struct winnow_error *err);

/* What the file was when it was found (NULL: unknown).  At the end of its bytes it is
 * looked whether it still is, and whether it is what it was when it was opened: bytes of
 * a file that was written to meanwhile are a mixture, which byte_source_torn() tells.
 * To be called before the first read. */
void byte_source_expect(struct byte_source *s, const struct file_stamp *found);

/* Whether byte_source_torn() tells of such a change: another time it may be well. */
bool byte_source_changed(const struct byte_source *s);

/* Passes over bytes; *skipped is less than asked for at the end only. */
winnow_status byte_source_skip(struct byte_source *s, uint64_t bytes, uint64_t *skipped,
                               struct winnow_error *err);

/* The same where it is known that so many lines are in those bytes: of Parquet what lies
 * before the row group is not read. */
winnow_status byte_source_skip_lines(struct byte_source *s, uint64_t bytes, uint64_t lines,
                                     uint64_t *skipped, struct winnow_error *err);

/* NULL, or why the bytes ended before their end: a clause such as "the gzip
 * data break off after 4096 bytes of the file". */
const char *byte_source_torn(const struct byte_source *s);

/* Whether it says that packed data are corrupt, not that they break off. */
bool byte_source_corrupt(const struct byte_source *s);

/* Breaks will be looked behind.  To be called before the first read: what comes before a
 * break depends on the file alone then, not on the sizes of reads. */
void byte_source_set_mends(struct byte_source *s);

/* Bytes of the file, as it lies on disk. */
struct byte_gap {
    uint64_t from, to;
};

/* Behind a read that gave nothing: looks for the gzip member or zstd frame behind the break
 * whose content begins with `start`.  Where there is one, *found, reading goes on there,
 * and the gap counts as one byte of uncompressed offsets (so that both its sides have
 * one).  A member that is broken is looked through from its beginning, since its decoder
 * may run far into others before it stumbles; a pipe from the break on. */
winnow_status byte_source_mend(struct byte_source *s, struct str start, struct byte_gap *gap,
                               bool *found, struct winnow_error *err);

/* Where the gzip member or zstd frame begins that the bytes read last are of, as an
 * uncompressed offset; one read never gives bytes of two.  UINT64_MAX for plain files. */
uint64_t byte_source_member(const struct byte_source *s);

/* Whether the file can be opened again and has the same bytes then: no pipe has. */
bool byte_source_again(const struct byte_source *s);

/* Bytes taken from the file so far (compressed ones), for progress. */
uint64_t byte_source_bytes_read(const struct byte_source *s);

#endif /* WINNOW_CORPUS_BYTE_SOURCE_H */
