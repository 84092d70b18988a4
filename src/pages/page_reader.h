/* page_reader.h -- files and WARC records as batches of pages still to be read.
 *
 * Where a batch ends depends on the names, sizes and bytes of the input alone.
 */
#ifndef WINNOW_PAGES_PAGE_READER_H
#define WINNOW_PAGES_PAGE_READER_H

#include "base/arena.h"
#include "corpus/shards.h"

enum page_form {
    PAGE_FILE,    /* a file of its own: whoever extracts it opens path */
    PAGE_BYTES,   /* block is the page (standard input) */
    PAGE_HTTP,    /* block is an HTTP response */
    PAGE_PAYLOAD, /* block is a payload of content_type */
    PAGE_BROKEN   /* bad says why there is none */
};

struct page {
    enum page_form form;
    const char *path;                    /* of the file it is, or lies in */
    const struct storage_object *remote; /* what path is the address of, or NULL */
    const char *name, *label;            /* what that file is called (struct shard) */
    const struct file_stamp *found;      /* what that file was when it was found */
    uint64_t offset;                     /* of its record, uncompressed */
    struct str block, id, uri, date, content_type, bad;
    bool lost;       /* PAGE_BROKEN: bytes of its file are */
    bool unreadable; /* the system did not let read it */
};

/* Pages hold until the batch is read into again or freed. */
struct page_batch {
    struct page *items;
    size_t count;
    uint64_t bytes;   /* of pages, about */
    uint64_t read;    /* of the files, as they lie on disk: for progress */
    uint64_t largest; /* of a page, unpacked, at most */
    /* Where the next batch starts. */
    size_t shard;
    uint64_t offset;
    struct arena keep;
};
struct page_batch *page_batch_new(void);
void page_batch_free(struct page_batch *b);

struct page_reader;

/* shards must outlive the reader.  Pages over page_max bytes are broken. */
struct page_reader *page_reader_new(const struct shard_list *shards, size_t page_max);
void page_reader_free(struct page_reader *r);

/* Goes to where a batch ended; (0, 0) is the start. */
winnow_status page_reader_seek(struct page_reader *r, size_t shard, uint64_t offset,
                               struct winnow_error *err);

/* *more is false, and the batch empty, at the end. */
winnow_status page_reader_next(struct page_reader *r, struct page_batch *b, bool *more,
                               struct winnow_error *err);

#endif /* WINNOW_PAGES_PAGE_READER_H */
