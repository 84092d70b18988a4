/* fuzz_blocklist.c -- block lists and addresses: the first line is looked up in the rest, which
 * is read whole and in pieces; scanners of personal data go over all of it. */
#include "base/mem.h"
#include "blocklist/block_list.h"
#include "mask/mask_find.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t read_list(struct str bytes, size_t piece, struct block_list *l)
{
    struct block_reader *r = mem_zalloc(sizeof *r);
    r->list = l;
    for (size_t at = 0; at < bytes.len; at += piece) {
        size_t end = at + piece < bytes.len ? at + piece : bytes.len;
        if (!block_reader_take(r, str_sub(bytes, at, end))) {
            abort();
        }
    }
    if (!block_reader_end(r)) {
        abort();
    }
    mem_free(r);
    block_list_sort(l);
    return l->count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = {(const char *)data, size}, rest = all, line = {0};
    struct block_address address;
    struct block_find finds[4];
    struct mask_spans spans = {0};
    size_t room = str_count_lines(all) + 2, counts[2];
    for (size_t i = 0; i < size; i++) {
        room += data[i] == '\r';
    }
    (void)str_next_line(&rest, &line);
    bool known = block_address_read(line, &address);
    for (size_t i = 0; i < 2; i++) {
        struct block_list l = {.entries = mem_alloc(room * sizeof *l.entries), .room = room};
        counts[i] = read_list(rest, i == 0 ? size + 1 : 7, &l);
        if (known) {
            (void)block_list_find(&l, &address, finds, 4);
        }
        block_list_release(&l);
    }
    if (counts[0] != counts[1]) {
        abort();
    }
    mask_find(all, (1U << MASK_KINDS) - 1, size % 2, &spans);
    for (size_t i = 0; i < spans.count; i++) {
        if (spans.items[i].end > size || spans.items[i].start >= spans.items[i].end ||
            (i > 0 && spans.items[i].start < spans.items[i - 1].end)) {
            abort();
        }
    }
    mask_spans_release(&spans);
    return 0;
}
