/* byte_source_internal.h -- a source, for its reader and for who mends it. */
#ifndef WINNOW_CORPUS_BYTE_SOURCE_INTERNAL_H
#define WINNOW_CORPUS_BYTE_SOURCE_INTERNAL_H

#include "corpus/byte_source.h"
#include "corpus/packing.h"
#include "parquet/parquet.h"

#include <zlib.h>
#include <zstd.h>

#define IN_ROOM ((size_t)1 << 17) /* what is read at a time */
#define IN_CAP  (2 * IN_ROOM)     /* what is held: a block of zstd, and where it begins */

struct byte_source {
    const char *path;
    int fd; /* -1: it is an object */
    struct storage_file *remote;
    enum packing packing;
    bool ended;     /* read(2) gave 0 */
    bool in_member; /* inside a gzip member or zstd frame */
    bool any_member;
    bool broken, corrupt;
    bool mends;           /* breaks are looked behind */
    bool again;           /* a file with a name, no pipe */
    bool judged, changed; /* at the end: against both of these */
    struct file_stamp found, opened;
    uint64_t bytes_read;
    uint64_t delivered, member_at; /* uncompressed */
    uint64_t member_raw;           /* where it begins in the file */
    uint64_t furthest;             /* place in the file before a search went back */
    uint64_t reread;               /* bytes that searches read once more */
    char *in;
    size_t in_at, in_len;
    z_stream gz;
    ZSTD_DStream *zst;
    size_t zst_hint;             /* bytes that it wants next; 0: not said */
    bool zst_full;               /* it may hold more than there was room for */
    uint64_t window, window_max; /* of the first frame; that is allowed, 0: any */
    bool takes_rows;             /* Parquet is read, as JSON lines */
    bool parquet;                /* and this is one; opened at the first read: */
    struct parquet_rows *rows;
    uint64_t size; /* of the file */
    char torn[400];
};

/* One read(2) of up to room bytes behind what is in s->in. */
winnow_status byte_source_more(struct byte_source *s, size_t room, struct winnow_error *err);

#endif /* WINNOW_CORPUS_BYTE_SOURCE_INTERNAL_H */
