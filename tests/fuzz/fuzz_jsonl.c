/* Any bytes as a plain shard: cut into blocks, parsed, edited, quarantined.
 * The first byte chooses block and line limits.  What holds: blocks follow each
 * other without gap, and what is written back is again a document with the same
 * id and text. */
#include "base/mem.h"
#include "corpus/shard_reader.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_written(struct document_reader *reader, const struct document *d, struct buf *out)
{
    struct winnow_error err;
    struct document again;
    struct str reason;
    memset(buf_reserve(out, JSON_PADDING), 0, JSON_PADDING);
    if (document_read(reader, buf_str(out), "s", d->line, &again, &reason, &err) != WINNOW_OK) {
        abort();
    }
    assert(reason.len == 0 && str_eq(again.id, d->id) && str_eq(again.text, d->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[64];
    struct winnow_error err;
    if (fd < 0) {
        fd = memfd_create("shard", 0);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    size_t limits = size > 0 ? data[0] : 0;
    if (size > 0) {
        data++;
        size--;
    }
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size) {
        abort();
    }
    struct shard_reader_options opt = {.block_max = 1 + 7 * (limits & 15),
                                       .line_max = 1 + 11 * (limits >> 4)};
    if (limits == 255) {
        opt = SHARD_READER_OPTIONS_INIT;
    }
    struct shard_reader *r = NULL;
    struct block_parser *p = block_parser_new(NULL);
    struct document_reader *reader = document_reader_new(NULL);
    struct shard_block block = {0};
    struct buf out = {0};
    bool more = true;
    uint64_t offset = 0, line = 1;
    if (shard_reader_open(&r, path, "s", &opt, &err) != WINNOW_OK) {
        abort();
    }
    for (;;) {
        if (shard_reader_next(r, &block, &more, &err) != WINNOW_OK) {
            abort();
        }
        if (!more) {
            break;
        }
        assert(block.offset == offset && block.line == line && block.offset_end > offset);
        offset = block.offset_end;
        line = block.line_end;
        block_parser_start(p, &block);
        struct parsed item;
        while (block_parser_next(p, &item, &err) == WINNOW_OK && item.kind != PARSED_END) {
            buf_clear(&out);
            if (item.kind == PARSED_BAD) {
                bad_line_add_json(&item.bad, "s", &out);
                continue;
            }
            document_add(&item.document, &out);
            check_written(reader, &item.document, &out);
            buf_clear(&out);
            document_add_with_text(&item.document, item.document.text, &out);
            check_written(reader, &item.document, &out);
        }
    }
    shard_reader_close(r);
    shard_block_release(&block);
    block_parser_free(p);
    document_reader_free(reader);
    buf_release(&out);
    return 0;
}
