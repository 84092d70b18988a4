/* page_reader.c -- see page_reader.h.  Files that are pages are only named here
 * and read by the worker that extracts them; WARC records are read here, since
 * a compressed stream has one order. */
#include "pages/page_reader.h"

#include "base/mem.h"
#include "corpus/packing.h"
#include "pages/http.h"
#include "pages/warc.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#define BATCH_PAGES 256U
#define BATCH_BYTES ((uint64_t)4 << 20)

struct page_reader {
    const struct shard_list *shards;
    size_t page_max;
    size_t shard;
    uint64_t offset;
    struct warc_reader *warc; /* of shards->items[shard], where it is open */
    uint64_t warc_read;       /* bytes of its file that batches have counted */
};

struct page_batch *page_batch_new(void)
{
    struct page_batch *b = mem_zalloc(sizeof *b);
    b->items = mem_zalloc(BATCH_PAGES * sizeof *b->items);
    arena_init(&b->keep, (size_t)1 << 20);
    return b;
}

void page_batch_free(struct page_batch *b)
{
    if (b) {
        arena_release(&b->keep);
        mem_free(b->items);
        mem_free(b);
    }
}

struct page_reader *page_reader_new(const struct shard_list *shards, size_t page_max)
{
    struct page_reader *r = mem_zalloc(sizeof *r);
    r->shards = shards;
    r->page_max = page_max;
    return r;
}

void page_reader_free(struct page_reader *r)
{
    if (r) {
        warc_close(r->warc);
        mem_free(r);
    }
}

winnow_status page_reader_seek(struct page_reader *r, size_t shard, uint64_t offset,
                               struct winnow_error *err)
{
    if (shard > r->shards->count) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the input has %zu files now, and had more before: it has changed",
                         r->shards->count);
    }
    warc_close(r->warc);
    r->warc = NULL;
    r->warc_read = 0;
    r->shard = shard;
    r->offset = offset;
    return WINNOW_OK;
}

static bool is_warc(const char *path)
{
    struct str s = packing_cut(str_of(path));
    return (s.len > 5 && strncasecmp(s.ptr + s.len - 5, ".warc", 5) == 0) ||
           (s.len > 4 && strncasecmp(s.ptr + s.len - 4, ".wet", 4) == 0);
}

static winnow_status keep(struct page_batch *b, struct str s, struct str *out,
                          struct winnow_error *err)
{
    *out = (struct str){NULL, 0};
    if (s.len == 0 || !s.ptr) {
        return WINNOW_OK;
    }
    char *copy = arena_try_alloc(&b->keep, s.len, 1);
    if (!copy) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a page of %zu bytes", s.len);
    }
    if (s.ptr) {
        memcpy(copy, s.ptr, s.len);
    }
    *out = (struct str){copy, s.len};
    return WINNOW_OK;
}

static struct page *add(struct page_reader *r, struct page_batch *b, enum page_form form)
{
    const struct shard *s = &r->shards->items[r->shard];
    struct page *p = &b->items[b->count++];
    *p = (struct page){.form = form,
                       .path = s->path,
                       .remote = s->remote,
                       .name = s->name,
                       .label = s->label,
                       .found = &s->stamp,
                       .offset = r->offset};
    return p;
}

static winnow_status add_record(struct page_reader *r, struct page_batch *b,
                                const struct warc_record *record, struct winnow_error *err)
{
    static const enum page_form FORMS[] = {
        [WARC_RESPONSE] = PAGE_HTTP,
        [WARC_RESOURCE] = PAGE_PAYLOAD,
        [WARC_CONVERSION] = PAGE_PAYLOAD,
        [WARC_BAD] = PAGE_BROKEN,
    };
    if (record->kind == WARC_OTHER) {
        return WINNOW_OK;
    }
    struct page *p = add(r, b, FORMS[record->kind]);
    p->offset = record->offset;
    p->lost = record->lost;
    p->unreadable = record->unreadable;
    TRY(keep(b, record->block, &p->block, err));
    TRY(keep(b, record->id, &p->id, err));
    TRY(keep(b, record->uri, &p->uri, err));
    TRY(keep(b, record->date, &p->date, err));
    TRY(keep(b, record->content_type, &p->content_type, err));
    return keep(b, record->reason, &p->bad, err);
}

static void next_shard(struct page_reader *r)
{
    warc_close(r->warc);
    r->warc = NULL;
    r->warc_read = 0;
    r->shard++;
    r->offset = 0;
}

/* One file that cannot be read does not end the run. */
static winnow_status give_up(struct page_reader *r, struct page_batch *b, struct winnow_error *err)
{
    struct page *p = add(r, b, PAGE_BROKEN);
    p->lost = p->unreadable = true;
    next_shard(r);
    return keep(b, str_of(err->text), &p->bad, err);
}

/* Whether its bytes have to tell what it is: a pipe has no name. */
static bool is_unnamed(const struct shard *s)
{
    return s->once || s->piped;
}

