/* mix_rows.h -- rows of attribute files beside the documents of a pass, one by one, in order.
 *
 * Rows have to be about the documents of the corpus in their order, which their ids tell: a
 * shifted row would give one document's score to another. */
#ifndef WINNOW_MIX_MIX_ROWS_H
#define WINNOW_MIX_MIX_ROWS_H

#include "corpus/shard_reader.h"
#include "corpus/shards.h"

/* All-zero may be closed. */
struct mix_rows {
    const char *folder;
    struct shard_list shards;
    size_t next; /* shard to open */
    struct shard_reader *reader;
    struct shard_block block;
    struct str rest;
    uint64_t number; /* of the last line */
    struct json_parser *parser;
    uint64_t memory_max;
};

winnow_status mix_rows_open(struct mix_rows *r, const char *folder, uint64_t memory_max,
                            struct winnow_error *err);
void mix_rows_close(struct mix_rows *r);

/* The row of the next document, which has that id.  Its value holds until the next call. */
winnow_status mix_rows_next(struct mix_rows *r, struct str id, struct json_value *row,
                            struct winnow_error *err);

#endif /* WINNOW_MIX_MIX_ROWS_H */
