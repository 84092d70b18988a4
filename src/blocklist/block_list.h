/* block_list.h -- a set of addresses with their categories: millions of them in 12 bytes each (24
 * while they are sorted).
 *
 *     TRY(block_sources_find(&sources, &opt, err));        which files, of which categories
 *     TRY(block_list_read(&list, &sources, err));
 *     block_list_find(&list, &address, found, FOUND_MAX);
 *
 * Kept are 64-bit hashes of the addresses: that one of a thousand million documents with ten
 * names each meets a hash of five million entries by chance has a probability of 0.003. */
#ifndef WINNOW_BLOCKLIST_BLOCK_LIST_H
#define WINNOW_BLOCKLIST_BLOCK_LIST_H

#include "winnow/blocklist.h"

#include "base/error.h"
#include "blocklist/block_address.h"

#define BLOCK_CATEGORIES_MAX 4096U

struct block_source {
    char *path;
    uint32_t category;
};

/* Files of lists, in the order of their names; and how many lines they have. */
struct block_sources {
    struct block_source *items;
    size_t count, cap;
    char **categories;
    size_t category_count, category_cap;
    uint64_t lines;
};

/* A path is a list (its category is its name up to the first dot), a folder with lists called
 * "domains" and "urls" (its category is the folder's name), or a folder of such folders, as
 * UT1's are. */
winnow_status block_sources_find(struct block_sources *s, const struct winnow_blocklist_options *o,
                                 struct winnow_error *err);
void block_sources_release(struct block_sources *s);

/* Bytes of a list of that many lines. */
uint64_t block_list_memory(uint64_t lines);

struct block_entry {
    uint32_t high, low; /* of the hash */
    uint32_t category;
};

struct block_list {
    struct block_entry *entries; /* by hash and category, each once */
    size_t count, room;
    uint64_t wrong; /* lines that are no address */
};

winnow_status block_list_read(struct block_list *l, const struct block_sources *sources,
                              struct winnow_error *err);
void block_list_release(struct block_list *l);

/* A reader of one file's bytes in pieces of any size, for block_list_read() and its fuzzer.
 * Returns false where there is no room for another entry. */
struct block_reader {
    struct block_list *list;
    uint32_t category;
    char line[BLOCK_ADDRESS_MAX];
    size_t len;
    bool over; /* the line is longer than any address */
};
bool block_reader_take(struct block_reader *r, struct str bytes);
bool block_reader_end(struct block_reader *r);
void block_list_sort(struct block_list *l);

/* What of the address is listed. */
struct block_find {
    uint32_t category;
    size_t from, to; /* of the address's text */
};

/* Up to `most` finds: the host and each domain that it lies in, then the beginnings of the
 * address that end before a '/', '?' or '&', or at its end. */
size_t block_list_find(const struct block_list *l, const struct block_address *a,
                       struct block_find *out, size_t most);

#endif /* WINNOW_BLOCKLIST_BLOCK_LIST_H */
