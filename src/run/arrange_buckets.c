/* arrange_buckets.c -- lines into buckets by the first bits of their keys, each sorted in turn.
 *
 * An item lies in its bucket as a head of fixed size and its line.  Of a bucket that fits the
 * whole is read and its items are sorted by key and place; of one that does not (few, long
 * lines, or more data than buckets are good for) only keys and places are, and lines are read
 * one by one. */
#include "run/arrange_buckets.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/record_sort.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define BUCKETS_MAX  256U
#define BUFFER_LEAST ((uint64_t)4 << 10)
#define BUFFER_MOST  ((uint64_t)1 << 20)
#define KEY_WORDS    3U

/* Before each line. */
struct head {
    uint64_t high, low;
    uint64_t bytes;
    uint32_t number, zero;
};

struct bucket {
    int fd; /* -1: all of it is in pending */
    struct buf pending;
    uint64_t written; /* bytes in the file */
};

struct buckets {
    struct bucket *items;
    size_t count;
    uint64_t load_max;   /* of a bucket that is read whole */
    uint64_t sort_max;   /* for its keys */
    uint64_t buffer_max; /* bytes that a bucket holds back */
    char *folder;
};

winnow_status buckets_new(struct buckets **out, uint64_t items, uint64_t bytes, uint64_t memory,
                          const char *folder, struct winnow_error *err)
{
    (void)err;
    struct buckets *b = mem_zalloc(sizeof *b);
    *out = b;
    b->folder = mem_strdup(folder);
    b->load_max = memory / 2;
    b->sort_max = memory / 4;
    uint64_t all = bytes + items * sizeof(struct head);
    uint64_t usual = b->load_max / 4 * 3 + 1; /* some are larger than the mean */
    uint64_t count = all < b->load_max ? 1 : all / usual + 1;
    b->count = count < BUCKETS_MAX ? (size_t)count : BUCKETS_MAX;
    b->buffer_max = memory / 4 / b->count;
    b->buffer_max = b->buffer_max < BUFFER_LEAST ? BUFFER_LEAST : b->buffer_max;
    b->buffer_max = b->buffer_max > BUFFER_MOST ? BUFFER_MOST : b->buffer_max;
    b->buffer_max = b->count == 1 ? b->load_max : b->buffer_max;
    b->items = mem_zalloc(b->count * sizeof *b->items);
    for (size_t i = 0; i < b->count; i++) {
        b->items[i].fd = -1;
    }
    return WINNOW_OK;
}

static void release_bucket(struct bucket *b)
{
    if (b->fd >= 0) {
        (void)close(b->fd);
    }
    b->fd = -1;
    buf_release(&b->pending);
}

void buckets_free(struct buckets *b)
{
    if (!b) {
        return;
    }
    for (size_t i = 0; i < b->count; i++) {
        release_bucket(&b->items[i]);
    }
    mem_free(b->items);
    mem_free(b->folder);
    mem_free(b);
}

