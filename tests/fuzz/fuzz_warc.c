/* Any bytes as a WARC file, plain or compressed as their first bytes say: every
 * record goes through HTTP and extraction.  What holds: offsets go up, and reading
 * again from the first record's end gives the records behind it. */
#include "pages/page_extract.h"
#include "pages/warc.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK_MAX 100000U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Number of records from offset on; *second is where the second of them starts. */
static size_t count_records(const char *path, uint64_t offset, uint64_t *second)
{
    struct winnow_error err;
    struct warc_reader *r = NULL;
    struct warc_record record;
    bool more = true;
    size_t n = 0;
    if (warc_open(&r, path, NULL, offset, BLOCK_MAX, &err) != WINNOW_OK) {
        abort();
    }
    for (;; n++) {
        if (warc_next(r, &record, &more, &err) != WINNOW_OK) {
            abort();
        }
        if (!more) {
            break;
        }
        assert(record.offset >= offset && record.offset_end >= record.offset);
        offset = record.offset_end;
        if (n == 0) {
            *second = offset;
        }
    }
    warc_close(r);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    if (fd < 0) {
        fd = memfd_create("warc", 0);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size) {
        abort();
    }
    uint64_t second = 0, third = 0;
    size_t all = count_records(path, 0, &second);
    if (all > 1 && second > 0) {
        assert(count_records(path, second, &third) + 1 == all);
    }
    struct winnow_error err;
    struct warc_reader *r = NULL;
    struct warc_record record;
    struct page_extract_options opt = {.page_max = BLOCK_MAX};
    struct page_extractor *x = page_extractor_new(&opt);
    bool more = true;
    if (warc_open(&r, path, NULL, 0, BLOCK_MAX, &err) != WINNOW_OK) {
        abort();
    }
    while (warc_next(r, &record, &more, &err) == WINNOW_OK && more) {
        struct page page = {.form = record.kind == WARC_RESPONSE ? PAGE_HTTP : PAGE_PAYLOAD,
                            .path = path,
                            .name = "x.warc",
                            .offset = record.offset,
                            .block = record.block,
                            .id = record.id,
                            .uri = record.uri,
                            .content_type = record.content_type};
        struct page_result result;
        if (page_extract(x, &page, &result, &err) != WINNOW_OK) {
            abort();
        }
    }
    warc_close(r);
    page_extractor_free(x);
    return 0;
}
