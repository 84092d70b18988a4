/* block_list.c -- lists read into sorted hashes, and addresses looked up.
 *
 * The lines were counted before (block_sources.c), so the entries take one allocation whose
 * size is known; they are sorted once, and looked up by halving. */
#include "blocklist/block_list.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/sort.h"
#include "corpus/byte_source.h"

#include <inttypes.h>

#define READ_BYTES ((size_t)256 << 10)

uint64_t block_list_memory(uint64_t lines)
{
    return 2 * lines * sizeof(struct block_entry) +
           READ_BYTES; /* the C library sorts with a copy */
}

void block_list_release(struct block_list *l)
{
    mem_free(l->entries);
    *l = (struct block_list){0};
}

/* ---- reading ---- */

static bool end_line(struct block_reader *r)
{
    struct block_address address;
    struct str line = {r->line, r->len};
    enum block_line what = r->over ? BLOCK_WRONG : block_line_read(line, &address);
    r->len = 0;
    r->over = false;
    if (what != BLOCK_ENTRY) {
        r->list->wrong += what == BLOCK_WRONG;
        return true;
    }
    if (r->list->count == r->list->room) {
        return false;
    }
    uint64_t hash = hash64((struct str){address.text, address.len}, 0);
    r->list->entries[r->list->count++] =
        (struct block_entry){(uint32_t)(hash >> 32), (uint32_t)hash, r->category};
    return true;
}

bool block_reader_take(struct block_reader *r, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.ptr[i];
        if (c == '\n' || c == '\r') {
            if ((r->len > 0 || r->over) && !end_line(r)) {
                return false;
            }
        } else if (r->len == sizeof r->line) {
            r->over = true;
        } else {
            r->line[r->len++] = c;
        }
    }
    return true;
}

bool block_reader_end(struct block_reader *r)
{
    return (r->len == 0 && !r->over) || end_line(r);
}

static uint64_t hash_of(const struct block_entry *e)
{
    return (uint64_t)e->high << 32 | e->low;
}

static int by_hash(const void *a, const void *b)
{
    const struct block_entry *x = a, *y = b;
    if (hash_of(x) != hash_of(y)) {
        return hash_of(x) < hash_of(y) ? -1 : 1;
    }
    return x->category < y->category ? -1 : x->category > y->category;
}

void block_list_sort(struct block_list *l)
{
    sort(l->entries, l->count, sizeof *l->entries, by_hash);
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (kept == 0 || by_hash(&l->entries[i], &l->entries[kept - 1]) != 0) {
            l->entries[kept++] = l->entries[i];
        }
    }
    l->count = kept;
}

static winnow_status read_bytes(struct byte_source *source, struct block_reader *r,
                                const char *path, struct winnow_error *err)
{
    static const char GREW[] =
        "%s: it was written to while it was read; run again when it is whole";
    char *bytes = mem_alloc(READ_BYTES);
    winnow_status st = WINNOW_OK;
    size_t got = 1;
    while (st == WINNOW_OK && got > 0) {
        st = byte_source_read(source, bytes, READ_BYTES, &got, err);
        if (st == WINNOW_OK && !block_reader_take(r, (struct str){bytes, got})) {
            st = error_set(err, WINNOW_E_FORMAT, GREW, path);
        }
    }
    mem_free(bytes);
    TRY(st);
    if (byte_source_torn(source)) {
        return error_set(err, WINNOW_E_FORMAT, "%s cannot be read to its end: %s; get it anew",
                         path, byte_source_torn(source));
    }
    return block_reader_end(r) ? WINNOW_OK : error_set(err, WINNOW_E_FORMAT, GREW, path);
}

static winnow_status read_source(struct block_list *l, const struct block_source *source,
                                 struct winnow_error *err)
{
    struct byte_source *bytes = NULL;
    struct block_reader *r = mem_zalloc(sizeof *r);
    *r = (struct block_reader){.list = l, .category = source->category};
    winnow_status st = byte_source_open(&bytes, source->path, err);
    if (st == WINNOW_OK) {
        st = read_bytes(bytes, r, source->path, err);
    }
    byte_source_close(bytes);
    mem_free(r);
    return st;
}

winnow_status block_list_read(struct block_list *l, const struct block_sources *sources,
                              struct winnow_error *err)
{
    l->entries = mem_try_alloc((size_t)(sources->lines + 1) * sizeof *l->entries);
    if (!l->entries) {
        return error_set(err, WINNOW_E_NOMEM,
                         "no memory for the %" PRIu64 " lines of the block lists (--lists)",
                         sources->lines);
    }
    l->room = (size_t)sources->lines + 1;
    for (size_t i = 0; i < sources->count; i++) {
        TRY(read_source(l, &sources->items[i], err));
    }
    block_list_sort(l);
    return WINNOW_OK;
}

/* ---- looking up ---- */

static size_t add_finds(const struct block_list *l, const struct block_address *a, size_t from,
                        size_t to, struct block_find *out, size_t most)
{
    uint64_t hash = hash64((struct str){a->text + from, to - from}, 0);
    size_t low = 0, high = l->count, n = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hash_of(&l->entries[middle]) < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < l->count && hash_of(&l->entries[low]) == hash && n < most; low++) {
        out[n++] = (struct block_find){l->entries[low].category, from, to};
    }
    return n;
}

size_t block_list_find(const struct block_list *l, const struct block_address *a,
                       struct block_find *out, size_t most)
{
    size_t n = add_finds(l, a, 0, a->host, out, most);
    for (size_t i = 1; !a->numeric && i < a->host; i++) {
        struct str left = {a->text + i, a->host - i};
        if (a->text[i - 1] == '.' && memchr(left.ptr, '.', left.len)) { /* two labels at least */
            n += add_finds(l, a, i, a->host, out + n, most - n);
        }
    }
    for (size_t i = a->host + 1; i <= a->len; i++) {
        if (i == a->len || a->text[i] == '/' || a->text[i] == '?' || a->text[i] == '&') {
            n += add_finds(l, a, 0, i, out + n, most - n);
        }
    }
    return n;
}
