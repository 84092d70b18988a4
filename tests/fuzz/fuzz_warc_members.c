/* Blocks out of any bytes as records of a WARC file, a gzip member each, whose
 * headers state wrong lengths as the bytes say.  What holds: each block comes back
 * as it is, since a member's end is its record's; also from any record on.  Then bytes
 * of one member are changed: all others come back as they are, also from behind any
 * record or gap.  Blocks that begin like a header inside are no such test and are left out. */
#include "base/mem.h"
#include "pages/warc.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK_MAX 100000U
#define RECORDS   8U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_member(struct buf *file, struct str record)
{
    z_stream z = {0};
    union {
        const char *from;
        unsigned char *to;
    } in = {record.ptr};
    if (deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        abort();
    }
    size_t room = deflateBound(&z, record.len);
    z.next_in = in.to;
    z.avail_in = (unsigned)record.len;
    z.next_out = (unsigned char *)buf_reserve(file, room);
    z.avail_out = (unsigned)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
        abort();
    }
    file->len += room - z.avail_out;
    (void)deflateEnd(&z);
}

/* The record with a header that lies by `lie`. */
static void make_record(struct buf *record, struct str block, size_t number, uint8_t lie)
{
    static const char *const LENGTHS[] = {"-7", "99999999999999999999999", "", "1000000000000"};
    buf_clear(record);
    buf_addf(record, "WARC/1.0\r\nWARC-Type: resource\r\nWARC-Record-ID: %zu\r\n", number);
    if (lie < 128) {
        size_t more = lie < 64 ? block.len + lie : block.len * (lie - 63U);
        buf_addf(record, "Content-Length: %zu\r\n", more);
    } else if (lie < 192) {
        size_t less = lie - 128U < block.len ? block.len - (lie - 128U) : 0;
        buf_addf(record, "Content-Length: %zu\r\n", less);
    } else {
        buf_addf(record, "Content-Length: %s\r\n", LENGTHS[lie % 4]);
    }
    buf_add_text(record, "\r\n");
    buf_add_str(record, block);
    buf_add_text(record, "\r\n\r\n");
}

/* Reads from the offset where record `first` begins; *next is where the second of
 * those begins. */
static void check(const char *path, uint64_t offset, const struct str *blocks, size_t count,
                  uint64_t *next)
{
    struct winnow_error err;
    struct warc_reader *r = NULL;
    struct warc_record record;
    bool more = true;
    if (warc_open(&r, path, NULL, offset, BLOCK_MAX, &err) != WINNOW_OK) {
        abort();
    }
    for (size_t i = 0;; i++) {
        if (warc_next(r, &record, &more, &err) != WINNOW_OK) {
            abort();
        }
        if (!more) {
            assert(i == count);
            break;
        }
        assert(i < count && record.kind == WARC_RESOURCE);
        /* A stated length within the blank lines behind the block may take them in. */
        assert(record.block.len <= blocks[i].len + 4);
        assert(str_starts(record.block, blocks[i]));
        *next = i == 0 ? record.offset_end : *next;
    }
    warc_close(r);
}

/* The numbers of the records from offset on, and where the first of them ends. */
struct seen {
    size_t numbers[2 * RECORDS], count, gaps;
    uint64_t first_end;
};

/* Each record that is given is one of the blocks, whose number is its id. */
static struct seen see(const char *path, uint64_t offset, const struct str *blocks, size_t count,
                       size_t broken)
{
    struct winnow_error err;
    struct warc_reader *r = NULL;
    struct warc_record record;
    struct seen seen = {0};
    bool more = true, first = true;
    if (warc_open(&r, path, NULL, offset, BLOCK_MAX, &err) != WINNOW_OK) {
        abort();
    }
    for (; warc_next(r, &record, &more, &err) == WINNOW_OK && more; first = false) {
        assert(record.offset >= offset && record.offset_end >= record.offset);
        offset = record.offset_end;
        seen.first_end = first ? offset : seen.first_end;
        seen.gaps += record.lost;
        if (record.kind != WARC_RESOURCE) {
            continue;
        }
        size_t number = record.id.len == 1 ? (size_t)(record.id.ptr[0] - '0') : RECORDS;
        assert(number < count || broken < count);
        if (number < count && number != broken) {
            assert(record.block.len <= blocks[number].len + 4);
            assert(str_starts(record.block, blocks[number]));
            assert(seen.count < 2 * RECORDS);
            seen.numbers[seen.count++] = number;
        }
    }
    assert(!more);
    warc_close(r);
    return seen;
}

/* All records but the broken one, in order. */
static void check_gap(const char *path, const struct str *blocks, size_t count, size_t broken)
{
    struct seen all = see(path, 0, blocks, count, broken);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i != broken) {
            assert(at < all.count && all.numbers[at] == i);
            at++;
        }
    }
    assert(at == all.count && all.gaps <= 2);
    struct seen rest = see(path, all.first_end, blocks, count, broken);
    assert(rest.count == all.count - (broken > 0) || broken == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    if (fd < 0) {
        fd = memfd_create("members", 0);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    struct str blocks[RECORDS];
    struct buf file = {0}, record = {0};
    size_t count = 0, at = 0, ends[RECORDS] = {0};
    while (count < RECORDS && size - at >= 2) {
        uint8_t lie = data[at];
        size_t len = data[at + 1];
        at += 2;
        len = len < size - at ? len : size - at;
        struct str block = {(const char *)data + at, len};
        at += len;
        bool ends_blank = len > 0 && (block.ptr[len - 1] == '\n' || block.ptr[len - 1] == '\r');
        if (str_find(block, STR_LIT("WARC/")) != SIZE_MAX || ends_blank) {
            continue;
        }
        make_record(&record, block, count, lie);
        add_member(&file, buf_str(&record));
        ends[count] = file.len;
        blocks[count++] = block;
    }
    if (count > 0) {
        if (ftruncate(fd, 0) != 0 || pwrite(fd, file.ptr, file.len, 0) != (ssize_t)file.len) {
            abort();
        }
        uint64_t next = 0, ignored = 0;
        check(path, 0, blocks, count, &next);
        if (count > 1) {
            check(path, next, blocks + 1, count - 1, &ignored);
        }
        size_t broken = 1 + data[size - 1] % 7U;
        if (broken < count) { /* the first tells what the file is */
            size_t from = ends[broken - 1], bytes = ends[broken] - from;
            for (size_t i = 0; i <= data[0] % 4U; i++) {
                size_t where = ((size_t)data[i % size] * 256 + data[size - 1 - i % size]) % bytes;
                file.ptr[from + where] ^= (char)(1U + data[i % size] % 255U);
            }
            if (pwrite(fd, file.ptr, file.len, 0) != (ssize_t)file.len) {
                abort();
            }
            check_gap(path, blocks, count, broken);
        }
    }
    buf_release(&file);
    buf_release(&record);
    return 0;
}
