/* shred.h -- a line as entries of columns: levels and values in their plain form.
 *
 * What parquet/rows.c does, backwards; by a stack, so that lines of any nesting are safe. */
#ifndef WINNOW_PARQUET_SHRED_H
#define WINNOW_PARQUET_SHRED_H

#include "base/json.h"
#include "parquet/tree.h"

/* A column of the row group that is being made. */
struct shred_page {
    uint64_t entries, bytes; /* at its end */
};

struct shred_leaf {
    struct buf values, reps, defs; /* levels: a byte an entry, where there are any */
    uint64_t entries;
    struct shred_page *pages; /* that are full */
    size_t page_count, page_cap;
};

struct shred_item;

/* All-zero but for the tree; may be released. */
struct shred {
    const struct parquet_tree *tree;
    struct shred_leaf *leaves; /* one a leaf of the tree */
    struct shred_item *items;
    size_t count, cap;
    struct json_value *found;
    size_t found_cap;
    uint64_t page_bytes, page_entries; /* at which a page is full */
};

void shred_init(struct shred *s, const struct parquet_tree *tree, uint64_t page_bytes,
                uint64_t page_entries);

/* WINNOW_E_FORMAT: a sentence that names the column which cannot hold a value. */
winnow_status shred_line(struct shred *s, struct json_value line, struct winnow_error *err);

/* For the next row group. */
void shred_clear(struct shred *s);
void shred_release(struct shred *s);

#endif /* WINNOW_PARQUET_SHRED_H */
