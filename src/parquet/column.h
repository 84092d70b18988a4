/* column.h -- one column of one row group, entry by entry: levels, and the value where there is
 * one.  Holds a page and a dictionary at a time. */
#ifndef WINNOW_PARQUET_COLUMN_H
#define WINNOW_PARQUET_COLUMN_H

#include "parquet/decode.h"
#include "parquet/tree.h"

/* What all columns of a reader hold, against what they may. */
struct parquet_memory {
    uint64_t held, max; /* max 0: no limit */
};

/* All-zero may be released. */
struct parquet_column {
    const struct parquet_file *file;
    uint64_t file_end; /* of pages */
    struct parquet_memory *memory;
    const struct parquet_leaf *leaf;
    const struct parquet_chunk *chunk;
    uint64_t at;      /* in the file: the next page */
    uint64_t left;    /* entries in pages to come */
    uint64_t in_page; /* entries left of this one */
    struct buf packed, page, dictionary_page;
    struct str *dictionary;
    size_t dictionary_count;
    bool has_dictionary;
    struct hybrid reps, defs;
    struct values values;
    /* The entry at hand; none at the end. */
    bool ended;
    uint32_t rep, def;
    struct str value; /* where def is the leaf's */
};

/* Begins a chunk; its first entry is at hand then. */
winnow_status parquet_column_start(struct parquet_column *c, const struct parquet_leaf *leaf,
                                   const struct parquet_chunk *chunk, struct winnow_error *err);
/* WINNOW_E_FORMAT: a clause without the column's name. */
winnow_status parquet_column_next(struct parquet_column *c, struct winnow_error *err);
void parquet_column_release(struct parquet_column *c);

#endif /* WINNOW_PARQUET_COLUMN_H */