/* What came through a pipe and is one page: all its bytes, ptr NULL where there are too
 * many.  Of no byte at all there is none to speak of. */
static winnow_status add_one_page(struct page_reader *r, struct page_batch *b, struct str bytes,
                                  struct winnow_error *err)
{
    const char *torn = warc_torn(r->warc);
    char reason[256] = "";
    if (!bytes.ptr) {
        (void)snprintf(reason, sizeof reason, "the page is longer than the limit of %zu bytes",
                       r->page_max);
    } else if (torn) {
        (void)snprintf(reason, sizeof reason, "%s", torn);
    }
    winnow_status st = WINNOW_OK;
    if (reason[0] || bytes.len > 0) {
        struct page *p = add(r, b, reason[0] ? PAGE_BROKEN : PAGE_BYTES);
        p->lost = bytes.ptr && torn;
        st = reason[0] ? keep(b, str_of(reason), &p->bad, err) : keep(b, bytes, &p->block, err);
    }
    next_shard(r);
    return st;
}

/* Opens the current file as WARC.  Standard input may also be one page. */
static winnow_status open_warc(struct page_reader *r, struct page_batch *b,
                               struct winnow_error *err)
{
    const struct shard *s = &r->shards->items[r->shard];
    winnow_status st = warc_open(&r->warc, s->path, s->remote, r->offset, r->page_max, err);
    if (st == WINNOW_E_IO) {
        return give_up(r, b, err);
    }
    if (st == WINNOW_OK) {
        warc_expect(r->warc, &s->stamp);
    }
    if (st != WINNOW_OK || !is_unnamed(s) || is_warc(s->path)) {
        return st;
    }
    struct str page;
    bool yes = true;
    TRY(warc_is_warc(r->warc, &yes, &page, err));
    return yes ? WINNOW_OK : add_one_page(r, b, page, err);
}

/* At most: deflate packs a thousandfold and no further, zstd without a bound. */
static uint64_t unpacked_bytes(const struct shard *s)
{
    struct str name = str_of(s->path);
    if (str_ends(name, STR_LIT(".zst"))) {
        return UINT64_MAX;
    }
    return str_ends(name, STR_LIT(".gz")) ? s->bytes * 1032 : s->bytes;
}

static void note_largest(const struct page_reader *r, struct page_batch *b, uint64_t bytes)
{
    bytes = bytes < r->page_max ? bytes : r->page_max;
    b->largest = bytes > b->largest ? bytes : b->largest;
}

/* Of a page that may be packed within its record, what it may unpack to at most. */
static uint64_t record_bytes(const struct warc_record *record)
{
    static const char NAME[] = "content-encoding:";
    struct str head =
        str_sub(record->block, 0, record->block.len < 4096 ? record->block.len : 4096);
    for (size_t at = 0; at + sizeof NAME <= head.len; at++) {
        if ((head.ptr[at] | 0x20) == 'c' &&
            strncasecmp(head.ptr + at, NAME, sizeof NAME - 1) == 0) {
            return UINT64_MAX; /* zstd and brotli know no bound */
        }
    }
    bool packed = http_is_packed(head);
    for (size_t at = 0; at + 4 < head.len && !packed; at++) { /* without a word of it */
        packed = head.ptr[at] == '\n' && http_is_packed(str_sub(head, at + 1, head.len));
    }
    return packed ? record->block.len * 1032 : record->block.len;
}

winnow_status page_reader_next(struct page_reader *r, struct page_batch *b, bool *more,
                               struct winnow_error *err)
{
    arena_reset(&b->keep);
    b->count = 0;
    b->bytes = b->largest = 0;
    b->read = 0;
    while (b->count < BATCH_PAGES && b->bytes < BATCH_BYTES && r->shard < r->shards->count) {
        const struct shard *s = &r->shards->items[r->shard];
        if (r->warc) {
            struct warc_record record;
            bool records = true;
            winnow_status st = warc_next(r->warc, &record, &records, err);
            if (st == WINNOW_E_IO) {
                TRY(give_up(r, b, err));
                continue;
            }
            TRY(st);
            if (records) {
                TRY(add_record(r, b, &record, err));
                b->bytes += record.offset_end - record.offset;
                b->read += warc_bytes_read(r->warc) - r->warc_read;
                r->warc_read = warc_bytes_read(r->warc);
                note_largest(r, b, record_bytes(&record));
                r->offset = record.offset_end;
            } else {
                next_shard(r);
            }
        } else if (is_warc(s->path) || is_unnamed(s)) {
            TRY(open_warc(r, b, err));
        } else {
            (void)add(r, b, PAGE_FILE);
            b->bytes += s->bytes;
            b->read += s->bytes;
            note_largest(r, b, unpacked_bytes(s));
            next_shard(r);
        }
    }
    b->shard = r->shard;
    b->offset = r->offset;
    *more = b->count > 0 || r->shard < r->shards->count;
    return WINNOW_OK;
}
