/* warc.h -- the records of a WARC file (ISO 28500), one at a time.
 *
 * WET and WAT files are WARC files too.  Any number of gzip members or zstd
 * frames, usually one a record; nothing relies on that.
 */
#ifndef WINNOW_PAGES_WARC_H
#define WINNOW_PAGES_WARC_H

#include "base/buf.h"
#include "base/error.h"
#include "base/stamp.h"

struct storage_object;
struct warc_reader;

enum warc_kind {
    WARC_RESPONSE,   /* block: an HTTP response as it came over the wire */
    WARC_RESOURCE,   /* block: a payload of content_type */
    WARC_CONVERSION, /* likewise; the records of WET files */
    WARC_OTHER,      /* request, metadata, warcinfo, revisit ...: passed over, no block */
    WARC_BAD         /* reason says why; the next record is looked for behind it */
};

/* Views hold until the next call. */
struct warc_record {
    enum warc_kind kind;
    uint64_t offset, offset_end; /* uncompressed; offset_end is where to go on */
    struct str id;               /* WARC-Record-ID without <urn:uuid: and > */
    struct str uri, date, content_type;
    struct str block;
    struct str reason;
    bool lost;       /* WARC_BAD: bytes of the file, in a gap or to its end */
    bool unreadable; /* another time that may be better */
};

/* From an uncompressed offset that an earlier record ended at, or 0.  Blocks
 * over block_max bytes are bad. */
/* remote: what path is the address of, or NULL. */
winnow_status warc_open(struct warc_reader **out, const char *path,
                        const struct storage_object *remote, uint64_t offset, size_t block_max,
                        struct winnow_error *err);
/* See byte_source_expect(). */
void warc_expect(struct warc_reader *r, const struct file_stamp *found);
winnow_status warc_next(struct warc_reader *r, struct warc_record *record, bool *more,
                        struct winnow_error *err);

/* Whether s begins like a record's header: "WARC/1.0" and a field below. */
bool warc_begins(struct str s);

/* Before the first warc_next(): do the bytes begin like a WARC file?  If not,
 * *page is all of them, up to block_max; ptr NULL if there are more. */
winnow_status warc_is_warc(struct warc_reader *r, bool *yes, struct str *page,
                           struct winnow_error *err);

/* NULL, or why the bytes that have been read ended before their end (byte_source_torn()). */
const char *warc_torn(const struct warc_reader *r);

/* Bytes read of the file so far, as they lie on disk. */
uint64_t warc_bytes_read(const struct warc_reader *r);

void warc_close(struct warc_reader *r);

#endif /* WINNOW_PAGES_WARC_H */