static winnow_status open_file(const struct buckets *b, struct bucket *bucket,
                               struct winnow_error *err)
{
    struct buf path = {0};
    buf_addf(&path, "%s/bucket-%zu-%ld" FILE_TMP, b->folder, (size_t)(bucket - b->items),
             (long)getpid());
    bucket->fd = open(buf_cstr(&path), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    winnow_status st = WINNOW_OK;
    if (bucket->fd < 0 || unlink(buf_cstr(&path)) != 0) {
        st = error_errno(err, "cannot create", buf_cstr(&path));
    }
    buf_release(&path);
    return st;
}

static winnow_status flush(const struct buckets *b, struct bucket *bucket, struct winnow_error *err)
{
    TRY(bucket->fd >= 0 ? WINNOW_OK : open_file(b, bucket, err));
    TRY(file_write_fd(bucket->fd, buf_str(&bucket->pending), b->folder, err));
    bucket->written += bucket->pending.len;
    if (bucket->pending.cap > 2 * b->buffer_max) { /* of a long line */
        buf_release(&bucket->pending);
    }
    buf_clear(&bucket->pending);
    return WINNOW_OK;
}

winnow_status buckets_add(struct buckets *b, const struct bucket_item *item,
                          struct winnow_error *err)
{
    /* By the first 32 bits, so that buckets follow each other as keys do. */
    struct bucket *bucket = &b->items[(item->high >> 32) * b->count >> 32];
    const struct head head = {item->high, item->low, item->line.len, item->number, 0};
    buf_add(&bucket->pending, &head, sizeof head);
    buf_add_str(&bucket->pending, item->line);
    return bucket->pending.len < b->buffer_max ? WINNOW_OK : flush(b, bucket, err);
}

/* ---- a bucket in order ---- */

static winnow_status read_at(const struct buckets *b, int fd, uint64_t at, char *to, uint64_t bytes,
                             struct winnow_error *err)
{
    while (bytes > 0) {
        ssize_t n = pread(fd, to, bytes, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? error_errno(err, "cannot read a temporary file in", b->folder)
                         : error_set(err, WINNOW_E_IO, "a temporary file in %s ends too early",
                                     b->folder);
        }
        to += n;
        at += (uint64_t)n;
        bytes -= (uint64_t)n;
    }
    return WINNOW_OK;
}

/* A bucket while it is read: all of it in memory, or what is asked for. */
struct reading {
    struct buckets *b;
    struct bucket *bucket;
    uint64_t bytes; /* of the bucket */
    bool whole;     /* it is in pending */
    struct buf part;
    struct record_sort *sort;
};

static winnow_status bytes_at(struct reading *r, uint64_t at, uint64_t bytes, const char **out,
                              struct winnow_error *err)
{
    if (r->whole) {
        *out = r->bucket->pending.ptr + at;
        return WINNOW_OK;
    }
    buf_clear(&r->part);
    *out = buf_reserve(&r->part, bytes);
    return read_at(r->b, r->bucket->fd, at, r->part.ptr, bytes, err);
}

static winnow_status load(struct reading *r, struct winnow_error *err)
{
    struct bucket *bucket = r->bucket;
    r->bytes = bucket->written + bucket->pending.len;
    if (bucket->fd < 0) {
        r->whole = true;
        return WINNOW_OK;
    }
    TRY(bucket->pending.len > 0 ? flush(r->b, bucket, err) : WINNOW_OK);
    r->whole = r->bytes <= r->b->load_max;
    if (r->whole) {
        char *to = buf_reserve(&bucket->pending, r->bytes);
        TRY(read_at(r->b, bucket->fd, 0, to, r->bytes, err));
        bucket->pending.len = r->bytes;
    }
    return WINNOW_OK;
}

static winnow_status sort_keys(struct reading *r, struct winnow_error *err)
{
    TRY(record_sort_new(&r->sort, KEY_WORDS, r->b->sort_max, r->b->folder, err));
    struct head head;
    for (uint64_t at = 0; at < r->bytes; at += sizeof head + head.bytes) {
        const char *from;
        TRY(bytes_at(r, at, sizeof head, &from, err));
        memcpy(&head, from, sizeof head);
        const uint64_t record[KEY_WORDS] = {head.high, head.low, at};
        TRY(record_sort_add(r->sort, record, 1, err));
    }
    return record_sort_finish(r->sort, err);
}

static winnow_status give(struct reading *r,
                          winnow_status (*take)(void *ctx, const struct bucket_item *item,
                                                struct winnow_error *err),
                          void *ctx, struct winnow_error *err)
{
    TRY(load(r, err));
    TRY(sort_keys(r, err));
    for (;;) {
        const uint64_t *record;
        const char *from;
        struct head head;
        TRY(record_sort_next(r->sort, &record, err));
        if (!record) {
            return WINNOW_OK;
        }
        uint64_t at = record[KEY_WORDS - 1];
        TRY(bytes_at(r, at, sizeof head, &from, err));
        memcpy(&head, from, sizeof head);
        TRY(bytes_at(r, at + sizeof head, head.bytes, &from, err));
        const struct bucket_item item = {head.high, head.low, head.number, {from, head.bytes}};
        TRY(take(ctx, &item, err));
    }
}

winnow_status buckets_each(struct buckets *b,
                           winnow_status (*take)(void *ctx, const struct bucket_item *item,
                                                 struct winnow_error *err),
                           void *ctx, struct winnow_error *err)
{
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && b->count > 1 && i < b->count; i++) {
        struct bucket *bucket = &b->items[i]; /* what others hold back would be in the way */
        st = bucket->pending.len > 0 ? flush(b, bucket, err) : WINNOW_OK;
        buf_release(&bucket->pending);
    }
    for (size_t i = 0; st == WINNOW_OK && i < b->count; i++) {
        struct reading r = {.b = b, .bucket = &b->items[i]};
        st = give(&r, take, ctx, err);
        record_sort_free(r.sort);
        buf_release(&r.part);
        release_bucket(r.bucket);
    }
    return st;
}
